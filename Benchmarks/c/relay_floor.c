/*
 * relay_floor LISTEN TARGET: the floor of a relay. For each connection at LISTEN it opens one to TARGET and
 * copies bytes both ways, with one read and one write for each event (epoll(7)).
 */
#define _GNU_SOURCE
#include "bench.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER (1 << 16)
#define DESCRIPTORS 4096

static int other[DESCRIPTORS];

static void watch(int epoll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd >= DESCRIPTORS || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        bench_die("epoll_ctl");
}

static void copy(int from) {
    static char bytes[BUFFER];
    ssize_t got = read(from, bytes, sizeof bytes);
    if (got > 0) {
        bench_write(other[from], bytes, (size_t)got);
        return;
    }
    close(other[from]);
    close(from);
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 64;
    int epoll = epoll_create1(EPOLL_CLOEXEC), listener = bench_listen(argv[1]);
    signal(SIGPIPE, SIG_IGN);
    watch(epoll, listener);
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd != listener) {
                copy(events[i].data.fd);
                continue;
            }
            int near = accept4(listener, NULL, NULL, SOCK_CLOEXEC), far = bench_connect(argv[2]);
            other[near] = far;
            other[far] = near;
            watch(epoll, near);
            watch(epoll, far);
        }
    }
}
