/* The same with cgroups (version 2), where this user may make them. */
#define _GNU_SOURCE
#include "harness.h"
#include "rig.h"
#include "spawning.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static message m;
static char base[96];

static void remove_base(void) {
    rmdir(base);
}

/* A cgroup for this test, or the test is skipped. */
static const char *const *options(void) {
    static const char *const roots[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
    static const char *list[] = {"--cgroup", base, NULL};
    for (int i = 0; i < 2; i++) {
        char events[160];
        snprintf(base, sizeof base, "%s/pm-test-%d", roots[i], (int)getpid());
        snprintf(events, sizeof events, "%s/cgroup.kill", base);
        if (mkdir(base, 0755) == 0 && access(events, W_OK) == 0)
            return list;
        rmdir(base);
    }
    skip("no writable cgroup v2 here");
}

static bool exists(const char *name) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s", base, name);
    return access(path, F_OK) == 0;
}

static bool is_in(pid_t pid, const char *name) {
    char path[64], line[160];
    snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
    snprintf(line, sizeof line, "%s/%s\n", strrchr(base, '/'), name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool found = strstr(read_all(fd), line) != NULL;
    close(fd);
    return found;
}

/* Child 1, in the cgroup, whose escapee hides from everything but the cgroup; gives the pipe that both hold.
 */
static int spawn_hidden(rig *r, const char *cgroup, const char *manner, pid_t *escapee) {
    int write_end, read_end = make_pipe(&write_end);
    spawn_child(
        r, 1,
        &(child_spec){.role = "escape", .argument = {manner, "hide"}, .cgroup = cgroup, .output = write_end});
    close(write_end);
    *escapee = read_ready(read_end);
    return read_end;
}

static void child_starts_in_its_cgroup_which_goes_at_forget(void) {
    rig r;
    rig_serve(&r, options());
    pid_t pid = spawn_child(&r, 1, &(child_spec){.role = "wait", .cgroup = "web/1"});
    CHECK(is_in(pid, "web/1"));
    send_signal(&r, 1, SIGKILL, PM_SCOPE_LEADER);
    expect(&r, PM_EXITED, 1, &m);
    CHECK_EQUAL(m.exit.leftovers, PM_LEFT_NOTHING);
    CHECK(exists("web/1"));
    send_message(&r, &(outgoing){PM_FORGET, 1, NULL, 0});
    CHECK_EQUAL(rig_stop(&r), 0);
    CHECK(!exists("web/1") && !exists("web"));
    remove_base();
}

static void leftovers_are_told_by_the_cgroup(void) {
    rig r;
    pid_t escapee;
    rig_serve(&r, options());
    int pipe = spawn_hidden(&r, "a", "leave", &escapee);
    CHECK(is_in(escapee, "a"));
    expect(&r, PM_EXITED, 1, &m);
    CHECK_EQUAL(m.exit.leftovers, PM_LEFT_MAYBE);
    send_signal(&r, 1, 0, PM_SCOPE_TREE);
    expect(&r, PM_TREE, 1, &m);
    CHECK(m.tree.survivors == 1 && m.tree.pids[0] == escapee);
    kill(escapee, SIGKILL);
    expect(&r, PM_TREE_EMPTY, 1, &m);
    CHECK_TEXT(read_all(pipe), "");
    close(pipe);
    CHECK_EQUAL(rig_stop(&r), 0);
    CHECK(!exists("a"));
    remove_base();
}

static void tree_is_killed_by_the_cgroup(void) {
    rig r;
    pid_t escapee;
    rig_serve(&r, options());
    int pipe = spawn_hidden(&r, "a", "stay", &escapee);
    send_signal(&r, 1, SIGTERM, PM_SCOPE_TREE); /* the leader dies of it, the escapee is deaf */
    expect(&r, PM_TREE, 1, &m);
    CHECK_EQUAL(m.tree.survivors, 2);
    expect(&r, PM_EXITED, 1, &m);
    CHECK_EQUAL(m.exit.leftovers, PM_LEFT_MAYBE);
    send_signal(&r, 1, SIGKILL, PM_SCOPE_TREE);
    expect(&r, PM_TREE, 1, &m);
    if (m.tree.survivors > 0)
        expect(&r, PM_TREE_EMPTY, 1, &m);
    CHECK_TEXT(read_all(pipe), "");
    close(pipe);
    CHECK_EQUAL(rig_stop(&r), 0);
    remove_base();
}

static void forget_ends_what_is_left_in_the_cgroup(void) {
    rig r;
    pid_t escapee;
    rig_serve(&r, options());
    int pipe = spawn_hidden(&r, "a", "leave", &escapee);
    expect(&r, PM_EXITED, 1, &m);
    send_message(&r, &(outgoing){PM_FORGET, 1, NULL, 0});
    CHECK_TEXT(read_all(pipe), "");
    close(pipe);
    spawn_child(&r, 2, &(child_spec){.role = "exit", .cgroup = "b"}); /* and the next one works */
    expect(&r, PM_EXITED, 2, &m);
    CHECK_EQUAL(rig_stop(&r), 0);
    CHECK(!exists("a") && !exists("b"));
    remove_base();
}

static void populated_or_bad_cgroups_are_refused(void) {
    rig r;
    rig_serve(&r, options());
    spawn_child(&r, 1, &(child_spec){.role = "wait", .cgroup = "a"});
    send_spawn(&r, 2, &(child_spec){.role = "wait", .cgroup = "a"});
    expect(&r, PM_SPAWN_FAILED, 2, &m);
    CHECK(m.failure.step == PM_STEP_CGROUP && m.failure.error == EBUSY);
    const char *const bad[] = {"..", "a/../..", "/etc", "a//b", ".", "a/"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        send_spawn(&r, 3, &(child_spec){.role = "wait", .cgroup = bad[i]});
        expect(&r, PM_SPAWN_FAILED, 3, &m);
        CHECK(m.failure.step == PM_STEP_CGROUP && m.failure.error == EINVAL);
    }
    send_spawn(&r, 4, &(child_spec){.role = "x", .path = "/nowhere/program", .cgroup = "gone"});
    expect(&r, PM_SPAWN_FAILED, 4, &m);
    CHECK(!exists("gone"));
    CHECK_EQUAL(rig_stop(&r), 0);
    remove_base();
}

static void next_init_clears_the_cgroups_of_a_killed_one(void) {
    rig r, next;
    pid_t escapee;
    rig_serve(&r, options());
    int pipe = spawn_hidden(&r, "a/b", "stay", &escapee);
    kill(r.init, SIGKILL);
    CHECK_EQUAL(rig_wait(&r), -SIGKILL);
    char byte;
    CHECK_EQUAL(kill(escapee, 0), 0);
    rig_start(&next, (const char *const[]){"--cgroup", base, NULL});
    CHECK_EQUAL(fcntl(pipe, F_SETFL, O_NONBLOCK), 0);
    CHECK_EQUAL(read(pipe, &byte, 1), 0);
    close(pipe);
    CHECK(!exists("a"));
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    rig_hello(&next, NULL);
    CHECK_EQUAL(rig_stop(&next), 0);
    remove_base();
}

static void stop_kills_and_removes_cgroups(void) {
    rig r;
    pid_t escapee;
    rig_serve(&r, options());
    int pipe = spawn_hidden(&r, "a", "stay", &escapee);
    send_state(&r, &(state_wish){1, "", 1, 100});
    kill(r.init, SIGTERM);
    expect(&r, PM_STOP_REQUESTED, 0, &m); /* taken, so the next one is not merged with it */
    kill(r.init, SIGTERM);
    CHECK_EQUAL(rig_wait(&r), 0);
    CHECK_TEXT(read_all(pipe), "");
    close(pipe);
    CHECK(!exists("a"));
    remove_base();
}

static void child_enters_its_cgroup_without_clone3(void) {
    rig r;
    const char *const *list = options();
    forbid(SYS_clone3, ENOSYS);
    rig_serve(&r, list);
    pid_t pid = spawn_child(&r, 1, &(child_spec){.role = "wait", .cgroup = "a"});
    CHECK(is_in(pid, "a"));
    CHECK_EQUAL(rig_stop(&r), 0);
    remove_base();
}

/* As under a service manager: the shell is started in the cgroup that is delegated. Next to it lives somebody
 * who is not pm's. */
static void takes_its_own_cgroup_for_a_base(void) {
    static char move[200];
    static const char *const wrapper[] = {"/bin/sh", "-c", move, "sh", NULL};
    rig r;
    options();
    char other[128], left[128];
    snprintf(other, sizeof other, "%s/other", base);
    snprintf(left, sizeof left, "%s/child-9", base);
    CHECK_EQUAL(mkdir(other, 0755), 0);
    CHECK_EQUAL(mkdir(left, 0755), 0);
    snprintf(move, sizeof move, "echo $$ >%s/cgroup.procs; exec \"$@\"", base);
    rig_wrapper = wrapper;
    rig_serve(&r, (const char *const[]){"--cgroup", "own", NULL});
    rig_wrapper = NULL;
    CHECK(is_in(r.init, "pm") && is_in(r.pmd, "pm"));
    CHECK(!exists("child-9") && exists("other"));
    pid_t pid = spawn_child(&r, 1, &(child_spec){.role = "wait", .cgroup = "child-1"});
    CHECK(is_in(pid, "child-1"));
    CHECK_EQUAL(rig_stop(&r), 0);
    CHECK(!exists("child-1"));
    char pm[128];
    snprintf(pm, sizeof pm, "%s/pm", base);
    CHECK(rmdir(other) == 0 && rmdir(pm) == 0);
    remove_base();
}

static void goes_on_when_its_own_cgroup_is_not_delegated(void) {
    rig r;
    if (geteuid() == 0)
        skip("root may");
    rig_serve(&r, (const char *const[]){"--cgroup", "own", NULL});
    spawn_child(&r, 1, &(child_spec){.role = "wait"});
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void its_directory_is_handed_over_to_each_pmd(void) {
    rig r;
    rig_start(&r, options());
    for (int pmd = 0; pmd < 2; pmd++) {
        const pm_hello hello = {.version = PM_CONTROL_VERSION, .pid = r.pmd};
        send_message(&r, &(outgoing){PM_HELLO, 0, &hello, sizeof hello});
        expect(&r, PM_HELLO, 0, &m);
        expect(&r, PM_HELD, 0, &m);
        CHECK_TEXT(m.name.name, PM_CGROUP_NAME);
        CHECK_EQUAL(faccessat(m.fds[0], "cgroup.procs", F_OK, 0), 0);
        close_fds(&m);
        expect(&r, PM_HANDED_OVER, 0, &m);
        if (pmd == 0) {
            rig_kill_pmd(&r);
            rig_next_pmd(&r);
        }
    }
    CHECK_EQUAL(rig_stop(&r), 0);
    remove_base();
}

const test cgroup_tests[] = {
    {"cgroup: a child starts in its own, which goes at forget",
     child_starts_in_its_cgroup_which_goes_at_forget},
    {"cgroup: leftovers are told by it", leftovers_are_told_by_the_cgroup},
    {"cgroup: the tree is killed by it", tree_is_killed_by_the_cgroup},
    {"cgroup: forget ends what is left", forget_ends_what_is_left_in_the_cgroup},
    {"cgroup: populated and bad ones are refused", populated_or_bad_cgroups_are_refused},
    {"cgroup: the next init clears those of a killed one", next_init_clears_the_cgroups_of_a_killed_one},
    {"cgroup: stop kills and removes them", stop_kills_and_removes_cgroups},
    {"cgroup: a child enters it without clone3", child_enters_its_cgroup_without_clone3},
    {"cgroup: its own is a base", takes_its_own_cgroup_for_a_base},
    {"cgroup: its directory is handed over to each pmd", its_directory_is_handed_over_to_each_pmd},
    {"cgroup: its own may not be delegated", goes_on_when_its_own_cgroup_is_not_delegated},
    {NULL, NULL},
};
