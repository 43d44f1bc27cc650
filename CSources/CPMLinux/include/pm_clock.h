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

#endif
