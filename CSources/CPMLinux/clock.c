#define _GNU_SOURCE
#include "include/pm_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_clock(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t pm_clock_read(pm_clock clock) {
    static const clockid_t ids[] = {
        [PM_CLOCK_MONOTONIC] = CLOCK_MONOTONIC,
        [PM_CLOCK_BOOTTIME] = CLOCK_BOOTTIME,
        [PM_CLOCK_REALTIME] = CLOCK_REALTIME,
    };
    return read_clock(ids[clock]);
}

uint64_t pm_clock_monotonic(void) {
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t pm_clock_ticks(void) {
    return read_clock(CLOCK_BOOTTIME) / (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

uint64_t pm_clock_realtime(void) {
    return read_clock(CLOCK_REALTIME);
}

int pm_clock_waits_open(void) {
    int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int64_t pm_clock_waited(int fd) {
    /* Time on a processor, time of waiting for one, number of times (sched-stats.rst of the kernel). */
    char text[80];
    ssize_t size = pread(fd, text, sizeof text - 1, 0);
    if (size < 0)
        return -errno;
    text[size] = '\0';
    char *rest;
    strtoull(text, &rest, 10);
    return (int64_t)strtoull(rest, NULL, 10);
}

/* What glibc before 2.39 has no name for. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

int pm_cpu_timer_create(int32_t pid, int signal, int32_t token, pm_cpu_timer *out) {
    clockid_t clock;
    int error = clock_getcpuclockid(pid, &clock);
    if (error != 0)
        return -error;
    struct sigevent event = {
        .sigev_notify = SIGEV_THREAD_ID,
        .sigev_signo = signal,
        .sigev_value = {.sival_int = token},
    };
    event.sigev_notify_thread_id = gettid();
    timer_t timer;
    if (timer_create(clock, &event, &timer) < 0)
        return -errno;
    out->handle = (uintptr_t)timer;
    return 0;
}

int pm_cpu_timer_arm(pm_cpu_timer timer, uint64_t nanoseconds) {
    struct itimerspec when = {
        .it_value =
            {
                .tv_sec = (time_t)(nanoseconds / 1000000000u),
                .tv_nsec = (long)(nanoseconds % 1000000000u),
            },
    };
    return timer_settime((timer_t)timer.handle, 0, &when, NULL) < 0 ? -errno : 0;
}

void pm_cpu_timer_delete(pm_cpu_timer timer) {
    timer_delete((timer_t)timer.handle);
}
