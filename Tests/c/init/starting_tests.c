/* Starts that are under way: a pm-exec that does not come to its end holds up nobody, and is not forgotten.
 */
#define _GNU_SOURCE
#include "harness.h"
#include "starting.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than pmd lets be under way at once. */
#define MANY 40

static message m;

child_spec apart_child(const char *role) {
    child_spec spec = {.role = role};
    if (geteuid() == 0)
        spec.user = 65534;
    else
        spec.flags = PM_SPAWN_FILTERED | PM_SPAWN_NO_NEW_PRIVS;
    return spec;
}

void expect_start_failed(rig *r, uint64_t id, pm_step step, int error) {
    expect(r, PM_START_FAILED, id, &m);
    CHECK_TEXT(pm_step_name((pm_step)m.failure.step), pm_step_name(step));
    CHECK_EQUAL(m.failure.error, error);
}

pid_t starting_child(rig *r) {
    char path[64], list[256] = "", *at = list;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", r->init, r->init);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, list, sizeof list - 1) <= 0)
        skip("the kernel tells no children");
    close(fd);
    for (pid_t pid; (pid = (pid_t)strtol(at, &at, 10)) != 0;)
        if (pid != r->pmd)
            return pid;
    fail_at(__FILE__, __LINE__, "no child in \"%s\"", list);
}

/* A pm-init beside a pm-exec that stops itself, and is the real one once it goes on. */
static void use_stopping_executor(void) {
    static char init[96];
    char real[96], text[256], path[96];
    chmod(scratch(), 0755);
    snprintf(real, sizeof real, "%s", copy_program("pm-exec", "real-pm-exec"));
    snprintf(init, sizeof init, "%s", copy_program("pm-init", "pm-init"));
    char magic[2] = "";
    int fd = open(init, O_RDONLY | O_CLOEXEC);
    CHECK_EQUAL(read(fd, magic, 2), 2);
    close(fd);
    if (magic[0] == '#')
        skip("pm-init runs under a tool that looks for pm-exec elsewhere");
    snprintf(path, sizeof path, "%s/pm-exec", scratch());
    int size = snprintf(text, sizeof text,
                        "#!/bin/sh\nkill -STOP $$\nexec env -i PM_MARKER=$PM_MARKER %s \"$@\"\n", real);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    CHECK_EQUAL(write(fd, text, (size_t)size), size);
    close(fd);
    init_path = init;
}

/* Waits until a child of pm-init has stopped. */
static void wait_stopped(pid_t pid) {
    pm_process process;
    do
        CHECK_EQUAL(pm_process_read(pid, &process), 0);
    while (process.state != 'T' && poll(NULL, 0, 1) == 0);
}

static pid_t start_stopped(rig *r, uint64_t id) {
    const child_spec spec = apart_child("wait");
    send_spawn(r, id, &spec);
    expect(r, PM_STARTING, id, &m);
    pid_t pid = starting_child(r);
    wait_stopped(pid);
    return pid;
}

static void a_start_that_hangs_holds_nobody_else(void) {
    use_stopping_executor();
    rig r;
    rig_serve(&r, NULL);
    pid_t other = spawn_child(&r, 1, &(child_spec){.role = "wait"});
    const child_spec spec = apart_child("wait");
    for (uint64_t id = 100; id < 100 + MANY; id++) {
        send_spawn(&r, id, &spec);
        expect(&r, PM_STARTING, id, &m);
    }
    CHECK_EQUAL(kill(other, SIGKILL), 0);
    expect(&r, PM_EXITED, 1, &m);
    spawn_child(&r, 2, &(child_spec){.role = "wait"});
    for (uint64_t id = 100; id < 100 + MANY; id++) {
        send_signal(&r, id, SIGKILL, PM_SCOPE_TREE);
        expect(&r, PM_TREE, id, &m);
        expect_start_failed(&r, id, PM_STEP_EXECUTOR, ECANCELED);
    }
    send_signal(&r, 100, 0, PM_SCOPE_TREE);
    expect(&r, PM_SIGNAL_FAILED, 100, &m); /* it is forgotten */
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void a_start_that_goes_on_is_told(void) {
    use_stopping_executor();
    rig r;
    rig_serve(&r, NULL);
    pid_t pid = start_stopped(&r, 7);
    kill(pid, SIGCONT);
    expect(&r, PM_STARTED, 7, &m);
    CHECK_EQUAL(m.spawned.pid, pid);
    send_signal(&r, 7, SIGKILL, PM_SCOPE_LEADER);
    expect(&r, PM_EXITED, 7, &m);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void next_pmd(rig *r, pid_t pid) {
    rig_kill_pmd(r);
    rig_next_pmd(r);
    CHECK_EQUAL(rig_hello(r, &m), 1);
    CHECK_EQUAL(m.adopt.phase, PM_CHILD_STARTING);
    CHECK_EQUAL(m.adopt.pid, pid);
}

static void the_next_pmd_is_told_of_a_start_under_way(void) {
    use_stopping_executor();
    rig r;
    rig_serve(&r, NULL);
    pid_t pid = start_stopped(&r, 7);
    next_pmd(&r, pid);
    kill(pid, SIGCONT);
    expect(&r, PM_STARTED, 7, &m);
    rig_kill_pmd(&r);
    rig_next_pmd(&r);
    CHECK_EQUAL(rig_hello(&r, &m), 1);
    CHECK_EQUAL(m.adopt.phase, PM_CHILD_RUNNING);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void a_start_that_fails_while_no_pmd_runs_is_told(void) {
    use_stopping_executor();
    rig r;
    rig_serve(&r, NULL);
    pid_t pid = start_stopped(&r, 7);
    rig_kill_pmd(&r);
    rig_next_pmd(&r); /* which has not said hello */
    CHECK_EQUAL(kill(pid, SIGKILL), 0);
    wait_gone(pid);
    CHECK_EQUAL(rig_hello(&r, &m), 1);
    CHECK_EQUAL(m.adopt.phase, PM_CHILD_STARTING);
    expect_start_failed(&r, 7, PM_STEP_EXECUTOR, ECANCELED);
    rig_kill_pmd(&r);
    rig_next_pmd(&r);
    CHECK_EQUAL(rig_hello(&r, NULL), 0);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void a_start_goes_on_over_the_change_of_pm_init(void) {
    use_stopping_executor();
    rig r;
    pm_program body = {0};
    rig_serve(&r, NULL);
    pid_t pid = start_stopped(&r, 7);
    snprintf(body.path, sizeof body.path, "%s", init_path);
    send_message(&r, &(outgoing){PM_REEXEC, 0, &body, sizeof body});
    expect(&r, PM_REEXECED, 0, &m);
    kill(pid, SIGCONT);
    expect(&r, PM_STARTED, 7, &m);
    CHECK_EQUAL(m.spawned.pid, pid);
    send_signal(&r, 7, SIGKILL, PM_SCOPE_LEADER);
    expect(&r, PM_EXITED, 7, &m);
    start_stopped(&r, 8);
    send_message(&r, &(outgoing){PM_REEXEC, 0, &body, sizeof body});
    expect(&r, PM_REEXECED, 0, &m);
    send_signal(&r, 8, SIGKILL, PM_SCOPE_LEADER);
    expect_start_failed(&r, 8, PM_STEP_EXECUTOR, ECANCELED);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void pm_inits_own_stop_ends_a_start(void) {
    use_stopping_executor();
    rig r;
    rig_serve(&r, NULL);
    pid_t pid = start_stopped(&r, 7);
    send_state(&r, &(state_wish){7, "state", 0, 100});
    kill(r.init, SIGTERM);
    expect(&r, PM_STOP_REQUESTED, 0, &m);
    kill(r.init, SIGTERM);
    CHECK_EQUAL(rig_wait(&r), 0);
    CHECK(kill(pid, 0) < 0 && errno == ESRCH);
}

static void a_missing_executor_is_named(void) {
    rig r;
    use_stopping_executor();
    char path[96], real[96];
    snprintf(path, sizeof path, "%s/pm-exec", scratch());
    snprintf(real, sizeof real, "%s/real-pm-exec", scratch());
    CHECK_EQUAL(unlink(path), 0);
    rig_serve(&r, NULL);
    const child_spec spec = apart_child("exit");
    send_spawn(&r, 1, &spec);
    expect(&r, PM_SPAWN_FAILED, 1, &m);
    CHECK(m.failure.step == PM_STEP_EXECUTOR && m.failure.error == ENOENT);
    /* What needs none is started all the same, and once it is installed the others are, too. */
    spawn_child(&r, 2, &(child_spec){.role = "wait"});
    CHECK_EQUAL(rename(real, path), 0);
    send_spawn(&r, 3, &spec);
    expect_started(&r, 3);
    CHECK_EQUAL(rig_stop(&r), 0);
}

const test starting_tests[] = {
    {"starting: one that hangs holds nobody else", a_start_that_hangs_holds_nobody_else},
    {"starting: one that goes on is told", a_start_that_goes_on_is_told},
    {"starting: the next pmd is told of one under way", the_next_pmd_is_told_of_a_start_under_way},
    {"starting: one that fails while no pmd runs is told", a_start_that_fails_while_no_pmd_runs_is_told},
    {"starting: one goes on over the change of pm-init", a_start_goes_on_over_the_change_of_pm_init},
    {"starting: pm-init's own stop ends one", pm_inits_own_stop_ends_a_start},
    {"starting: a missing executor is named", a_missing_executor_is_named},
    {NULL, NULL},
};
