/* Packets with descriptors, and processes by pidfd and /proc. */
#define _GNU_SOURCE
#include "cpmlinux.h"
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void open_pair(int *one, int *other) {
    CHECK_EQUAL(pm_socket_pair(PM_SOCKET_SEQPACKET, one, other), 0);
}

static void packets_carry_pieces_and_descriptors(void) {
    int one, other, fds[4];
    size_t count = 9;
    char buffer[64];
    open_pair(&one, &other);
    const pm_piece pieces[] = {{"head", 4}, {NULL, 0}, {"tail", 4}};
    CHECK_EQUAL(pm_packet_send(one, &(pm_packet){pieces, 3, (const int[]){0, 2}, 2}), 8);
    CHECK_EQUAL(pm_packet_receive(other, &(pm_packet_space){buffer, sizeof buffer, fds, 4}, &count), 8);
    CHECK(memcmp(buffer, "headtail", 8) == 0);
    CHECK_EQUAL(count, 2);
    for (int i = 0; i < 2; i++) {
        CHECK((fcntl(fds[i], F_GETFD) & FD_CLOEXEC) != 0);
        close(fds[i]);
    }
    CHECK_EQUAL(pm_packet_receive(other, &(pm_packet_space){buffer, sizeof buffer, fds, 4}, &count), -EAGAIN);
    CHECK_EQUAL(count, 0);
    close(one);
    CHECK_EQUAL(pm_packet_receive(other, &(pm_packet_space){buffer, sizeof buffer, fds, 4}, &count), 0);
    CHECK_EQUAL(pm_packet_send(other, &(pm_packet){pieces, 1, NULL, 0}), -EPIPE);
    close(other);
}

static void packets_are_not_lost_with_unread_answers(void) {
    int one, other, fds[1];
    size_t count;
    char buffer[8];
    open_pair(&one, &other);
    const pm_piece answer = {"answer", 6}, last = {"last", 4};
    CHECK_EQUAL(pm_packet_send(other, &(pm_packet){&answer, 1, NULL, 0}), 6);
    CHECK_EQUAL(pm_packet_send(one, &(pm_packet){&last, 1, NULL, 0}), 4);
    close(one);
    CHECK_EQUAL(pm_packet_receive(other, &(pm_packet_space){buffer, sizeof buffer, fds, 1}, &count), 4);
    CHECK(memcmp(buffer, "last", 4) == 0);
    CHECK_EQUAL(pm_packet_receive(other, &(pm_packet_space){buffer, sizeof buffer, fds, 1}, &count), 0);
    close(other);
}

static void packets_that_cannot_be_taken_leave_no_descriptor(void) {
    int one, other, fds[2];
    size_t count;
    char buffer[8];
    open_pair(&one, &other);
    int before = open_descriptors();
    const pm_piece longer = {"0123456789", 10}, fits = {"01234567", 8};
    CHECK_EQUAL(pm_packet_send(one, &(pm_packet){&longer, 1, (const int[]){0, 1}, 2}), 10);
    CHECK_EQUAL(pm_packet_receive(other, &(pm_packet_space){buffer, sizeof buffer, fds, 2}, &count),
                -EMSGSIZE);
    CHECK(memcmp(buffer, "01234567", 8) == 0);
    CHECK_EQUAL(pm_packet_send(one, &(pm_packet){&fits, 1, (const int[]){0, 1, 2}, 3}), 8);
    CHECK_EQUAL(pm_packet_receive(other, &(pm_packet_space){buffer, sizeof buffer, fds, 2}, &count), -E2BIG);
    CHECK_EQUAL(count, 0);
    CHECK_EQUAL(send(one, "", 0, 0), 0);
    CHECK_EQUAL(pm_packet_receive(other, &(pm_packet_space){buffer, sizeof buffer, fds, 2}, &count),
                -EBADMSG);
    CHECK_EQUAL(open_descriptors(), before);
    close(one);
    close(other);
}

static void packets_tell_lost_descriptors(void) {
    int one, other, fds[8];
    size_t count;
    char buffer[8];
    open_pair(&one, &other);
    const pm_piece piece = {"x", 1};
    CHECK_EQUAL(pm_packet_send(one, &(pm_packet){&piece, 1, (const int[]){0, 1, 2, 0}, 4}), 1);
    struct rlimit limit, low;
    getrlimit(RLIMIT_NOFILE, &limit);
    int next = dup(0);
    close(next);
    low = (struct rlimit){.rlim_cur = (rlim_t)next + 2, .rlim_max = limit.rlim_max};
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &low), 0);
    CHECK_EQUAL(pm_packet_receive(other, &(pm_packet_space){buffer, sizeof buffer, fds, 8}, &count), -EMFILE);
    CHECK_EQUAL(dup(0), next); /* the ones that did arrive were closed */
    close(next);
    setrlimit(RLIMIT_NOFILE, &limit);
    close(one);
    close(other);
}

static void packets_never_block(void) {
    int one, other;
    static char block[32768];
    const pm_piece piece = {block, sizeof block};
    open_pair(&one, &other);
    int sent = 0, result;
    while ((result = pm_packet_send(one, &(pm_packet){&piece, 1, NULL, 0})) > 0)
        sent++;
    CHECK(sent > 0);
    CHECK_EQUAL(result, -EAGAIN);
    CHECK_EQUAL(pm_packet_send(one, &(pm_packet){&piece, PM_PACKET_PIECES_MAX + 1, NULL, 0}), -EINVAL);
    CHECK_EQUAL(pm_packet_send(one, &(pm_packet){&piece, 1, &one, PM_PACKET_FDS_MAX + 1}), -EINVAL);
    close(one);
    close(other);
}

static void pidfd_signals_and_reaps(void) {
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    int pidfd = pm_pidfd_open(pid);
    CHECK(pidfd >= 0);
    CHECK_EQUAL(pm_pidfd_reap(pidfd, &status, NULL), -EAGAIN);
    CHECK_EQUAL(pm_pidfd_signal(pidfd, 0), 0);
    CHECK_EQUAL(pm_pidfd_signal(pidfd, SIGKILL), 0);
    wait_readable(pidfd);
    CHECK_EQUAL(pm_pidfd_reap(pidfd, &status, NULL), 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK_EQUAL(pm_pidfd_signal(pidfd, SIGTERM), -ESRCH);
    close(pidfd);
    CHECK_EQUAL(pm_pidfd_open(pid), -ESRCH);
}

static void process_is_read_past_a_hostile_name(void) {
    pm_process before, after, child;
    CHECK_EQUAL(pm_process_read(getpid(), &before), 0);
    prctl(PR_SET_NAME, ") Z 1 1 (1");
    CHECK_EQUAL(pm_process_read(getpid(), &after), 0);
    CHECK(after.parent == getppid() && after.group == getpgrp() && after.session == getsid(0));
    CHECK(after.state == 'R' && after.start_ticks == before.start_ticks && after.start_ticks > 0);
    CHECK_EQUAL(pm_process_read(1 << 29, &after), -ENOENT);
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    siginfo_t info;
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
    CHECK_EQUAL(pm_process_read(pid, &child), 0);
    CHECK(child.state == 'Z' && child.parent == getpid());
    waitpid(pid, NULL, 0);
}

const test process_tests[] = {
    {"packets carry pieces and descriptors", packets_carry_pieces_and_descriptors},
    {"no packet is lost with unread answers", packets_are_not_lost_with_unread_answers},
    {"packets that cannot be taken leave no descriptor", packets_that_cannot_be_taken_leave_no_descriptor},
    {"packets tell lost descriptors", packets_tell_lost_descriptors},
    {"packets never block", packets_never_block},
    {"pidfd signals and reaps", pidfd_signals_and_reaps},
    {"process is read past a hostile name", process_is_read_past_a_hostile_name},
    {NULL, NULL},
};
