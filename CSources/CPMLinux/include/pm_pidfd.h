/* Processes by descriptor: a pidfd names one process for ever, a pid only until it is reaped. */
#ifndef PM_PIDFD_H
#define PM_PIDFD_H

#include "control.h"
#include "pm_base.h"

PM_NONNULL_BEGIN

/* A pidfd, readable once the process has ended; owned by the caller, or -errno (-ESRCH: no such process). */
int pm_pidfd_open(int pid);
/* Sends a signal; 0 only asks whether the process is there. 0 or -errno. */
int pm_pidfd_signal(int pidfd, int signal);
/* Reaps a child that has ended, without waiting: 0, -EAGAIN while it runs, -ECHILD when it is not ours to
 * reap. wait_status is as wait(2) gives it. */
int pm_pidfd_reap(int pidfd, int *wait_status, pm_usage *PM_NULLABLE usage);
/* Start time of a process, /proc/PID/stat field 22 (clock ticks since boot). 0 or -errno. */
int pm_process_start_ticks(int pid, uint64_t *out);

PM_NONNULL_END

#endif
