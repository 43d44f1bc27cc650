/* Who holds the other end of a TCP connection within this machine. */
#define _GNU_SOURCE
#include "cpmlinux.h"
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define STRANGER 54321

typedef struct {
    int listener;
    struct sockaddr_storage address;
    socklen_t size;
} server;

static server listen_at(const char *text) {
    server s = {.size = sizeof(struct sockaddr_in)};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&s.address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&s.address;
    const bool is_six = strchr(text, ':') != NULL;
    s.address.ss_family = is_six ? AF_INET6 : AF_INET;
    CHECK_EQUAL(inet_pton(s.address.ss_family, text, is_six ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr),
                1);
    if (is_six)
        s.size = sizeof *v6;
    s.listener = socket(s.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s.listener < 0 || bind(s.listener, (struct sockaddr *)&s.address, s.size) < 0)
        skip("no such address here");
    CHECK_EQUAL(listen(s.listener, 8), 0);
    CHECK_EQUAL(getsockname(s.listener, (struct sockaddr *)&s.address, &s.size), 0);
    return s;
}

static pm_tcp_end end_of(const struct sockaddr_storage *address) {
    pm_tcp_end end = {.family = address->ss_family};
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        memcpy(end.address, &v4->sin_addr, 4);
        end.port = ntohs(v4->sin_port);
    } else {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        memcpy(end.address, &v6->sin6_addr, 16);
        end.port = ntohs(v6->sin6_port);
    }
    return end;
}

static int connect_to(const server *s) {
    const int fd = socket(s->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQUAL(connect(fd, (const struct sockaddr *)&s->address, s->size), 0);
    return fd;
}

/* Accepts a connection and asks who made it. */
static int owner(const server *s, int *accepted, uint32_t *uid) {
    struct sockaddr_storage peer, self;
    socklen_t size = sizeof peer;
    *accepted = accept4(s->listener, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC);
    CHECK(*accepted >= 0);
    size = sizeof self;
    CHECK_EQUAL(getsockname(*accepted, (struct sockaddr *)&self, &size), 0);
    const pm_tcp_end client = end_of(&peer), here = end_of(&self);
    return pm_tcp_owner(&client, &here, uid);
}

static void own_connection_is_ours(void) {
    static const char *const addresses[] = {"127.0.0.1", "::1", NULL};
    for (int i = 0; addresses[i] != NULL; i++) {
        const server s = listen_at(addresses[i]);
        const int before = open_descriptors(), client = connect_to(&s);
        uint32_t uid = 4711;
        int accepted;
        CHECK_EQUAL(owner(&s, &accepted, &uid), 0);
        CHECK_EQUAL(uid, geteuid());
        close(client);
        close(accepted);
        CHECK_EQUAL(open_descriptors(), before);
        close(s.listener);
    }
}

/* Connects as another user, says `word` on the pipe's behalf, and holds the connection until the pipe ends.
 */
static pid_t stranger(const server *s, int until, int (*open)(const server *)) {
    const pid_t pid = fork();
    if (pid != 0)
        return pid;
    char byte;
    if (setresuid(STRANGER, STRANGER, STRANGER) < 0)
        _exit(1);
    const int fd = open(s);
    while (read(until, &byte, 1) < 0 && errno == EINTR) {
    }
    close(fd);
    _exit(0);
}

static int connect_and_finish(const server *s) {
    const int fd = connect_to(s);
    CHECK_EQUAL(shutdown(fd, SHUT_WR), 0);
    return fd;
}

/* An IPv6 socket that speaks IPv4. */
static int connect_mapped(const server *s) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&s->address;
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = v4->sin_port};
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
    memcpy(&mapped.sin6_addr.s6_addr[12], &v4->sin_addr, 4);
    CHECK_EQUAL(connect(fd, (const struct sockaddr *)&mapped, sizeof mapped), 0);
    return fd;
}

/* One end for the stranger to wait on; it ends when the other one is closed. */
static void make_leash(int ends[2]) {
    CHECK_EQUAL(pipe2(ends, O_CLOEXEC), 0);
}

static void check_stranger(int (*open)(const server *)) {
    if (geteuid() != 0)
        skip("only root can be somebody else");
    const server s = listen_at("127.0.0.1");
    int leash[2], accepted;
    uint32_t uid = 4711;
    make_leash(leash);
    const pid_t pid = fork();
    if (pid == 0) {
        close(leash[1]);
        const pid_t child = stranger(&s, leash[0], open);
        _exit(child > 0 && wait_for(child) == 0 ? 0 : 1);
    }
    close(leash[0]);
    CHECK_EQUAL(owner(&s, &accepted, &uid), 0);
    CHECK_EQUAL(uid, STRANGER);
    close(leash[1]);
    CHECK_EQUAL(wait_for(pid), 0);
    close(accepted);
    close(s.listener);
}

static void connection_of_another_user(void) {
    check_stranger(connect_to);
}

static void connection_that_is_half_closed(void) {
    check_stranger(connect_and_finish);
}

static void connection_of_another_family(void) {
    check_stranger(connect_mapped);
}

/* The kernel says root of what nobody holds any more. */
static void closed_connection_is_nobodys(void) {
    const server s = listen_at("127.0.0.1");
    uint32_t uid = 4711;
    int accepted;
    close(connect_to(&s));
    CHECK_EQUAL(owner(&s, &accepted, &uid), -ENOENT);
    CHECK_EQUAL(uid, 4711);
    close(accepted);
    close(s.listener);
}

static void no_connection_is_nobodys(void) {
    const server s = listen_at("127.0.0.1");
    const pm_tcp_end end = end_of(&s.address), six = {.family = AF_INET6, .port = 1};
    pm_tcp_end other = end;
    uint32_t uid;
    other.port = other.port == 1 ? 2 : 1;
    CHECK_EQUAL(pm_tcp_owner(&other, &end, &uid), -ENOENT);
    /* Somebody listens at the client's port: that is not the client. */
    CHECK_EQUAL(pm_tcp_owner(&end, &other, &uid), -ENOENT);
    CHECK_EQUAL(pm_tcp_owner(&end, &six, &uid), -EAFNOSUPPORT);
    close(s.listener);
}

typedef struct {
    struct nlmsghdr head;
    struct inet_diag_msg body;
} answer;

static void make_answer(const uint8_t *question, answer *out) {
    struct nlmsghdr head;
    struct inet_diag_req_v2 asked;
    memcpy(&head, question, sizeof head);
    memcpy(&asked, question + sizeof head, sizeof asked);
    *out = (answer){
        .head = {.nlmsg_len = sizeof *out, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_seq = head.nlmsg_seq},
        .body = {
            .idiag_family = AF_INET, .idiag_state = 1, .id = asked.id, .idiag_uid = 7, .idiag_inode = 9}};
}

#define READ(value) pm_diag_answer(question, (const uint8_t *)&(value), sizeof(value), &uid)

static void answers_that_make_no_sense(void) {
    const pm_tcp_end client = {.family = AF_INET, .address = {127, 0, 0, 1}, .port = 40000},
                     here = {.family = AF_INET, .address = {127, 0, 0, 1}, .port = 31416};
    uint8_t question[PM_DIAG_QUESTION_SIZE];
    uint32_t uid = 4711;
    answer good, bad;
    CHECK_EQUAL(pm_diag_question(&client, &here, 3, question), 0);
    make_answer(question, &good);
    for (size_t size = 0; size < sizeof good; size++)
        CHECK_EQUAL(pm_diag_answer(question, (const uint8_t *)&good, size, &uid), -EPROTO);
    CHECK_EQUAL(uid, 4711);
    CHECK_EQUAL(READ(good), 0);
    CHECK_EQUAL(uid, 7);
    bad = good;
    bad.head.nlmsg_seq++;
    CHECK_EQUAL(READ(bad), -EPROTO);
    bad = good;
    bad.head.nlmsg_len = UINT32_MAX;
    CHECK_EQUAL(READ(bad), -EPROTO);
    bad.head.nlmsg_len = 3;
    CHECK_EQUAL(READ(bad), -EPROTO);
    bad = good;
    bad.body.id.idiag_sport++;
    CHECK_EQUAL(READ(bad), -EPROTO);
    bad = good;
    bad.body.id.idiag_dst[0]++;
    CHECK_EQUAL(READ(bad), -EPROTO);
}

static void answers_about_what_nobody_holds(void) {
    const pm_tcp_end end = {.family = AF_INET, .address = {127, 0, 0, 1}, .port = 40000};
    uint8_t question[PM_DIAG_QUESTION_SIZE];
    uint32_t uid = 4711;
    answer good, bad;
    CHECK_EQUAL(pm_diag_question(&end, &end, 3, question), 0);
    make_answer(question, &good);
    bad = good;
    bad.body.idiag_inode = 0;
    CHECK_EQUAL(READ(bad), -ENOENT);
    bad = good;
    bad.body.idiag_state = 6; /* TIME_WAIT: the kernel says root */
    CHECK_EQUAL(READ(bad), -ENOENT);
    bad = good;
    bad.body.idiag_state = 10; /* LISTEN */
    CHECK_EQUAL(READ(bad), -ENOENT);
    bad = good;
    bad.head.nlmsg_type = NLMSG_ERROR;
    CHECK_EQUAL(READ(bad), -EPROTO); /* no errno where one belongs */
}

/* Any bytes: no crash, and no owner by chance. Seeded, so each run is the same. */
static void answers_of_any_bytes(void) {
    const pm_tcp_end end = {.family = AF_INET, .address = {127, 0, 0, 1}, .port = 40000};
    uint8_t question[PM_DIAG_QUESTION_SIZE], bytes[PM_DIAG_ANSWER_MAX];
    unsigned seed = 1;
    CHECK_EQUAL(pm_diag_question(&end, &end, 3, question), 0);
    for (int round = 0; round < 200000; round++) {
        const size_t size = (size_t)rand_r(&seed) % (sizeof(answer) * 2);
        uint32_t uid = 4711;
        make_answer(question, (answer *)bytes);
        for (int changes = 1 + rand_r(&seed) % 4; changes > 0; changes--)
            bytes[(size_t)rand_r(&seed) % sizeof(answer)] ^= (uint8_t)(1 + rand_r(&seed) % 255);
        const int result = pm_diag_answer(question, bytes, size, &uid);
        CHECK(result <= 0 && result > -4096 && (result == 0 || uid == 4711));
        if (size < sizeof(answer))
            CHECK(result != 0);
    }
}

const test diag_tests[] = {
    {"diag: an own connection is ours", own_connection_is_ours},
    {"diag: a connection of another user", connection_of_another_user},
    {"diag: a connection that is half closed", connection_that_is_half_closed},
    {"diag: a connection of another family", connection_of_another_family},
    {"diag: a closed connection is nobody's", closed_connection_is_nobodys},
    {"diag: no connection is nobody's", no_connection_is_nobodys},
    {"diag: answers that make no sense", answers_that_make_no_sense},
    {"diag: answers about what nobody holds", answers_about_what_nobody_holds},
    {"diag: answers of any bytes", answers_of_any_bytes},
    {NULL, NULL},
};
