#define _GNU_SOURCE
#include "include/pm_event.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

int pm_eventfd_create(void) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int pm_eventfd_signal(int fd) {
    uint64_t one = 1;
    /* EAGAIN: the counter is at its top, so the descriptor is readable already. */
    if (write(fd, &one, sizeof one) < 0 && errno != EAGAIN)
        return -errno;
    return 0;
}

/* eventfd and timerfd alike: eight bytes if there was something, EAGAIN if not. */
static int drain_counter(int fd) {
    uint64_t count;
    if (read(fd, &count, sizeof count) < 0)
        return errno == EAGAIN ? 0 : -errno;
    return 1;
}

int pm_eventfd_drain(int fd) {
    return drain_counter(fd);
}

int pm_signalfd_create(const int *signals, size_t count) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++)
        if (sigaddset(&set, signals[i]) < 0)
            return -errno;
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (error != 0)
        return -error;
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int pm_signalfd_read(int fd, pm_signal_info *out) {
    struct signalfd_siginfo info;
    if (read(fd, &info, sizeof info) < 0)
        return errno == EAGAIN ? 0 : -errno;
    *out = (pm_signal_info){
        .signal = (int32_t)info.ssi_signo,
        .pid = (int32_t)info.ssi_pid,
        .uid = info.ssi_uid,
        .status = info.ssi_status,
        .token = info.ssi_int,
    };
    return 1;
}
