/* The same with cgroups (version 2), where this user may make them. */
#define _GNU_SOURCE
#include "cgroup_setting.h"
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
/* Of this run alone: what carries it is killed by the next pm-init with it. */
static char token[24], other_token[24];

/* What pm-init made below it is gone by then. */
static void remove_base(void) {
    CHECK_EQUAL(rmdir(base), 0);
}

/* A cgroup for this test, or the test is skipped. */
static const char *const *options(void) {
    static const char *const roots[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
    static const char *list[] = {"--cgroup", base, "--marker", token, NULL};
    snprintf(token, sizeof token, "test.%d", (int)getpid());
    snprintf(other_token, sizeof other_token, "other.%d", (int)getpid());
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
    snprintf(path, sizeof path, "%s/pm-%s/%s", base, token, name);
    return access(path, F_OK) == 0;
}

static bool is_in(pid_t pid, const char *name) {
    char path[64], line[160];
    snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
    if (strncmp(name, "../", 3) == 0)
        snprintf(line, sizeof line, "%s%s\n", strrchr(base, '/'), name + 2);
    else
        snprintf(line, sizeof line, "%s/pm-%s/%s\n", strrchr(base, '/'), token, name);
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
    int pipe = spawn_hidden(&r, "child-1/b", "stay", &escapee);
    kill(r.init, SIGKILL);
    CHECK_EQUAL(rig_wait(&r), -SIGKILL);
    char byte;
    CHECK_EQUAL(kill(escapee, 0), 0);
    rig_start(&next, (const char *const[]){"--cgroup", base, "--marker", token, NULL});
    CHECK_EQUAL(fcntl(pipe, F_SETFL, O_NONBLOCK), 0);
    CHECK_EQUAL(read(pipe, &byte, 1), 0);
    close(pipe);
    CHECK(!exists("child-1"));
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    rig_hello(&next, NULL);
    CHECK_EQUAL(rig_stop(&next), 0);
    remove_base();
}

static void members_are_found_behind_long_lines(void) {
    rig r;
    int write_end, read_end = make_pipe(&write_end);
    char path[1600], procs[1700];
    const char *const *list = options();
    make_long_path(path, sizeof path);
    rig_serve(&r, list);
    pid_t pid = spawn_child(
        &r, 1,
        &(child_spec){.role = "wait", .argument = {"exit", "x"}, .cgroup = "child-1", .output = write_end});
    close(write_end);
    read_ready(read_end);
    snprintf(procs, sizeof procs, "%s/cgroup.procs", path);
    FILE *file = fopen(procs, "we");
    CHECK(file != NULL && fprintf(file, "%d", (int)pid) > 0 && fclose(file) == 0);
    send_signal(&r, 1, SIGTERM, PM_SCOPE_TREE);
    expect(&r, PM_TREE, 1, &m);
    CHECK_EQUAL(m.tree.survivors, 1);
    CHECK_EQUAL(m.tree.pids[0], pid);
    expect(&r, PM_EXITED, 1, &m);
    CHECK_TEXT(read_all(read_end), "x");
    close(read_end);
    CHECK_EQUAL(rig_stop(&r), 0);
    remove_long_path(path);
    remove_base();
}

/* Whoever else is in the delegated directory, in a cgroup of a child's name even, is not ours. */
static void others_in_the_directory_are_left_alone(void) {
    rig one, other;
    options();
    char stranger[128];
    snprintf(stranger, sizeof stranger, "%s/child-1", base);
    pid_t bystander = start_in(stranger);
    rig_serve(&one, (const char *const[]){"--cgroup", base, "--marker", token, NULL});
    pid_t child = spawn_child(&one, 1, &(child_spec){.role = "wait", .cgroup = "child-1"});
    rig_serve(&other, (const char *const[]){"--cgroup", base, "--marker", other_token, NULL});
    pid_t another = spawn_child(&other, 1, &(child_spec){.role = "wait", .cgroup = "child-1"});
    send_signal(&other, 1, SIGKILL, PM_SCOPE_TREE);
    expect(&other, PM_TREE, 1, &m);
    CHECK_EQUAL(m.tree.pids[0] == another || m.tree.survivors == 0, 1);
    CHECK_EQUAL(rig_stop(&other), 0);
    CHECK(kill(child, 0) == 0 && is_running(child));
    CHECK_EQUAL(rig_stop(&one), 0);
    CHECK(is_running(bystander));
    end_in(stranger, bystander);
    remove_base();
}

static void strangers_in_its_own_directory_are_refused(void) {
    rig r;
    options();
    char own[160], deep[192];
    snprintf(own, sizeof own, "%s/pm-%s", base, token);
    CHECK_EQUAL(mkdir(own, 0755), 0);
    for (int i = 0; i < 2; i++) {
        snprintf(deep, sizeof deep, "%s%s", own, i == 0 ? "" : "/visitor");
        pid_t bystander = start_in(deep);
        rig_launch(&r, (const char *const[]){"--cgroup", base, "--marker", token, NULL}, NULL);
        const char *said = read_all(r.status);
        CHECK(strstr(said, "none of this daemon's services") != NULL && strstr(said, "PM_CGROUP") != NULL);
        CHECK_EQUAL(rig_wait(&r), 71);
        CHECK(is_running(bystander));
        end_in(i == 0 ? NULL : deep, bystander);
    }
    CHECK_EQUAL(rmdir(own), 0);
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
    char other[128], left[192];
    snprintf(other, sizeof other, "%s/other", base);
    snprintf(left, sizeof left, "%s/pm-%s", base, token);
    CHECK_EQUAL(mkdir(left, 0755), 0);
    snprintf(left, sizeof left, "%s/pm-%s/child-9", base, token);
    CHECK_EQUAL(mkdir(other, 0755), 0);
    CHECK_EQUAL(mkdir(left, 0755), 0);
    snprintf(move, sizeof move, "echo $$ >%s/cgroup.procs; exec \"$@\"", base);
    rig_wrapper = wrapper;
    rig_serve(&r, (const char *const[]){"--cgroup", "own", "--marker", token, NULL});
    rig_wrapper = NULL;
    CHECK(is_in(r.init, "../pm") && is_in(r.pmd, "../pm"));
    CHECK(!exists("child-9") && exists("../other"));
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
    {"cgroup: members are found behind long lines", members_are_found_behind_long_lines},
    {"cgroup: others in the directory are left alone", others_in_the_directory_are_left_alone},
    {"cgroup: strangers in its own directory are refused", strangers_in_its_own_directory_are_refused},
    {"cgroup: stop kills and removes them", stop_kills_and_removes_cgroups},
    {"cgroup: a child enters it without clone3", child_enters_its_cgroup_without_clone3},
    {"cgroup: its own is a base", takes_its_own_cgroup_for_a_base},
    {"cgroup: its directory is handed over to each pmd", its_directory_is_handed_over_to_each_pmd},
    {"cgroup: its own may not be delegated", goes_on_when_its_own_cgroup_is_not_delegated},
    {NULL, NULL},
};
