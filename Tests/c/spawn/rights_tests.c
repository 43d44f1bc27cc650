/* Descriptors that others send: refused by the kernel, or closed where nobody waits for it. */
#define _GNU_SOURCE
#include "cpmlinux.h"
#include "harness.h"
#include "rig.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PASSRIGHTS 83
/* What must not wait may take so long on a busy machine, seconds; a close that lingers takes an hour. */
#define PROMPT_S 20

/* Sends a message with a descriptor whose close blocks, which is this process's no more. Gives what sendmsg
 * said. */
static int send_lingering(int socket, const char *text) {
    const int fd = lingering_socket();
    const pm_piece piece = {text, strlen(text)};
    const int sent = pm_packet_send(socket, &(pm_packet){&piece, 1, &fd, 1});
    if (sent < 0) {
        /* Not sent, so it is still ours to close, and that without waiting. */
        const struct linger none = {.l_onoff = 1, .l_linger = 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    }
    close(fd);
    return sent;
}

static bool is_refusing_kernel(void) {
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const int result = pm_socket_refuse_rights(ends[0]);
    CHECK(result == 0 || result == -ENOPROTOOPT);
    close(ends[0]);
    close(ends[1]);
    return result == 0;
}

/* The processes that take and close end, too: nothing lingers. Then without closing what would. */
__attribute__((noreturn)) static void finish(void) {
    while (wait(NULL) > 0 || errno == EINTR) {
    }
    _exit(0);
}

static void kernel_refuses_descriptors(void) {
    char path[96];
    if (!is_refusing_kernel())
        skip("no SO_PASSRIGHTS here (Linux 6.16)");
    snprintf(path, sizeof path, "%s/socket", scratch());
    int listener = pm_socket_listen(path, 4), client = pm_socket_connect(path);
    /* Before anybody accepted. */
    CHECK_EQUAL(send_lingering(client, "hello"), -EPERM);
    int server = pm_socket_accept(listener);
    CHECK(listener >= 0 && client >= 0 && server >= 0);
    CHECK_EQUAL(send_lingering(client, "hello"), -EPERM);
    CHECK_EQUAL(send_lingering(server, "hello"), -EPERM);
    int sender, notify = notify_socket(&sender);
    CHECK_EQUAL(send_lingering(sender, "FDSTORE=1"), -EPERM);
    close(notify), close(sender), close(server), close(client), close(listener);
    _exit(0); /* what lingers is closed with the process, which does not wait */
}

/* As on a kernel before 6.16. The alarm ends a test that waits. */
static void begin_on_old_kernel(void) {
    int ends[2];
    forbid_option(PASSRIGHTS);
    alarm(PROMPT_S);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    CHECK_EQUAL(pm_socket_refuse_rights(ends[0]), -ENOPROTOOPT);
    close(ends[0]);
    close(ends[1]);
}

static void reading_closes_nothing_that_was_sent(void) {
    char text[16];
    int ends[2];
    begin_on_old_kernel();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    CHECK_EQUAL(pm_socket_read(ends[0], text, sizeof text), -EAGAIN);
    CHECK_EQUAL(send(ends[1], "plain", 5, 0), 5);
    CHECK_EQUAL(send_lingering(ends[1], "first"), 5);
    CHECK_EQUAL(send(ends[1], "second", 6, 0), 6);
    const int before = open_descriptors();
    CHECK_EQUAL(pm_socket_read(ends[0], text, sizeof text), 10);
    CHECK(memcmp(text, "plainfirst", 10) == 0);
    CHECK_EQUAL(pm_socket_read(ends[0], text, sizeof text), 6);
    CHECK(memcmp(text, "second", 6) == 0);
    CHECK_EQUAL(open_descriptors(), before);
    close(ends[1]);
    CHECK_EQUAL(pm_socket_read(ends[0], text, sizeof text), 0);
    int pipe_end, write_end;
    CHECK_EQUAL(pm_pipe_create(&pipe_end, &write_end), 0);
    CHECK_EQUAL(write(write_end, "pipe", 4), 4);
    CHECK_EQUAL(pm_socket_read(pipe_end, text, sizeof text), 4);
    finish();
}

static void a_part_of_a_message_comes_once(void) {
    char text[3];
    int ends[2];
    begin_on_old_kernel();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    CHECK_EQUAL(send_lingering(ends[1], "abcdefg"), 7);
    CHECK_EQUAL(pm_socket_read(ends[0], text, 3), 3);
    CHECK(memcmp(text, "abc", 3) == 0);
    CHECK_EQUAL(pm_socket_read(ends[0], text, 3), 3);
    CHECK(memcmp(text, "def", 3) == 0);
    CHECK_EQUAL(pm_socket_read(ends[0], text, 3), 1);
    CHECK(text[0] == 'g');
    finish();
}

static void notify_socket_closes_nothing_that_was_sent(void) {
    char text[16];
    pm_peer sender;
    begin_on_old_kernel();
    int client, fd = notify_socket(&client);
    CHECK_EQUAL(send_lingering(client, "FDSTORE=1"), 9);
    CHECK_EQUAL(send(client, "READY=1", 7, 0), 7);
    CHECK_EQUAL(send_lingering(client, "a message that is too long"), 26);
    CHECK_EQUAL(send_lingering(client, ""), 0);
    const int before = open_descriptors();
    CHECK_EQUAL(pm_notify_receive(fd, text, sizeof text, &sender), 9);
    CHECK_EQUAL(sender.pid, getpid());
    CHECK_EQUAL(pm_notify_receive(fd, text, sizeof text, &sender), 7);
    CHECK_EQUAL(pm_notify_receive(fd, text, sizeof text, &sender), -EMSGSIZE);
    CHECK_EQUAL(pm_notify_receive(fd, text, sizeof text, &sender), 0);
    CHECK_EQUAL(pm_notify_receive(fd, text, sizeof text, &sender), -EAGAIN);
    CHECK_EQUAL(open_descriptors(), before);
    finish();
}

static void ending_a_connection_closes_nothing_that_was_sent(void) {
    int ends[2];
    begin_on_old_kernel();
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    for (int i = 0; i < 8; i++) {
        CHECK_EQUAL(send(ends[1], "plain", 5, 0), 5);
        CHECK_EQUAL(send_lingering(ends[1], "x"), 1);
    }
    pm_socket_end(ends[0]);
    close(ends[0]);
    finish();
}

static void discarded_descriptors_are_closed_elsewhere(void) {
    int lingering = lingering_socket(), ends[2], write_end;
    alarm(PROMPT_S);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int read_end = make_pipe(&write_end);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const int another = lingering_socket();
    CHECK_EQUAL(pm_packet_send(ends[0], &(pm_packet){&(pm_piece){"x", 1}, 1, &another, 1}), 1);
    const int before = open_descriptors();
    pm_fd_discard((const int[]){lingering, -1, write_end, ends[1]}, 4);
    CHECK_EQUAL(open_descriptors(), before - 3);
    /* Really closed, by everybody. */
    CHECK_TEXT(read_all(read_end), "");
    struct pollfd end = {.fd = ends[0], .events = POLLIN};
    CHECK(poll(&end, 1, PATIENCE_MS) == 1 && (end.revents & POLLHUP) != 0);
    finish();
}

/* pmd is not trusted: what it sends along with nonsense is closed by pm-init. */
static void init_closes_what_pmd_sent_elsewhere(void) {
    rig r;
    message m;
    rig_serve(&r, NULL);
    const pm_message nonsense = {.type = 4711, .size = sizeof nonsense};
    const int fd = lingering_socket();
    send_raw(&r, &(raw_packet){&nonsense, sizeof nonsense, &fd, 1});
    const pm_message hold = {.type = PM_HOLD, .size = sizeof hold + sizeof(pm_name)};
    struct {
        pm_message header;
        pm_name name;
    } named = {hold, {"x"}};
    send_raw(&r, &(raw_packet){&named, sizeof named, &fd, 1});
    const int other = lingering_socket();
    send_raw(&r, &(raw_packet){&named, sizeof named, &other, 1}); /* replaces the one before */
    /* With ours gone pm-init's are the last. */
    const struct linger hour = {.l_onoff = 1, .l_linger = 3600};
    CHECK_EQUAL(setsockopt(other, SOL_SOCKET, SO_LINGER, &hour, sizeof hour), 0);
    pid_t child = spawn_child(&r, 1, &(child_spec){.role = "wait"});
    CHECK(child > 0);
    send_signal(&r, 1, SIGKILL, PM_SCOPE_TREE);
    expect(&r, PM_TREE, 1, &m);
    expect(&r, PM_EXITED, 1, &m);
    CHECK_EQUAL(rig_stop(&r), 0);
    finish();
}

const test rights_tests[] = {
    {"rights: kernel refuses descriptors", kernel_refuses_descriptors},
    {"rights: reading closes nothing that was sent", reading_closes_nothing_that_was_sent},
    {"rights: a part of a message comes once", a_part_of_a_message_comes_once},
    {"rights: notify socket closes nothing that was sent", notify_socket_closes_nothing_that_was_sent},
    {"rights: ending a connection closes nothing that was sent",
     ending_a_connection_closes_nothing_that_was_sent},
    {"rights: discarded descriptors are closed elsewhere", discarded_descriptors_are_closed_elsewhere},
    {"rights: init closes what pmd sent elsewhere", init_closes_what_pmd_sent_elsewhere},
    {NULL, NULL},
};
