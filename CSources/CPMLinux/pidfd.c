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

/* PF_EXITING of the kernel's flags word, field 9 of proc_pid_stat(5). */
#define PROCESS_FLAG_EXITING 4u

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

/* The number after *at, which goes on to the character behind it; 0 where there is none. */
static uint64_t next_number(const char **at) {
    uint64_t number = 0;
    while (**at == ' ')
        ++*at;
    bool negative = **at == '-';
    *at += negative;
    for (; **at >= '0' && **at <= '9'; ++*at)
        number = number * 10 + (uint64_t)(**at - '0');
    return negative ? -number : number;
}

static int64_t read_stat(int pid, char *text, size_t capacity) {
    char path[32];
    stat_path(pid, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int64_t size = pm_fd_read(fd, text, capacity - 1);
    close(fd);
    text[size > 0 ? size : 0] = '\0';
    return size;
}

int pm_process_read(int pid, pm_process *out) {
    char text[1024];
    int64_t size = read_stat(pid, text, sizeof text);
    if (size <= 0)
        return size < 0 ? (int)size : -ESRCH;
    /* The command name, field 2, may hold anything, also ") 1 2"; the last ')' ends it. */
    const char *at = strrchr(text, ')');
    if (at == NULL || at[1] != ' ' || at[2] == '\0')
        return -EBADMSG;
    *out = (pm_process){.pid = pid, .state = at[2]};
    at += 3;
    out->parent = (int32_t)next_number(&at);
    out->group = (int32_t)next_number(&at);
    out->session = (int32_t)next_number(&at);
    next_number(&at); /* 7: terminal */
    next_number(&at); /* 8: its foreground group */
    out->is_ending = (next_number(&at) & PROCESS_FLAG_EXITING) != 0;
    for (int field = 10; field < 14; field++)
        next_number(&at);
    out->cpu_ticks = next_number(&at);
    out->cpu_ticks += next_number(&at);
    for (int field = 16; field < 22; field++)
        next_number(&at);
    out->start_ticks = next_number(&at);
    return 0;
}
