/* Children whose output goes to journald; the test is journald. */
#define _GNU_SOURCE
#include "harness.h"
#include "rig.h"
#include "spawning.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SIGPIPE_BIT (1ull << (SIGPIPE - 1))

typedef struct {
    prepared spawn;
    pm_spawn_journal journal;
    char path[108];
    char mark[PM_JOURNAL_MARK_SIZE];
} to_journal;

/* A request for a role whose output is to go to the stream socket in the test's directory. */
static void prepare_journal(to_journal *t, const char *role, const char *argument) {
    prepare(&t->spawn, 2, role, argument);
    snprintf(t->path, sizeof t->path, "%s/stdout", scratch());
    strcpy(t->mark, "JOURNAL_STREAM=");
    t->journal = (pm_spawn_journal){t->path, "web\npm.service\n", t->mark};
    t->spawn.envp[2] = t->mark;
    t->spawn.request.flags = PM_SPAWN_TO_JOURNAL;
    t->spawn.request.journal = &t->journal;
}

static int listen_on(const char *path, int backlog) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQUAL(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQUAL(listen(listener, backlog), 0);
    return listener;
}

/* Takes the next stream, which must be the child's, and gives all that came over it. */
static const char *stream_of(int listener, pid_t child) {
    pm_peer peer;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_EQUAL(pm_socket_peer(fd, &peer), 0);
    CHECK_EQUAL(peer.pid, child);
    const char *text = read_all(fd);
    close(fd);
    return text;
}

static void child_writes_to_journald_as_itself(void) {
    to_journal t;
    prepare_journal(&t, "tag", "zero");
    t.spawn.argv[4] = "one";
    t.spawn.argv[5] = "two";
    t.spawn.argv[6] = NULL;
    int listener = listen_on(t.path, 4);
    pm_child child = spawn_or_fail(&t.spawn.request);
    CHECK_EQUAL(child.clamped, 0);
    wait_for(child.pid);
    CHECK_TEXT(stream_of(listener, child.pid), "web\npm.service\n30\n1\n0\n0\n0\n1=one\n");
    CHECK_TEXT(stream_of(listener, child.pid), "web\npm.service\n132\n1\n0\n0\n0\n2=two\n");
    close(listener);
}

/* Whether a report says that SIGPIPE is ignored. */
static bool ignores_pipe(const char *report) {
    unsigned long long ignored = 0;
    const char *line = strstr(report, "SigIgn:");
    CHECK(line != NULL && sscanf(line, "SigIgn: %llx", &ignored) == 1);
    return (ignored & SIGPIPE_BIT) != 0;
}

static void child_knows_its_stream_and_ignores_sigpipe(void) {
    to_journal t;
    prepare_journal(&t, "report", NULL);
    int listener = listen_on(t.path, 4);
    pm_child child = spawn_or_fail(&t.spawn.request);
    wait_for(child.pid);
    const char *report = stream_of(listener, child.pid);
    CHECK(ignores_pipe(report));
    CHECK(has_line(report, "fds=0 1 2 "));
    const char *errors = strstr(report, "\nstderr=");
    unsigned long device, inode;
    char mark[96];
    CHECK(errors != NULL && sscanf(errors, "\nstderr=%lu:%lu\n", &device, &inode) == 2);
    snprintf(mark, sizeof mark, "env=JOURNAL_STREAM=%lu:%lu", device, inode);
    CHECK(has_line(report, mark));
    close(listener);
}

static void check_left_alone(to_journal *t) {
    int write_end, read_end = make_pipe(&write_end);
    t->spawn.fds[1] = write_end;
    pm_child child = spawn_or_fail(&t->spawn.request);
    close(write_end);
    CHECK_EQUAL(child.clamped, PM_CLAMPED_JOURNAL);
    const char *report = read_all(read_end);
    CHECK(!ignores_pipe(report));
    CHECK(has_line(report, "env=JOURNAL_STREAM="));
    CHECK(has_line(report, "fds=0 1 2 "));
    CHECK_EQUAL(wait_for(child.pid), 0);
    close(read_end);
}

static void child_without_journald_keeps_its_descriptors(void) {
    to_journal t;
    prepare_journal(&t, "report", NULL);
    check_left_alone(&t);
}

/* connect(2) would wait for it, and pm_spawn's caller with it. */
static void child_does_not_wait_for_a_journald_that_accepts_nothing(void) {
    to_journal t;
    prepare_journal(&t, "report", NULL);
    int listener = listen_on(t.path, 0);
    int waiting = pm_socket_connect(t.path);
    CHECK(waiting >= 0);
    check_left_alone(&t);
    close(waiting);
    close(listener);
}

static void a_wrong_request_is_refused(void) {
    to_journal t;
    pm_child child;
    pm_spawn_failure failure;
    prepare_journal(&t, "report", NULL);
    t.spawn.request.fd_count = 2;
    CHECK(!pm_spawn(&t.spawn.request, &child, &failure));
    CHECK_EQUAL(failure.step, PM_STEP_REQUEST);
}

static void init_asks_for_streams_and_says_when_there_are_none(void) {
    rig r;
    message m;
    int write_end, read_end = make_pipe(&write_end);
    rig_serve(&r, NULL);
    send_spawn(&r, 1, &(child_spec){.role = "report", .output = write_end, .journal = "web\n\n"});
    close(write_end);
    expect(&r, PM_SPAWNED, 1, &m);
    const char *report = read_all(read_end);
    if (access(PM_JOURNAL_STREAM_PATH, W_OK) == 0) {
        CHECK_EQUAL(m.spawned.clamped, 0);
        CHECK_TEXT(report, "");
    } else {
        CHECK_EQUAL(m.spawned.clamped, PM_CLAMPED_JOURNAL);
        CHECK(has_line(report, "env=JOURNAL_STREAM="));
        CHECK(has_line(report, "env=PATH=/usr/bin:/bin"));
    }
    close(read_end);
    expect(&r, PM_EXITED, 1, &m);
    rig_stop(&r);
}

const test journal_tests[] = {
    {"journal: a child writes to journald as itself", child_writes_to_journald_as_itself},
    {"journal: a child knows its stream, and ignores SIGPIPE", child_knows_its_stream_and_ignores_sigpipe},
    {"journal: a child without journald keeps its descriptors", child_without_journald_keeps_its_descriptors},
    {"journal: a child does not wait for a journald that accepts nothing",
     child_does_not_wait_for_a_journald_that_accepts_nothing},
    {"journal: a wrong request is refused", a_wrong_request_is_refused},
    {"journal: init asks for streams, and says when there are none",
     init_asks_for_streams_and_says_when_there_are_none},
    {NULL, NULL},
};
