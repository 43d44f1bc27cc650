/* Process numbers that are raised, and given again, while pm-init runs: in a pid namespace of the test's. */
#define _GNU_SOURCE
#include "harness.h"
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static message m;

static void set_number(const char *file, int value) {
    char path[96];
    snprintf(path, sizeof path, "/proc/sys/kernel/%s", file);
    FILE *setting = fopen(path, "we");
    CHECK(setting != NULL && fprintf(setting, "%d", value) > 0 && fclose(setting) == 0);
}

/* Whether pid_max is a namespace's own, so that changing it concerns nobody else (Linux 6.14). */
static bool is_pid_max_its_own(void) {
    struct utsname name;
    int major = 0, minor = 0;
    CHECK(uname(&name) == 0 && sscanf(name.release, "%d.%d", &major, &minor) == 2);
    return major > 6 || (major == 6 && minor >= 14);
}

/* Runs the test as the first process of a pid namespace. */
static void in_namespace(void (*body)(void)) {
    if (geteuid() != 0)
        skip("needs root");
    if (unshare(CLONE_NEWPID) < 0)
        skip("no namespaces here");
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(unshare(CLONE_NEWNS) == 0);
        CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
        body();
        _exit(0);
    }
    CHECK_EQUAL(wait_for(pid), 0);
}

static pid_t spawn_family(rig *r, uint64_t id, int *pipe) {
    int write_end;
    *pipe = make_pipe(&write_end);
    send_spawn(r, id, &(child_spec){.role = "escape", .argument = {"stay"}, .output = write_end});
    do
        receive(r, &m); /* what is said of a family before */
    while (m.header.type != PM_SPAWNED);
    close(write_end);
    return read_ready(*pipe);
}

static uint32_t count_after(rig *r, uint64_t id, int signal) {
    send_signal(r, id, signal, PM_SCOPE_TREE);
    do
        receive(r, &m);
    while (m.header.type != PM_TREE);
    CHECK_EQUAL(m.header.id, id);
    return m.tree.survivors;
}

static void kill_family(rig *r, uint64_t id, int pipe) {
    /* Whoever forked the escapee may still be ending. */
    const uint32_t count = count_after(r, id, 0);
    CHECK(count == 2 || count == 3);
    count_after(r, id, SIGKILL);
    CHECK_TEXT(read_all(pipe), "");
    close(pipe);
}

static void raise_pid_max(void) {
    rig r;
    int pipe;
    set_number("pid_max", 32768);
    rig_serve(&r, NULL);
    spawn_family(&r, 1, &pipe);
    kill_family(&r, 1, pipe);
    set_number("pid_max", 4194304);
    static const int places[] = {40000, 700000, 4000000, 4194290};
    for (uint64_t i = 0; i < sizeof places / sizeof *places; i++) {
        set_number("ns_last_pid", places[i]);
        CHECK(spawn_family(&r, 2 + i, &pipe) > places[i] || i == 3); /* the last ones wrap around */
        kill_family(&r, 2 + i, pipe);
    }
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void pid_max_may_be_raised(void) {
    if (!is_pid_max_its_own())
        skip("kernel.pid_max is the whole machine's here (Linux 6.14)");
    in_namespace(raise_pid_max);
}

/* A stranger's pid is given to a descendant, and the kernel's last pid does not show it. */
static void give_a_pid_again(void) {
    rig r;
    int pipe;
    const int number = 3000, high = 9000;
    set_number("ns_last_pid", number - 1);
    pid_t stranger = fork();
    if (stranger == 0) {
        pause();
        _exit(0);
    }
    CHECK_EQUAL(stranger, number);
    const uint64_t born = pm_clock_ticks();
    while (pm_clock_ticks() <= born + 1)
        poll(NULL, 0, 5); /* who is older than pm-init is a stranger, and ages are counted in ticks */
    rig_serve(&r, NULL);
    spawn_family(&r, 1, &pipe);
    set_number("ns_last_pid", high);
    kill_family(&r, 1, pipe); /* the search learns who is a stranger */
    kill(stranger, SIGKILL);
    wait_for(stranger);
    set_number("ns_last_pid", number - 3); /* leader, the process between, and the one that stays */
    CHECK_EQUAL(spawn_family(&r, 2, &pipe), number);
    set_number("ns_last_pid", high + 100);
    kill_family(&r, 2, pipe);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void a_strangers_pid_may_become_a_descendants(void) {
    in_namespace(give_a_pid_again);
}

const test pid_tests[] = {
    {"pids: pid_max may be raised while init runs", pid_max_may_be_raised},
    {"pids: a stranger's may become a descendant's", a_strangers_pid_may_become_a_descendants},
    {NULL, NULL},
};
