/* epoll, events, clocks, sockets, files. */
#define _GNU_SOURCE
#include "cpmlinux.h"
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void epoll_gives_data_and_events(void) {
    pm_epoll_event events[4];
    int epoll = pm_epoll_create(), event = pm_eventfd_create();
    CHECK(epoll >= 0 && event >= 0);
    CHECK_EQUAL(pm_epoll_add(epoll, event, PM_EPOLL_IN, UINT64_MAX - 5), 0);
    CHECK_EQUAL(pm_epoll_add(epoll, event, PM_EPOLL_IN, 1), -EEXIST);
    CHECK_EQUAL(pm_epoll_wait(epoll, events, 4, 0), 0);
    CHECK_EQUAL(pm_eventfd_signal(event), 0);
    CHECK_EQUAL(pm_epoll_wait(epoll, events, 4, -1), 1);
    CHECK(events[0].data == UINT64_MAX - 5 && events[0].events == PM_EPOLL_IN);
    CHECK_EQUAL(pm_epoll_modify(epoll, event, PM_EPOLL_OUT, 7), 0);
    CHECK_EQUAL(pm_epoll_wait(epoll, events, 4, -1), 1);
    CHECK(events[0].data == 7 && events[0].events == PM_EPOLL_OUT);
    CHECK_EQUAL(pm_epoll_remove(epoll, event), 0);
    CHECK_EQUAL(pm_epoll_wait(epoll, events, 4, 1000), 0);
    CHECK_EQUAL(pm_epoll_remove(epoll, event), -ENOENT);
    close(event);
    close(epoll);
}

static void epoll_waits_no_shorter_than_told(void) {
    pm_epoll_event event;
    int epoll = pm_epoll_create();
    uint64_t start = pm_clock_read(PM_CLOCK_MONOTONIC);
    CHECK_EQUAL(pm_epoll_wait(epoll, &event, 1, 3000000), 0);
    CHECK(pm_clock_read(PM_CLOCK_MONOTONIC) - start >= 3000000);
    close(epoll);
}

static void eventfd_counts_once(void) {
    int fd = pm_eventfd_create();
    CHECK_EQUAL(pm_eventfd_drain(fd), 0);
    CHECK_EQUAL(pm_eventfd_signal(fd), 0);
    CHECK_EQUAL(pm_eventfd_signal(fd), 0);
    CHECK_EQUAL(pm_eventfd_drain(fd), 1);
    CHECK_EQUAL(pm_eventfd_drain(fd), 0);
    close(fd);
    CHECK_EQUAL(pm_eventfd_drain(fd), -EBADF);
}

static void signalfd_reads_blocked_signals(void) {
    static const int signals[] = {SIGTERM, SIGUSR1};
    pm_signal_info info;
    int fd = pm_signalfd_create(signals, 2);
    CHECK(fd >= 0);
    CHECK_EQUAL(pm_signalfd_read(fd, &info), 0);
    kill(getpid(), SIGUSR1);
    wait_readable(fd);
    CHECK_EQUAL(pm_signalfd_read(fd, &info), 1);
    CHECK(info.signal == SIGUSR1 && info.pid == getpid());
    close(fd);
    CHECK_EQUAL(pm_signalfd_create((const int[]){9999}, 1), -EINVAL);
}

static void clocks_agree_with_the_kernel(void) {
    CHECK(pm_clock_realtime() > 1700000000ull * 1000000000ull);
    uint64_t monotonic = pm_clock_read(PM_CLOCK_MONOTONIC);
    CHECK(pm_clock_read(PM_CLOCK_BOOTTIME) >= monotonic);
    uint64_t wall = pm_clock_read(PM_CLOCK_REALTIME);
    CHECK(pm_clock_realtime() - wall < 1000000000);
}

static void sockets_connect_and_name_the_peer(void) {
    char path[96];
    pm_peer peer;
    snprintf(path, sizeof path, "%s/s", scratch());
    CHECK_EQUAL(pm_socket_connect(path), -ENOENT);
    int listener = pm_socket_listen(path, 4);
    CHECK(listener >= 0);
    CHECK_EQUAL(pm_socket_listen(path, 4), -EADDRINUSE);
    CHECK_EQUAL(pm_socket_accept(listener), -EAGAIN);
    int client = pm_socket_connect(path), server = pm_socket_accept(listener);
    CHECK(client >= 0 && server >= 0);
    CHECK_EQUAL(pm_socket_peer(server, &peer), 0);
    CHECK(peer.pid == getpid() && peer.uid == getuid() && peer.gid == getgid());
    CHECK((fcntl(server, F_GETFL) & O_NONBLOCK) != 0 && (fcntl(server, F_GETFD) & FD_CLOEXEC) != 0);
    close(client);
    close(server);
    close(listener);
    CHECK_EQUAL(pm_socket_connect(path), -ECONNREFUSED);
}

static void sockets_refuse_a_path_that_does_not_fit(void) {
    char path[200];
    memset(path, 'x', sizeof path);
    path[PM_SOCKET_PATH_MAX + 1] = '\0';
    CHECK_EQUAL(pm_socket_listen(path, 1), -ENAMETOOLONG);
    CHECK_EQUAL(pm_socket_connect(path), -ENAMETOOLONG);
    CHECK_EQUAL(pm_socket_connect(""), -EINVAL);
}

static void notify_receives_message_and_sender(void) {
    char text[16];
    pm_peer sender;
    int client, fd = notify_socket(&client);
    CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK_EQUAL(pm_notify_receive(fd, text, sizeof text, &sender), -EAGAIN);
    CHECK_EQUAL(send(client, "READY=1", 7, 0), 7);
    CHECK_EQUAL(pm_notify_receive(fd, text, sizeof text, &sender), 7);
    CHECK(memcmp(text, "READY=1", 7) == 0);
    CHECK(sender.pid == getpid() && sender.uid == getuid());
    CHECK_EQUAL(send(client, "this is much too long", 21, 0), 21);
    CHECK_EQUAL(pm_notify_receive(fd, text, sizeof text, &sender), -EMSGSIZE);
    CHECK_EQUAL(send(client, "", 0, 0), 0);
    CHECK_EQUAL(pm_notify_receive(fd, text, sizeof text, &sender), 0);
    close(client);
    close(fd);
}

static void pipes_and_flags(void) {
    int read_end, write_end;
    char byte;
    CHECK_EQUAL(pm_pipe_create(&read_end, &write_end), 0);
    CHECK((fcntl(read_end, F_GETFD) & fcntl(write_end, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK_EQUAL(pm_fd_set_nonblocking(read_end, true), 0);
    CHECK_EQUAL(pm_fd_read(read_end, &byte, 1), -EAGAIN);
    CHECK_EQUAL(pm_fd_write(write_end, "x", 1), 1);
    CHECK_EQUAL(pm_fd_read(read_end, &byte, 1), 1);
    CHECK_EQUAL(pm_fd_set_cloexec(read_end, false), 0);
    CHECK_EQUAL(fcntl(read_end, F_GETFD), 0);
    int high = pm_fd_duplicate(read_end, 100);
    CHECK(high >= 100 && (fcntl(high, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK_EQUAL(pm_fd_close_range((unsigned)high, (unsigned)high), 0);
    CHECK_EQUAL(fcntl(high, F_GETFD), -1);
    pm_fd_close(-1);
    close(read_end);
    close(write_end);
}

static void locks_exclude_each_other(void) {
    char path[96];
    snprintf(path, sizeof path, "%s/lock", scratch());
    int one = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), other = open(path, O_RDWR | O_CLOEXEC);
    CHECK_EQUAL(pm_lock_exclusive(one), 0);
    CHECK_EQUAL(pm_lock_exclusive(other), -EWOULDBLOCK);
    close(one);
    CHECK_EQUAL(pm_lock_exclusive(other), 0);
    close(other);
}

static void touch(const char *path, const char *content) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK_EQUAL(write(fd, content, strlen(content)), (int)strlen(content));
    close(fd);
}

static void files_are_swapped(void) {
    char a[96], b[96];
    snprintf(a, sizeof a, "%s/a", scratch());
    snprintf(b, sizeof b, "%s/b", scratch());
    touch(a, "one");
    touch(b, "two");
    CHECK_EQUAL(pm_rename_exchange(a, b), 0);
    int fd = open(a, O_RDONLY | O_CLOEXEC);
    CHECK_TEXT(read_all(fd), "two");
    close(fd);
    fd = open(b, O_RDONLY | O_CLOEXEC);
    CHECK_TEXT(read_all(fd), "one");
    close(fd);
}

static void memfd_can_be_sealed(void) {
    int fd = pm_memfd_create("test");
    CHECK(fd >= 0);
    CHECK_EQUAL(pm_fd_write(fd, "abc", 3), 3);
    CHECK_EQUAL(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    CHECK_EQUAL(pm_fd_write(fd, "abc", 3), -EPERM);
    close(fd);
}

static void reserved_room_leaves_the_length(void) {
    int fd = pm_memfd_create("test"), ends[2];
    struct stat status;
    CHECK_EQUAL(pm_file_reserve(fd, 1 << 20), 0);
    CHECK_EQUAL(fstat(fd, &status), 0);
    CHECK_EQUAL(status.st_size, 0);
    CHECK(status.st_blocks >= 1 << 11);
    close(fd);
    CHECK_EQUAL(pipe2(ends, O_CLOEXEC), 0);
    CHECK_EQUAL(pm_file_reserve(ends[1], 1), -ESPIPE);
    close(ends[0]);
    close(ends[1]);
}

static void mutex_is_taken_again(void) {
    pm_mutex *mutex = pm_mutex_create();
    CHECK(mutex != NULL);
    pm_mutex_lock(mutex);
    pm_mutex_unlock(mutex);
    pm_mutex_lock(mutex);
    pm_mutex_unlock(mutex);
}

const test shim_tests[] = {
    {"epoll gives data and events", epoll_gives_data_and_events},
    {"epoll waits no shorter than told", epoll_waits_no_shorter_than_told},
    {"eventfd counts once", eventfd_counts_once},
    {"signalfd reads blocked signals", signalfd_reads_blocked_signals},
    {"clocks agree with the kernel", clocks_agree_with_the_kernel},
    {"sockets connect and name the peer", sockets_connect_and_name_the_peer},
    {"sockets refuse a path that does not fit", sockets_refuse_a_path_that_does_not_fit},
    {"notify receives message and sender", notify_receives_message_and_sender},
    {"pipes and flags", pipes_and_flags},
    {"locks exclude each other", locks_exclude_each_other},
    {"files are swapped", files_are_swapped},
    {"memfd can be sealed", memfd_can_be_sealed},
    {"reserved room leaves the length", reserved_room_leaves_the_length},
    {"mutex is taken again", mutex_is_taken_again},
    {NULL, NULL},
};
