/* Children and descriptors while one pmd serves. */
#define _GNU_SOURCE
#include "harness.h"
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void reports_an_exit_with_status_and_usage(void) {
    rig r;
    message m;
    rig_serve(&r, NULL);
    uint64_t before = pm_clock_realtime();
    spawn_child(&r, 1, &(child_spec){.role = "exit", .argument = {"33"}});
    expect(&r, PM_EXITED, 1, &m);
    CHECK(WIFEXITED(m.exit.wait_status) && WEXITSTATUS(m.exit.wait_status) == 33);
    CHECK_EQUAL(m.exit.leftovers, PM_LEFT_NOTHING);
    CHECK(m.exit.exited_at_ns >= before && m.exit.exited_at_ns <= pm_clock_realtime());
    CHECK(m.exit.usage.max_rss_kb > 0);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void signals_the_leader(void) {
    rig r;
    message m;
    int write_end, read_end = make_pipe(&write_end);
    rig_serve(&r, NULL);
    pid_t pid =
        spawn_child(&r, 1, &(child_spec){.role = "wait", .argument = {"exit", "bye"}, .output = write_end});
    close(write_end);
    CHECK_EQUAL(read_ready(read_end), pid);
    send_signal(&r, 1, SIGTERM, PM_SCOPE_LEADER);
    expect(&r, PM_EXITED, 1, &m);
    CHECK_EQUAL(WEXITSTATUS(m.exit.wait_status), 7);
    CHECK_TEXT(read_all(read_end), "bye");
    close(read_end);
    /* To an exited child: nothing happens, nothing is answered; a further request is. */
    send_signal(&r, 1, SIGTERM, PM_SCOPE_LEADER);
    send_signal(&r, 1, SIGTERM, PM_SCOPE_GROUP);
    send_signal(&r, 99, SIGTERM, PM_SCOPE_LEADER);
    expect(&r, PM_SIGNAL_FAILED, 99, &m);
    CHECK_EQUAL(m.failure.error, ESRCH);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void signals_the_group(void) {
    rig r;
    message m;
    int write_end, read_end = make_pipe(&write_end), keep_in, input = make_pipe(&keep_in);
    rig_serve(&r, NULL);
    spawn_child(&r, 1, &(child_spec){.role = "mate", .input = input, .output = write_end});
    close(write_end);
    read_ready(read_end);
    send_signal(&r, 1, SIGKILL, PM_SCOPE_GROUP);
    expect(&r, PM_EXITED, 1, &m);
    CHECK_EQUAL(WTERMSIG(m.exit.wait_status), SIGKILL);
    CHECK_TEXT(read_all(read_end), ""); /* the mate is gone, too */
    close(read_end);
    close(keep_in);
    close(input);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void refuses_a_signal_that_makes_no_sense(void) {
    rig r;
    message m;
    rig_serve(&r, NULL);
    spawn_child(&r, 1, &(child_spec){.role = "wait"});
    const pm_signal bad[] = {{.signal = -1}, {.signal = 1000}, {.signal = SIGTERM, .scope = 9}};
    for (int i = 0; i < 3; i++) {
        send_message(&r, &(outgoing){PM_SIGNAL, 1, &bad[i], sizeof bad[i]});
        expect(&r, PM_SIGNAL_FAILED, 1, &m);
        CHECK(m.failure.step == PM_STEP_SIGNAL && m.failure.error == EINVAL);
    }
    send_signal(&r, 1, 0, PM_SCOPE_TREE);
    expect(&r, PM_TREE, 1, &m);
    CHECK_EQUAL(m.tree.survivors, 1);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void forget_closes_held_descriptors_and_frees_the_id(void) {
    rig r;
    message m;
    int write_end, read_end = make_pipe(&write_end);
    rig_serve(&r, NULL);
    spawn_child(&r, 1, &(child_spec){.role = "exit", .held = {write_end}, .held_count = 1});
    close(write_end);
    expect(&r, PM_EXITED, 1, &m);
    CHECK_EQUAL(fcntl(read_end, F_SETFL, O_NONBLOCK), 0);
    char byte;
    CHECK(read(read_end, &byte, 1) == -1 && errno == EAGAIN); /* pm-init holds it */
    send_message(&r, &(outgoing){PM_FORGET, 1, NULL, 0});
    CHECK_TEXT(read_all(read_end), "");
    close(read_end);
    spawn_child(&r, 1, &(child_spec){.role = "exit"});
    expect(&r, PM_EXITED, 1, &m);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void forget_of_a_running_child_does_nothing(void) {
    rig r;
    message m;
    rig_serve(&r, NULL);
    spawn_child(&r, 1, &(child_spec){.role = "wait"});
    send_message(&r, &(outgoing){PM_FORGET, 1, NULL, 0});
    send_signal(&r, 1, SIGKILL, PM_SCOPE_LEADER);
    expect(&r, PM_EXITED, 1, &m);
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* "<name>: <kilobytes> kB" of /proc/PID/smaps_rollup. */
static long rollup(pid_t pid, const char *name) {
    char path[64], line[256];
    long kilobytes = -1;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            sscanf(line + strlen(name), "%ld", &kilobytes);
    if (file != NULL)
        fclose(file);
    return kilobytes;
}

static void spawn_many(rig *r, uint64_t count) {
    static message m;
    char state[PM_STATE_MAX + 1];
    memset(state, 's', PM_STATE_MAX);
    state[PM_STATE_MAX] = '\0';
    for (uint64_t id = 1; id <= count; id++) {
        send_spawn(r, id, &(child_spec){.path = "sleep", .argument = {"1000"}});
        expect(r, PM_SPAWNED, id, &m);
        send_state(r, &(state_wish){id, state, 1, 1000});
    }
}

static void memory_stays_within_its_budget(void) {
    rig r;
    rig_serve(&r, NULL);
    long empty = rollup(r.init, "Pss:"), own = rollup(r.init, "Pss_Anon:");
    if (empty < 0 || own < 0 || is_slow())
        skip("memory cannot be measured here");
    spawn_many(&r, 1000);
    send_signal(&r, 1, 0, PM_SCOPE_TREE); /* the last STATE has been taken once this is answered */
    static message m;
    expect(&r, PM_TREE, 1, &m);
    long full = rollup(r.init, "Pss:");
    printf("    PSS %ld kB empty, of which %ld kB are its own, %ld kB with 1000 children\n", empty, own,
           full);
    /* The kernel maps the pages of the program's file in blocks around those that are used: it decides how
     * many, from 64 to 192 kB more or less from run to run. */
    CHECK(own <= 160);
    CHECK(empty <= 800);
    CHECK(full - empty <= 1000);
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* Whether the process waits in epoll_pwait2(2), whose fourth argument, the timeout, is null: no time wakes
 * it. */
static bool waits_for_events_alone(pid_t pid) {
    char path[64];
    long number = -1;
    unsigned long arguments[4] = {0, 0, 0, 1};
    snprintf(path, sizeof path, "/proc/%d/syscall", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        skip("no /proc/PID/syscall here");
    int count = fscanf(file, "%ld %lx %lx %lx %lx", &number, &arguments[0], &arguments[1], &arguments[2],
                       &arguments[3]);
    fclose(file);
    return count == 5 && number == SYS_epoll_pwait2 && arguments[3] == 0;
}

static void waits_without_a_timeout_when_idle(void) {
    rig r;
    message m;
    if (is_slow())
        skip("pm-init waits inside of a tool");
    rig_serve(&r, NULL);
    spawn_child(&r, 1, &(child_spec){.role = "wait"});
    spawn_child(&r, 2, &(child_spec){.role = "exit"});
    expect(&r, PM_EXITED, 2, &m);
    uint64_t deadline = pm_clock_read(PM_CLOCK_MONOTONIC) + PATIENCE_MS * 1000000ull;
    while (!waits_for_events_alone(r.init))
        CHECK(pm_clock_read(PM_CLOCK_MONOTONIC) < deadline);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void named_descriptors_are_replaced_and_dropped(void) {
    rig r;
    struct {
        pm_message header;
        pm_name name;
    } packet = {.header = {.type = PM_HOLD, .size = sizeof packet}, .name = {"socket"}};
    int first_end, first = make_pipe(&first_end), second_end, second = make_pipe(&second_end);
    rig_serve(&r, NULL);
    send_raw(&r, &(raw_packet){&packet, sizeof packet, &first_end, 1});
    send_raw(&r, &(raw_packet){&packet, sizeof packet, &second_end, 1});
    close(first_end);
    CHECK_TEXT(read_all(first), "");
    close(first);
    packet.header.type = PM_DROP;
    send_raw(&r, &(raw_packet){&packet, sizeof packet, NULL, 0});
    close(second_end);
    CHECK_TEXT(read_all(second), "");
    close(second);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void reaps_orphans_that_it_never_started(void) {
    rig r;
    message m;
    int write_end, read_end = make_pipe(&write_end);
    rig_serve(&r, NULL);
    spawn_child(&r, 1, &(child_spec){.role = "escape", .argument = {"stay"}, .output = write_end});
    close(write_end);
    pid_t orphan = read_ready(read_end);
    pm_process process;
    CHECK_EQUAL(pm_process_read(orphan, &process), 0);
    if (process.parent != r.init) /* the process between them is about to end */
        wait_gone(process.parent);
    CHECK_EQUAL(pm_process_read(orphan, &process), 0);
    CHECK_EQUAL(process.parent, r.init);
    kill(orphan, SIGKILL);
    wait_gone(orphan);
    close(read_end);
    send_signal(&r, 1, SIGKILL, PM_SCOPE_LEADER);
    expect(&r, PM_EXITED, 1, &m);
    CHECK_EQUAL(m.exit.leftovers, PM_LEFT_NOTHING);
    CHECK_EQUAL(pm_process_read(orphan, &process) < 0, 1);
    CHECK_EQUAL(rig_stop(&r), 0);
}

const test init_tests[] = {
    {"init reports an exit with status and usage", reports_an_exit_with_status_and_usage},
    {"init signals the leader", signals_the_leader},
    {"init signals the group", signals_the_group},
    {"init refuses a signal that makes no sense", refuses_a_signal_that_makes_no_sense},
    {"init closes held descriptors and frees the id at forget",
     forget_closes_held_descriptors_and_frees_the_id},
    {"init ignores a forget of a running child", forget_of_a_running_child_does_nothing},
    {"init stays within its memory budget", memory_stays_within_its_budget},
    {"init waits without a timeout when idle", waits_without_a_timeout_when_idle},
    {"init replaces and drops named descriptors", named_descriptors_are_replaced_and_dropped},
    {"init reaps orphans that it never started", reaps_orphans_that_it_never_started},
    {NULL, NULL},
};
