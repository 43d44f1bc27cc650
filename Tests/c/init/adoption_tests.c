/* What a new pmd finds after the old one is gone, and how pm-init fares with one that does not read. */
#define _GNU_SOURCE
#include "harness.h"
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A pm-init that has not read for so long does not read. */
#define STANDSTILL_MS 1000

static message adopted; /* as large as a packet, so not on the stack */

static void child_and_state_and_pipe_survive_pmd(void) {
    rig r;
    message *m = &adopted;
    int write_end, read_end = make_pipe(&write_end);
    rig_serve(&r, NULL);
    const child_spec spec = {.role = "wait",
                             .argument = {"exit", "last words"},
                             .output = write_end,
                             .held = {read_end},
                             .held_count = 1};
    pid_t pid = spawn_child(&r, 42, &spec);
    close(write_end);
    close(read_end); /* from here on only pm-init has it */
    send_state(&r, &(state_wish){42, "what the next one must know", 3, 1000});
    rig_kill_pmd(&r);
    rig_next_pmd(&r);
    CHECK_EQUAL(rig_hello(&r, m), 1);
    CHECK_EQUAL(r.starts, 2);
    CHECK(WIFSIGNALED(r.last_status) && WTERMSIG(r.last_status) == SIGKILL);
    CHECK_EQUAL(m->header.id, 42);
    CHECK_EQUAL(m->adopt.pid, pid);
    CHECK_EQUAL(m->adopt.phase, PM_CHILD_RUNNING);
    pm_process process;
    CHECK_EQUAL(pm_process_read(pid, &process), 0);
    CHECK(m->adopt.start_ticks <= process.start_ticks && m->adopt.start_ticks + 100 >= process.start_ticks);
    CHECK_EQUAL(m->adopt.state_size, strlen("what the next one must know"));
    CHECK(memcmp(m->bytes + sizeof m->adopt, "what the next one must know", m->adopt.state_size) == 0);
    CHECK_EQUAL(m->adopt.held, 1);
    CHECK_EQUAL(m->fd_count, 1);
    int handed = m->fds[0];
    CHECK_EQUAL(read_ready(handed), pid);
    send_signal(&r, 42, SIGTERM, PM_SCOPE_LEADER);
    expect(&r, PM_EXITED, 42, m);
    fcntl(handed, F_SETFL, 0);
    char text[16] = "";
    CHECK_EQUAL(read(handed, text, sizeof text - 1), 10);
    CHECK_TEXT(text, "last words");
    close(handed);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void exit_while_no_pmd_runs_is_told_by_adopt(void) {
    rig r;
    message *m = &adopted;
    int keep, input = make_pipe(&keep);
    rig_serve(&r, NULL);
    pid_t pid = spawn_child(&r, 7, &(child_spec){.role = "exit", .argument = {"55"}, .input = input});
    close(input);
    rig_kill_pmd(&r);
    close(keep); /* it ends while pmd is down or starting */
    wait_gone(pid);
    rig_next_pmd(&r);
    CHECK_EQUAL(rig_hello(&r, m), 1);
    if (m->adopt.phase == PM_CHILD_RUNNING) { /* pm-init reaped it a moment later */
        expect(&r, PM_EXITED, 7, m);
        CHECK_EQUAL(WEXITSTATUS(m->exit.wait_status), 55);
    } else {
        CHECK_EQUAL(WEXITSTATUS(m->adopt.wait_status), 55);
        CHECK(m->adopt.exited_at_ns > 0 && m->adopt.usage.max_rss_kb > 0);
    }
    send_message(&r, &(outgoing){PM_FORGET, 7, NULL, 0});
    rig_kill_pmd(&r);
    rig_next_pmd(&r);
    CHECK_EQUAL(rig_hello(&r, NULL), 0);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void exit_that_was_told_stays_until_it_is_forgotten(void) {
    rig r;
    message *m = &adopted;
    rig_serve(&r, NULL);
    spawn_child(&r, 7, &(child_spec){.role = "exit", .argument = {"12"}});
    expect(&r, PM_EXITED, 7, m);
    rig_kill_pmd(&r);
    rig_next_pmd(&r);
    CHECK_EQUAL(rig_hello(&r, m), 1);
    CHECK_EQUAL(m->adopt.phase, PM_CHILD_EXITED);
    CHECK_EQUAL(WEXITSTATUS(m->adopt.wait_status), 12);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void named_descriptors_survive_pmd(void) {
    rig r;
    message *m = &adopted;
    struct {
        pm_message header;
        pm_name name;
    } packet = {.header = {.type = PM_HOLD, .size = sizeof packet}, .name = {"listener"}};
    int write_end, read_end = make_pipe(&write_end);
    const pm_hello hello = {.version = PM_CONTROL_VERSION};
    rig_serve(&r, NULL);
    send_raw(&r, &(raw_packet){&packet, sizeof packet, &write_end, 1});
    close(write_end);
    for (int i = 0; i < 2; i++) {
        rig_kill_pmd(&r);
        rig_next_pmd(&r);
        send_message(&r, &(outgoing){PM_HELLO, 0, &hello, sizeof hello});
        expect(&r, PM_HELLO, 0, m);
        expect(&r, PM_HELD, 0, m);
        CHECK_TEXT(m->name.name, "listener");
        CHECK_EQUAL(m->fd_count, 1);
        CHECK_EQUAL(write(m->fds[0], "x", 1), 1);
        close_fds(m);
        expect(&r, PM_HANDED_OVER, 0, m);
    }
    CHECK_EQUAL(rig_stop(&r), 0);
    CHECK_TEXT(read_all(read_end), "xx");
    close(read_end);
}

static void restarts_come_later_and_later(void) {
    rig r;
    uint64_t pauses[4], since;
    rig_serve(&r, NULL);
    for (int i = 0; i < 4; i++) {
        since = pm_clock_read(PM_CLOCK_MONOTONIC);
        rig_kill_pmd(&r);
        rig_next_pmd(&r);
        pauses[i] = pm_clock_read(PM_CLOCK_MONOTONIC) - since;
    }
    CHECK(pauses[1] >= 100000000 && pauses[2] >= 200000000 && pauses[3] >= 400000000);
    CHECK(pauses[0] < pauses[3]);
    CHECK_EQUAL(rig_hello(&r, NULL), 0);
    CHECK_EQUAL(r.starts, 5);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void upgrade_starts_anew_at_once_and_keeps_children(void) {
    rig r;
    const pm_bye bye = {.reason = PM_BYE_UPGRADE};
    rig_serve(&r, NULL);
    spawn_child(&r, 1, &(child_spec){.role = "wait"});
    for (uint64_t i = 2; i < 8; i++) { /* with the backoff of failures this would take over three seconds */
        uint64_t since = pm_clock_read(PM_CLOCK_MONOTONIC);
        send_message(&r, &(outgoing){PM_BYE, 0, &bye, sizeof bye});
        rig_end_pmd(&r, 0);
        rig_next_pmd(&r);
        CHECK(i < 7 || pm_clock_read(PM_CLOCK_MONOTONIC) - since < 1500000000);
        CHECK_EQUAL(rig_hello(&r, NULL), 1);
        CHECK_EQUAL(r.starts, i);
    }
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* pm-init finds both the packets and the death; in the order in which they came. */
static void say_goodbye_around_death(bool dies_first) {
    rig r;
    const pm_bye bye = {.reason = PM_BYE_STOPPED, .status = 5};
    rig_serve(&r, NULL);
    CHECK_EQUAL(kill(r.init, SIGSTOP), 0);
    if (dies_first) {
        rig_kill_pmd(&r);
        wait_gone(r.pmd);
    }
    for (uint64_t i = 0; i < 20; i++)
        send_signal(&r, 1000 + i, 0, PM_SCOPE_LEADER); /* each is answered, before the goodbye */
    send_message(&r, &(outgoing){PM_BYE, 0, &bye, sizeof bye});
    if (!dies_first) {
        rig_kill_pmd(&r);
        wait_gone(r.pmd);
    }
    close(r.control);
    r.control = -1;
    CHECK_EQUAL(kill(r.init, SIGCONT), 0);
    CHECK_EQUAL(rig_wait(&r), 5);
}

static void goodbye_of_a_pmd_that_is_gone_is_still_read(void) {
    say_goodbye_around_death(false);
}

static void goodbye_is_read_although_the_death_is_seen_first(void) {
    say_goodbye_around_death(true);
}

static void pmd_that_closes_its_channel_is_replaced(void) {
    rig r;
    rig_serve(&r, NULL);
    pid_t first = r.pmd;
    int leash = dup(r.leash); /* or the old one would end by itself */
    close(r.control);
    r.control = -1;
    rig_next_pmd(&r); /* the old one hangs on; pm-init ends it after its patience */
    CHECK(r.pmd != first);
    close(leash);
    CHECK_EQUAL(rig_hello(&r, NULL), 0);
    CHECK(WIFSIGNALED(r.last_status) && WTERMSIG(r.last_status) == SIGKILL);
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* The answers to requests that were sent without reading, in order, none lost. */
static void answers_wait_for_a_pmd_that_does_not_read(void) {
    rig r;
    message *m = &adopted;
    const uint64_t most = 20000;
    uint64_t sent = 0;
    rig_serve(&r, NULL);
    spawn_child(&r, 1, &(child_spec){.role = "exit", .argument = {"1"}});
    expect(&r, PM_EXITED, 1, m);
    struct {
        pm_message header;
        pm_signal body;
    } packet = {.header = {.type = PM_SIGNAL, .size = sizeof packet}};
    const pm_piece piece = {&packet, sizeof packet};
    /* Until both queues are full: pm-init has stopped reading when a full socket does not empty any more. */
    struct pollfd room = {.fd = r.control, .events = POLLOUT};
    while (sent < most && poll(&room, 1, STANDSTILL_MS) == 1) {
        packet.header.id = 1000 + sent;
        sent += pm_packet_send(r.control, &(pm_packet){&piece, 1, NULL, 0}) > 0;
    }
    CHECK(sent > 100 && sent < most);
    for (uint64_t i = 0; i < sent; i++)
        expect(&r, PM_SIGNAL_FAILED, 1000 + i, m);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void many_exits_wait_for_a_pmd_that_does_not_read(void) {
    rig r;
    message *m = &adopted;
    enum { CHILDREN = 1000 };
    static bool seen[CHILDREN + 1];
    int keep, input = make_pipe(&keep);
    rig_serve(&r, NULL);
    for (uint64_t id = 1; id <= CHILDREN; id++) {
        send_spawn(&r, id, &(child_spec){.path = "cat", .input = input});
        expect(&r, PM_SPAWNED, id, m);
    }
    close(input);
    close(keep); /* all end at once; more reports than the socket holds */
    for (int i = 0; i < CHILDREN; i++) {
        receive(&r, m);
        CHECK_EQUAL(m->header.type, PM_EXITED);
        CHECK(m->header.id >= 1 && m->header.id <= CHILDREN && !seen[m->header.id]);
        CHECK_EQUAL(m->exit.leftovers, PM_LEFT_NOTHING);
        seen[m->header.id] = true;
    }
    /* A hand-over of all of them fits no socket either. */
    rig_kill_pmd(&r);
    rig_next_pmd(&r);
    CHECK_EQUAL(rig_hello(&r, NULL), CHILDREN);
    CHECK_EQUAL(rig_stop(&r), 0);
}

const test adoption_tests[] = {
    {"adoption: child, state and pipe survive pmd", child_and_state_and_pipe_survive_pmd},
    {"adoption: an exit while no pmd runs is told by ADOPT", exit_while_no_pmd_runs_is_told_by_adopt},
    {"adoption: an exit that was told stays until it is forgotten",
     exit_that_was_told_stays_until_it_is_forgotten},
    {"adoption: named descriptors survive pmd", named_descriptors_survive_pmd},
    {"adoption: restarts come later and later", restarts_come_later_and_later},
    {"adoption: an upgrade starts anew at once and keeps children",
     upgrade_starts_anew_at_once_and_keeps_children},
    {"adoption: the goodbye of a pmd that is gone is still read",
     goodbye_of_a_pmd_that_is_gone_is_still_read},
    {"adoption: the goodbye is read although the death is seen first",
     goodbye_is_read_although_the_death_is_seen_first},
    {"adoption: a pmd that closes its channel is replaced", pmd_that_closes_its_channel_is_replaced},
    {"adoption: answers wait for a pmd that does not read", answers_wait_for_a_pmd_that_does_not_read},
    {"adoption: many exits wait for a pmd that does not read", many_exits_wait_for_a_pmd_that_does_not_read},
    {NULL, NULL},
};
