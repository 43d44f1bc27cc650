#define _GNU_SOURCE
#include "include/pm_file.h"
#include "include/pm_pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

int pm_pidfd_open(int pid) {
    long fd = syscall(SYS_pidfd_open, pid, 0); /* close-on-exec by definition (pidfd_open(2)) */
    return fd < 0 ? -errno : (int)fd;
}

int pm_pidfd_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

/* waitid splits what wait(2) packs into one word. */
static int packed_status(const siginfo_t *info) {
    switch (info->si_code) {
    case CLD_EXITED: return (info->si_status & 0xff) << 8;
    case CLD_DUMPED: return info->si_status | 0x80;
    default: return info->si_status;
    }
}

int pm_pidfd_reap(int pidfd, int *wait_status, pm_usage *usage) {
    siginfo_t info = {0};
    struct rusage used = {0};
    /* The C library's waitid hides the fifth argument. */
    if (syscall(SYS_waitid, P_PIDFD, pidfd, &info, WEXITED | WNOHANG, &used) < 0)
        return -errno;
    if (info.si_pid == 0)
        return -EAGAIN;
    *wait_status = packed_status(&info);
    if (usage != NULL)
        *usage = (pm_usage){
            .user_us = (uint64_t)used.ru_utime.tv_sec * 1000000u + (uint64_t)used.ru_utime.tv_usec,
            .system_us = (uint64_t)used.ru_stime.tv_sec * 1000000u + (uint64_t)used.ru_stime.tv_usec,
            .max_rss_kb = (uint64_t)used.ru_maxrss,
        };
    return 0;
}

/* Writes "/proc/<pid>/stat"; without stdio, for pm-init has none. */
static void stat_path(int pid, char *path) {
    char digits[12];
    size_t n = 0;
    for (unsigned rest = (unsigned)pid; rest > 0 || n == 0; rest /= 10)
        digits[n++] = (char)('0' + rest % 10);
    path = mempcpy(path, "/proc/", 6);
    while (n > 0)
        *path++ = digits[--n];
    memcpy(path, "/stat", 6);
}

int pm_process_read(int pid, pm_process *out) {
    char path[32], text[1024];
    stat_path(pid, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int64_t size = pm_fd_read(fd, text, sizeof text);
    close(fd);
    if (size <= 0)
        return size < 0 ? (int)size : -ESRCH;
    return pm_process_parse(pid, text, (size_t)size, out);
}

int pm_process_set_open_files(int pid, uint64_t count) {
    const struct rlimit limit = {.rlim_cur = count, .rlim_max = count};
    return prlimit(pid, RLIMIT_NOFILE, &limit, NULL) == 0 ? 0 : -errno;
}
