/* Children that take another user's ids or a sandbox, and what that user may do to them meanwhile. */
#define _GNU_SOURCE
#include "harness.h"
#include "spawning.h"
#include "starting.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The window in which the attack has to hit is most of a start. */
#define ATTACKS 400

static message m;

/* A user that nobody else is. */
static uint32_t own_user(void) {
    return 2000000u + (uint32_t)getpid();
}

static const char *reported_by(rig *r, const child_spec *spec) {
    int write_end, read_end = make_pipe(&write_end);
    child_spec with_output = *spec;
    with_output.output = write_end;
    send_spawn(r, 1, &with_output);
    close(write_end);
    expect_started(r, 1);
    const char *text = read_all(read_end);
    close(read_end);
    expect(r, PM_EXITED, 1, &m);
    CHECK_EQUAL(m.exit.wait_status, 0);
    return text;
}

static void a_child_gets_what_was_asked_for(void) {
    rig r;
    child_spec spec = apart_child("report");
    spec.argument[0] = "one argument";
    spec.limit = (pm_rlimit){.resource = 4 /* RLIMIT_CORE */, .soft = 0, .hard = 0};
    rig_serve(&r, NULL);
    const char *text = reported_by(&r, &spec);
    const char *const lines[] = {
        "fds=0 1 2 ", "arg=one argument", "env=PATH=/usr/bin:/bin",    "session=own",
        "group=own",  "core=0 0",         "SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!has_line(text, lines[i]))
            fail_at(__FILE__, __LINE__, "no \"%s\" in:\n%s", lines[i], text);
    CHECK(strstr(text, "env=PM_MARKER=") != NULL && strstr(text, "stale") == NULL);
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* More groups than fit a list of 32. */
static void a_child_gets_its_ids_and_all_groups(void) {
    if (geteuid() != 0)
        skip("needs root");
    rig r;
    char groups[1024] = "Groups:\t", *end = groups + strlen(groups);
    child_spec spec = {.role = "report", .user = 65534, .group = 65533, .group_count = 48};
    for (uint32_t i = 0; i < 48; i++) {
        spec.groups[i] = 7000 + i;
        end += sprintf(end, "%u ", 7000 + i);
    }
    rig_serve(&r, NULL);
    const char *text = reported_by(&r, &spec);
    CHECK(has_line(text, "Uid:\t65534\t65534\t65534\t65534"));
    CHECK(has_line(text, "Gid:\t65533\t65533\t65533\t65533"));
    CHECK(has_line(text, groups));
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void expect_refused_ids(rig *r, const child_spec *spec, pm_step step) {
    send_spawn(r, 1, spec);
    expect(r, PM_SPAWN_FAILED, 1, &m);
    CHECK_TEXT(pm_step_name((pm_step)m.failure.step), pm_step_name(step));
    CHECK_EQUAL(m.failure.error, EINVAL);
}

static void ids_that_mean_none_are_refused(void) {
    rig r;
    rig_serve(&r, NULL);
    static const uint32_t none[] = {UINT32_MAX, UINT16_MAX};
    for (int i = 0; i < 2; i++) {
        const child_spec user = {.role = "exit", .user = none[i], .group = 65534};
        const child_spec group = {.role = "exit", .user = 65534, .group = none[i]};
        const child_spec groups = {
            .role = "exit", .user = 65534, .groups = {1, none[i], 2}, .group_count = 3};
        expect_refused_ids(&r, &user, PM_STEP_USER);
        expect_refused_ids(&r, &group, PM_STEP_GROUPS);
        expect_refused_ids(&r, &groups, PM_STEP_GROUPS);
    }
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* In a vfork they would be in the power of that user together with the caller. */
static void pm_spawn_takes_no_other_ids(void) {
    static const uint32_t flags[] = {PM_SPAWN_SET_IDS, PM_SPAWN_NEW_MOUNTS, PM_SPAWN_NEW_USERS,
                                     PM_SPAWN_NO_CAPABILITIES, PM_SPAWN_FILTERED};
    prepared p;
    pm_child child;
    pm_spawn_failure failure;
    prepare(&p, 2, "exit", "0");
    for (int i = 0; i < 5; i++) {
        p.request.flags = flags[i];
        CHECK(!pm_spawn(&p.request, &child, &failure));
        CHECK(failure.step == PM_STEP_REQUEST && failure.error == EINVAL);
    }
}

/* setresuid(2) that changes nothing and says yes, as it does for -1. */
static void pretend_ids(void) {
    prepared p;
    pm_child child;
    pm_spawn_failure failure;
    prepare(&p, 1, "exit", "0");
    p.request.flags = PM_SPAWN_SET_IDS;
    p.request.uid = p.request.gid = 65534;
    forbid(117 /* setresuid */, 0);
    CHECK(!spawn(&p.request, &child, &failure));
    CHECK_TEXT(pm_step_name(failure.step), "user");
    CHECK_EQUAL(failure.error, EPERM);
}

static void pretend_groups(void) {
    prepared p;
    pm_child child;
    pm_spawn_failure failure;
    const uint32_t groups[] = {1234};
    prepare(&p, 1, "exit", "0");
    p.request.flags = PM_SPAWN_SET_IDS;
    p.request.uid = p.request.gid = 65534;
    p.request.groups = groups;
    p.request.group_count = 1;
    forbid(116 /* setgroups */, 0);
    CHECK(!spawn(&p.request, &child, &failure));
    CHECK_TEXT(pm_step_name(failure.step), "groups");
    CHECK_EQUAL(failure.error, EPERM);
}

static void ids_are_verified(void) {
    if (geteuid() != 0)
        skip("needs root");
#ifndef __x86_64__
    skip("the numbers of the calls are those of x86-64");
#endif
    in_fork(pretend_ids);
    in_fork(pretend_groups);
}

static void a_failed_start_names_its_step_and_leaves_nothing(void) {
    rig r;
    int write_end, read_end = make_pipe(&write_end);
    rig_serve(&r, NULL);
    child_spec spec = apart_child("exit");
    spec.path = "/nowhere/program";
    spec.held[0] = write_end;
    spec.held_count = 1;
    send_signal(&r, 1, 0, PM_SCOPE_LEADER);
    expect(&r, PM_SIGNAL_FAILED, 1, &m); /* all before is done */
    int before = count_descriptors(r.init);
    send_spawn(&r, 5, &spec);
    close(write_end);
    expect(&r, PM_STARTING, 5, &m);
    expect_start_failed(&r, 5, PM_STEP_EXEC, ENOENT);
    CHECK_TEXT(read_all(read_end), ""); /* what was held is closed */
    close(read_end);
    CHECK_EQUAL(count_descriptors(r.init), before);
    spawn_child(&r, 5, &(child_spec){.role = "wait"}); /* the id is free again */
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* MARK: the attack */

static bool is_executor(pid_t pid) {
    char path[64], name[32] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, name, sizeof name - 1);
    close(fd);
    return n > 0 && strcmp(name, "pm-exec\n") == 0;
}

/* Whether the process was stopped before it ran its program. */
static bool is_caught(rig *r, pid_t stopper, pid_t other) {
    char path[64], list[1024] = "", *at = list;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", r->init, r->init);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, list, sizeof list - 1) <= 0)
        skip("the kernel tells no children");
    close(fd);
    pm_process process;
    for (pid_t pid; (pid = (pid_t)strtol(at, &at, 10)) != 0;)
        if (pid != r->pmd && pid != stopper && pid != other && pm_process_read(pid, &process) == 0 &&
            process.state == 'T' && is_executor(pid))
            return true;
    return false;
}

static void end_started(rig *r, uint64_t id) {
    bool has_exited = false, is_answered = false;
    send_signal(r, id, SIGKILL, PM_SCOPE_TREE);
    while (!has_exited || !is_answered) {
        receive(r, &m);
        CHECK_EQUAL(m.header.id, id);
        has_exited |= m.header.type == PM_EXITED;
        is_answered |= m.header.type == PM_TREE;
    }
    send_message(r, &(outgoing){PM_FORGET, id, "", 0});
}

/* Starts children of the attacker's user until one is stopped before it ran; gives its id. */
static uint64_t attack(rig *r, uint32_t user, pid_t stopper, pid_t other) {
    const child_spec spec = {.role = "wait", .user = user};
    struct pollfd answer = {.fd = r->control, .events = POLLIN};
    for (uint64_t id = 10; id < 10 + ATTACKS; id++) {
        send_spawn(r, id, &spec);
        expect(r, PM_STARTING, id, &m);
        while (poll(&answer, 1, 5) == 0)
            if (is_caught(r, stopper, other))
                return id;
        expect(r, PM_STARTED, id, &m);
        end_started(r, id);
    }
    skip("the attack never hit");
}

/* As that user: neither memory nor descriptors of the stopped process can be had. */
static void spy(pid_t pid, uint32_t user) {
    char path[64];
    pid_t spy = fork();
    if (spy == 0) {
        CHECK(setgroups(0, NULL) == 0 && setresgid(user, user, user) == 0 &&
              setresuid(user, user, user) == 0);
        snprintf(path, sizeof path, "/proc/%d/environ", pid);
        CHECK(open(path, O_RDONLY) < 0);
        snprintf(path, sizeof path, "/proc/%d/fd/0", pid);
        CHECK(open(path, O_RDONLY) < 0);
        CHECK(ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0);
        _exit(0);
    }
    CHECK_EQUAL(wait_for(spy), 0);
}

static void a_user_that_stops_its_children_freezes_nobody(void) {
    if (geteuid() != 0)
        skip("needs root");
    rig r;
    const uint32_t user = own_user();
    int write_end, read_end = make_pipe(&write_end);
    rig_serve(&r, NULL);
    pid_t other = spawn_child(&r, 2, &(child_spec){.role = "wait"});
    const child_spec spec = {.role = "stopper", .user = user, .output = write_end};
    send_spawn(&r, 1, &spec);
    pid_t stopper = expect_started(&r, 1);
    close(write_end);
    CHECK_EQUAL(read_ready(read_end), stopper);
    close(read_end);
    uint64_t caught = attack(&r, user, stopper, other);
    /* Another child's death is seen, another is started, and the caught one can be ended. */
    CHECK_EQUAL(kill(other, SIGKILL), 0);
    expect(&r, PM_EXITED, 2, &m);
    spawn_child(&r, 3, &(child_spec){.role = "wait"});
    send_signal(&r, caught, SIGKILL, PM_SCOPE_TREE);
    expect(&r, PM_TREE, caught, &m);
    /* Killed right before exec it counts as started. */
    receive(&r, &m);
    CHECK_EQUAL(m.header.id, caught);
    if (m.header.type == PM_STARTED)
        receive(&r, &m);
    CHECK(m.header.type == PM_START_FAILED || m.header.type == PM_EXITED);
    CHECK_EQUAL(m.header.id, caught);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void a_child_that_takes_its_ids_cannot_be_looked_into(void) {
    if (geteuid() != 0)
        skip("needs root");
    rig r;
    const uint32_t user = own_user();
    rig_serve(&r, NULL);
    const child_spec spec = {.role = "stopper", .user = user};
    send_spawn(&r, 1, &spec);
    pid_t stopper = expect_started(&r, 1);
    attack(&r, user, stopper, 0);
    send_signal(&r, 1, SIGKILL, PM_SCOPE_TREE);
    do
        receive(&r, &m);
    while (m.header.type != PM_EXITED);
    pid_t pid = starting_child(&r);
    CHECK(is_executor(pid));
    spy(pid, user);
    CHECK_EQUAL(rig_stop(&r), 0);
}

const test executor_tests[] = {
    {"executor: a child gets what was asked for", a_child_gets_what_was_asked_for},
    {"executor: a child gets its ids and all groups", a_child_gets_its_ids_and_all_groups},
    {"executor: ids that mean none are refused", ids_that_mean_none_are_refused},
    {"executor: pm_spawn takes no other ids", pm_spawn_takes_no_other_ids},
    {"executor: ids are verified", ids_are_verified},
    {"executor: a failed start names its step and leaves nothing",
     a_failed_start_names_its_step_and_leaves_nothing},
    {"executor: a user that stops its children freezes nobody",
     a_user_that_stops_its_children_freezes_nobody},
    {"executor: a child that takes its ids cannot be looked into",
     a_child_that_takes_its_ids_cannot_be_looked_into},
    {NULL, NULL},
};
