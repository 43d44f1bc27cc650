/* Descriptors that carry events: eventfd(2), signalfd(2). All are non-blocking. */
#ifndef PM_EVENT_H
#define PM_EVENT_H

#include "pm_base.h"

PM_NONNULL_BEGIN

/* A new eventfd with the counter 0, owned by the caller, or -errno. */
int pm_eventfd_create(void);
/* Adds one, which makes the descriptor readable; async-signal-safe. 0 or -errno. */
int pm_eventfd_signal(int fd);
/* Sets the counter to 0. Gives 1 if it was set, 0 if not, or -errno. */
int pm_eventfd_drain(int fd);

typedef struct {
    int32_t signal;
    int32_t pid;    /* of the sender, or of the child for SIGCHLD */
    uint32_t uid;   /* of the sender */
    int32_t status; /* SIGCHLD: exit code or signal */
    int32_t token;  /* of a timer: the one it was made with */
} pm_signal_info;

/*
 * Blocks the signals in the calling thread and gives a descriptor from which they are read, owned by the
 * caller, or -errno. To be called on the main thread before any other starts: threads inherit the mask, and
 * one that has a signal unblocked gets it instead of the descriptor.
 */
int pm_signalfd_create(const int *signals, size_t count);
/* Reads one signal. 1, or 0 when none is left, or -errno. */
int pm_signalfd_read(int fd, pm_signal_info *out);

PM_NONNULL_END

#endif
