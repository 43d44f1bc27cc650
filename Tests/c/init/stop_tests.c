/* SIGTERM to pm-init, with a pmd that answers, one that does not, and none. */
#define _GNU_SOURCE
#include "harness.h"
#include "rig.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static message m;

static void asks_pmd_to_stop_all(void) {
    rig r;
    rig_serve(&r, NULL);
    spawn_child(&r, 1, &(child_spec){.role = "wait"});
    kill(r.init, SIGTERM);
    expect(&r, PM_STOP_REQUESTED, 0, &m);
    send_signal(&r, 1, SIGTERM, PM_SCOPE_GROUP);
    expect(&r, PM_EXITED, 1, &m);
    const pm_bye bye = {.reason = PM_BYE_STOPPED, .status = 0};
    send_message(&r, &(outgoing){PM_BYE, 0, &bye, sizeof bye});
    rig_end_pmd(&r, 0);
    CHECK_EQUAL(rig_wait(&r), 0);
}

static void asks_a_pmd_that_is_still_starting(void) {
    rig r;
    const pm_hello hello = {.version = PM_CONTROL_VERSION};
    rig_start(&r, NULL);
    kill(r.init, SIGINT);
    send_message(&r, &(outgoing){PM_HELLO, 0, &hello, sizeof hello});
    expect(&r, PM_HELLO, 0, &m);
    expect(&r, PM_HANDED_OVER, 0, &m);
    expect(&r, PM_STOP_REQUESTED, 0, &m);
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* Three children at two levels that say a word at SIGTERM, into one pipe; gives its read end. */
static int spawn_levels(rig *r) {
    int write_end, read_end = make_pipe(&write_end);
    const struct {
        const char *word;
        uint32_t order;
    } children[] = {{"base ", 1}, {"top ", 9}, {"middle ", 5}};
    for (uint64_t i = 0; i < 3; i++) {
        const child_spec spec = {.role = "wait",
                                 .argument = {"exit", children[i].word},
                                 .output = write_end,
                                 .stop_order = children[i].order};
        pid_t pid = spawn_child(r, i + 1, &spec);
        CHECK_EQUAL(read_ready(read_end), pid);
    }
    close(write_end);
    return read_end;
}

static void stops_in_order_when_pmd_is_gone(void) {
    rig r;
    rig_serve(&r, NULL);
    int words = spawn_levels(&r);
    kill(r.init, SIGTERM);
    expect(&r, PM_STOP_REQUESTED, 0, &m);
    rig_kill_pmd(&r);
    CHECK_EQUAL(rig_wait(&r), 0);
    CHECK_TEXT(read_all(words), "top middle base ");
    close(words);
}

static void stops_in_order_when_no_pmd_runs(void) {
    rig r;
    /* On a very slow machine the next pmd may be there already; then the grace makes no difference but time.
     */
    rig_serve(&r, (const char *const[]){"--grace", "1", NULL});
    int words = spawn_levels(&r);
    send_state(&r, &(state_wish){1, "", 7, 60000}); /* base now stops second */
    for (int i = 0; i < 4; i++) {                   /* until the backoff leaves time between two pmds */
        rig_kill_pmd(&r);
        if (i < 3)
            rig_next_pmd(&r);
    }
    wait_gone(r.pmd);
    kill(r.init, SIGTERM);
    CHECK_EQUAL(rig_wait(&r), 0);
    CHECK_TEXT(read_all(words), "top base middle ");
    close(words);
}

static void stops_itself_when_pmd_does_not_answer_in_time(void) {
    rig r;
    rig_serve(&r, (const char *const[]){"--grace", "1", NULL});
    int words = spawn_levels(&r);
    uint64_t since = pm_clock_read(PM_CLOCK_MONOTONIC);
    kill(r.init, SIGTERM);
    CHECK_EQUAL(rig_wait(&r), 0);
    CHECK(pm_clock_read(PM_CLOCK_MONOTONIC) - since >= 1000000000);
    CHECK_TEXT(read_all(words), "top middle base ");
    close(words);
}

static void stops_itself_at_a_second_signal(void) {
    rig r;
    rig_serve(&r, NULL);
    int words = spawn_levels(&r);
    kill(r.init, SIGTERM);
    expect(&r, PM_STOP_REQUESTED, 0, &m);
    kill(r.init, SIGTERM);
    CHECK_EQUAL(rig_wait(&r), 0);
    CHECK_TEXT(read_all(words), "top middle base ");
    close(words);
}

/* A child that is deaf to SIGTERM, with a deaf escapee. */
static int spawn_deaf(rig *r, uint64_t id, uint32_t wait_ms) {
    int write_end, read_end = make_pipe(&write_end);
    const child_spec spec = {
        .role = "escape", .argument = {"stay"}, .output = write_end, .stop_wait_ms = wait_ms};
    spawn_child(r, id, &spec);
    close(write_end);
    read_ready(read_end);
    return read_end;
}

static void kills_the_tree_after_its_wait(void) {
    rig r;
    rig_serve(&r, NULL);
    int pipe = spawn_deaf(&r, 1, 300), write_end, word = make_pipe(&write_end);
    send_state(&r, &(state_wish){1, "", 9, 300});
    spawn_child(&r, 2, &(child_spec){.role = "wait", .argument = {"exit", "x"}, .output = write_end});
    close(write_end);
    read_ready(word);
    uint64_t since = pm_clock_read(PM_CLOCK_MONOTONIC);
    kill(r.init, SIGTERM);
    expect(&r, PM_STOP_REQUESTED, 0, &m); /* taken, so the next one is not merged with it */
    kill(r.init, SIGTERM);
    wait_readable(word); /* the lower level is told to stop only when nobody of the upper one is left */
    char byte;
    CHECK(pm_clock_read(PM_CLOCK_MONOTONIC) - since >= 300000000);
    CHECK_EQUAL(pm_fd_set_nonblocking(pipe, true), 0);
    CHECK_EQUAL(read(pipe, &byte, 1), 0);
    close(pipe);
    close(word);
    CHECK_EQUAL(rig_wait(&r), 0);
}

static void kills_all_at_a_third_signal(void) {
    rig r;
    rig_serve(&r, NULL);
    int pipe = spawn_deaf(&r, 1, PATIENCE_MS);
    kill(r.init, SIGTERM);
    expect(&r, PM_STOP_REQUESTED, 0, &m);
    kill(r.init, SIGTERM);
    char byte; /* the channel is closed once the second one has been taken */
    wait_readable(r.control);
    CHECK_EQUAL(read(r.control, &byte, 1), 0);
    kill(r.init, SIGTERM);
    CHECK_EQUAL(rig_wait(&r), 0);
    CHECK_TEXT(read_all(pipe), "");
    close(pipe);
}

static void goodbye_kills_what_is_left(void) {
    rig r;
    rig_serve(&r, NULL);
    int pipe = spawn_deaf(&r, 1, PATIENCE_MS);
    CHECK_EQUAL(rig_stop(&r), 0);
    CHECK_TEXT(read_all(pipe), "");
    close(pipe);
}

static void hears_a_goodbye_behind_unread_messages(void) {
    rig r;
    rig_serve(&r, NULL);
    spawn_child(&r, 1, &(child_spec){.role = "exit"});
    wait_readable(r.control); /* the exit, which pmd leaves unread */
    kill(r.init, SIGSTOP);
    const pm_bye bye = {.reason = PM_BYE_STOPPED, .status = 5};
    send_message(&r, &(outgoing){PM_BYE, 0, &bye, sizeof bye});
    rig_end_pmd(&r, 0);
    pm_fd_close(r.control);
    r.control = -1;
    kill(r.init, SIGCONT);
    CHECK_EQUAL(rig_wait(&r), 5);
}

static void continues_a_stopped_child_to_stop_it(void) {
    rig r;
    int write_end, read_end = make_pipe(&write_end);
    rig_serve(&r, NULL);
    pid_t pid =
        spawn_child(&r, 1, &(child_spec){.role = "wait", .argument = {"exit", "bye"}, .output = write_end});
    close(write_end);
    read_ready(read_end);
    kill(pid, SIGSTOP);
    kill(r.init, SIGTERM);
    expect(&r, PM_STOP_REQUESTED, 0, &m);
    kill(r.init, SIGTERM);
    CHECK_EQUAL(rig_wait(&r), 0);
    CHECK_TEXT(read_all(read_end), "bye");
    close(read_end);
}

static void continues_stopped_leftovers_to_stop_them(void) {
    rig r;
    int write_end, read_end = make_pipe(&write_end), keep, input = make_pipe(&keep);
    rig_serve(&r, NULL);
    const child_spec spec = {.role = "mate",
                             .argument = {"exit", "bye"},
                             .input = input,
                             .output = write_end,
                             .stop_wait_ms = PATIENCE_MS};
    spawn_child(&r, 1, &spec);
    close(write_end);
    close(input);
    pid_t mate = read_ready(read_end);
    close(keep); /* the leader ends, its mate stays */
    expect(&r, PM_EXITED, 1, &m);
    kill(mate, SIGSTOP);
    kill(r.init, SIGTERM);
    expect(&r, PM_STOP_REQUESTED, 0, &m);
    kill(r.init, SIGTERM);
    CHECK_EQUAL(rig_wait(&r), 0);
    CHECK_TEXT(read_all(read_end), "bye");
    close(read_end);
}

static void other_signals_mean_nothing(void) {
    rig r;
    rig_serve(&r, NULL);
    const int signals[] = {SIGHUP,  SIGUSR1, SIGUSR2, SIGQUIT, SIGPIPE,
                           SIGALRM, SIGTSTP, SIGTTOU, SIGCHLD, SIGRTMIN};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        kill(r.init, signals[i]);
    spawn_child(&r, 1, &(child_spec){.role = "exit"});
    expect(&r, PM_EXITED, 1, &m);
    CHECK_EQUAL(rig_stop(&r), 0);
}

const test stop_tests[] = {
    {"stop: pmd is asked to stop all", asks_pmd_to_stop_all},
    {"stop: a pmd that is still starting is asked", asks_a_pmd_that_is_still_starting},
    {"stop: in order when pmd is gone", stops_in_order_when_pmd_is_gone},
    {"stop: in order when no pmd runs", stops_in_order_when_no_pmd_runs},
    {"stop: without pmd when it does not answer in time", stops_itself_when_pmd_does_not_answer_in_time},
    {"stop: without pmd at a second signal", stops_itself_at_a_second_signal},
    {"stop: the tree is killed after its wait", kills_the_tree_after_its_wait},
    {"stop: all is killed at a third signal", kills_all_at_a_third_signal},
    {"stop: a goodbye kills what is left", goodbye_kills_what_is_left},
    {"stop: a goodbye is heard behind messages that pmd left unread", hears_a_goodbye_behind_unread_messages},
    {"stop: a stopped child is continued", continues_a_stopped_child_to_stop_it},
    {"stop: stopped leftovers are continued", continues_stopped_leftovers_to_stop_them},
    {"stop: other signals mean nothing", other_signals_mean_nothing},
    {NULL, NULL},
};
