/* Clocks, in nanoseconds (clock_gettime(2)). */
#ifndef PM_CLOCK_H
#define PM_CLOCK_H

#include "pm_base.h"

typedef enum PM_CLOSED {
    PM_CLOCK_MONOTONIC = 0, /* stands while the machine is suspended; epoll's timeouts run on it */
    PM_CLOCK_BOOTTIME = 1,  /* runs on while the machine is suspended */
    PM_CLOCK_REALTIME = 2,  /* wall time since 1970, may jump */
} pm_clock;

/* Nanoseconds of the clock. Cannot fail. */
uint64_t pm_clock_read(pm_clock clock);
/* CLOCK_BOOTTIME in clock ticks, as /proc/PID/stat gives the start of a process. */
uint64_t pm_clock_ticks(void);
/* Nanoseconds since boot, suspended time included. */
uint64_t pm_clock_monotonic(void);
/* Nanoseconds since 1970-01-01 UTC. */
uint64_t pm_clock_realtime(void);

/*
 * Opens the kernel's account of the calling thread (/proc/thread-self/schedstat), close-on-exec; the caller
 * closes it. The descriptor, or -errno: -ENOENT where the kernel keeps none.
 */
int pm_clock_waits_open(void);
/* Nanoseconds for which the thread of such a descriptor could have run and had no processor, or -errno. */
int64_t pm_clock_waited(int fd);

/* A timer on the processor time of another process: it costs nothing while that process sleeps. */
typedef struct {
    uintptr_t handle;
} pm_cpu_timer;

/*
 * Makes a timer, not armed, that sends the calling thread a signal with a token (SIGEV_THREAD_ID of
 * timer_create(2)); the caller owns it and deletes it. Any user's process may be named. 0 or -errno: -EINVAL
 * where there is no such process, -EAGAIN where the caller has as many as RLIMIT_SIGPENDING allows.
 */
int pm_cpu_timer_create(int32_t pid, int signal, int32_t token, pm_cpu_timer *out);
/* Arms it: one signal once the process has used so many nanoseconds more. 0, or -errno: -ESRCH once it is
 * gone. */
int pm_cpu_timer_arm(pm_cpu_timer timer, uint64_t nanoseconds);
/* Deletes it; a signal that was sent may still be read. */
void pm_cpu_timer_delete(pm_cpu_timer timer);

#endif
