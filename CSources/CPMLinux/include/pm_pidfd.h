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
/* What /proc/PID/stat says of a process. */
typedef struct {
    int32_t pid;
    int32_t parent;
    int32_t group;
    int32_t session;
    int32_t state;     /* a letter of proc(5): R S D T t Z X I; 'Z' and 'X' are dead */
    int32_t is_ending; /* 1 from the start of its exit: its memory and environment are gone, its children soon
                          another's */
    uint64_t cpu_ticks;   /* clock ticks it has spent on a processor, its kernel time included */
    uint64_t start_ticks; /* clock ticks since boot; with the pid, the process's identity */
} pm_process;

/* Reads the content of /proc/PID/stat, size bytes without a terminator, as that of pid. 0, or -EBADMSG when
 * it does not have all that pm_process holds: then nothing of it counts. */
int pm_process_parse(int pid, const char *text, size_t size, pm_process *out);
/* 0, or -errno: -ENOENT or -ESRCH when there is no such process, -ENOENT also without /proc. */
int pm_process_read(int pid, pm_process *out);

/* Sets how many files a process that runs may have open, soft and hard limit (prlimit(2)). 0 or -errno. */
int pm_process_set_open_files(int pid, uint64_t count);

PM_NONNULL_END

#endif
