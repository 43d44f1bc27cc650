/* epoll(7) with a plain event struct: the kernel's is packed on x86_64, and Swift cannot import that. */
#ifndef PM_EPOLL_H
#define PM_EPOLL_H

#include "pm_base.h"

PM_NONNULL_BEGIN

#define PM_EPOLL_IN 0x001u
#define PM_EPOLL_PRI 0x002u
#define PM_EPOLL_OUT 0x004u
#define PM_EPOLL_ERR 0x008u
#define PM_EPOLL_HUP 0x010u
#define PM_EPOLL_RDHUP 0x2000u
#define PM_EPOLL_ONESHOT 0x40000000u
#define PM_EPOLL_EDGE 0x80000000u

/* Most events that one pm_epoll_wait gives. */
#define PM_EPOLL_BATCH 128

typedef struct {
    uint64_t data;   /* what the descriptor was registered with */
    uint32_t events; /* PM_EPOLL_* */
    uint32_t reserved;
} pm_epoll_event;

/* A new epoll descriptor, owned by the caller, or -errno. */
int pm_epoll_create(void);
/* Registers fd for `events`; `data` comes back with each event. The epoll does not own fd. 0 or -errno. */
int pm_epoll_add(int epoll, int fd, uint32_t events, uint64_t data);
/* Replaces what fd is registered for. 0 or -errno. */
int pm_epoll_modify(int epoll, int fd, uint32_t events, uint64_t data);
/* 0 or -errno; to be called before fd is closed, for a duplicate elsewhere keeps the registration alive. */
int pm_epoll_remove(int epoll, int fd);
/*
 * Waits until an event or for timeout_ns nanoseconds; negative: for ever. Gives the number of events written
 * to `out` (at most PM_EPOLL_BATCH), or -errno; -EINTR when a signal came. Before Linux 5.11 the time is
 * rounded up to whole milliseconds.
 */
int pm_epoll_wait(int epoll, pm_epoll_event *out, int capacity, int64_t timeout_ns);

PM_NONNULL_END

#endif
