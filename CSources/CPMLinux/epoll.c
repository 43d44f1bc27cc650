#define _GNU_SOURCE
#include "include/pm_epoll.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

_Static_assert(PM_EPOLL_IN == EPOLLIN && PM_EPOLL_PRI == EPOLLPRI && PM_EPOLL_OUT == EPOLLOUT, "epoll bits");
_Static_assert(PM_EPOLL_ERR == EPOLLERR && PM_EPOLL_HUP == EPOLLHUP && PM_EPOLL_RDHUP == EPOLLRDHUP,
               "epoll bits");
_Static_assert(PM_EPOLL_ONESHOT == EPOLLONESHOT && PM_EPOLL_EDGE == (uint32_t)EPOLLET, "epoll bits");

int pm_epoll_create(void) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int control(int epoll, int operation, int fd, struct epoll_event event) {
    return epoll_ctl(epoll, operation, fd, &event) < 0 ? -errno : 0;
}

int pm_epoll_add(int epoll, int fd, uint32_t events, uint64_t data) {
    return control(epoll, EPOLL_CTL_ADD, fd, (struct epoll_event){.events = events, .data.u64 = data});
}

int pm_epoll_modify(int epoll, int fd, uint32_t events, uint64_t data) {
    return control(epoll, EPOLL_CTL_MOD, fd, (struct epoll_event){.events = events, .data.u64 = data});
}

int pm_epoll_remove(int epoll, int fd) {
    return control(epoll, EPOLL_CTL_DEL, fd, (struct epoll_event){0});
}

/* Milliseconds, rounded up: waking a little late is a timer's right, waking early would spin. */
static int milliseconds(int64_t timeout_ns) {
    if (timeout_ns < 0)
        return -1;
    int64_t ms = timeout_ns / 1000000 + (timeout_ns % 1000000 != 0);
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

static int wait_events(int epoll, struct epoll_event *events, int count, int64_t timeout_ns) {
#ifdef SYS_epoll_pwait2
    struct timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    long n = syscall(SYS_epoll_pwait2, epoll, events, count, timeout_ns < 0 ? NULL : &timeout, NULL, 0);
    if (n >= 0 || (errno != ENOSYS && errno != EPERM))
        return n < 0 ? -errno : (int)n;
#endif
    int found = epoll_wait(epoll, events, count, milliseconds(timeout_ns));
    return found < 0 ? -errno : found;
}

int pm_epoll_wait(int epoll, pm_epoll_event *out, int capacity, int64_t timeout_ns) {
    struct epoll_event events[PM_EPOLL_BATCH];
    int n = wait_events(epoll, events, capacity < PM_EPOLL_BATCH ? capacity : PM_EPOLL_BATCH, timeout_ns);
    for (int i = 0; i < n; i++)
        out[i] = (pm_epoll_event){.data = events[i].data.u64, .events = events[i].events};
    return n;
}
