/* Trees without cgroups: what is left, what is found, what is killed. */
#define _GNU_SOURCE
#include "harness.h"
#include "rig.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* So many times an escape is tried, at chance moments. */
#define HURRIES 100

static message m;

/* A child with an escapee: two pids, a pipe that stays open as long as either lives. */
typedef struct {
    pid_t leader, escapee;
    int pipe;
} family;

static family spawn_family(rig *r, uint64_t id, const char *manner, const char *hide) {
    family f;
    int write_end;
    f.pipe = make_pipe(&write_end);
    f.leader =
        spawn_child(r, id, &(child_spec){.role = "escape", .argument = {manner, hide}, .output = write_end});
    close(write_end);
    f.escapee = read_ready(f.pipe);
    return f;
}

static void check_all_gone(const family *f) {
    CHECK_TEXT(read_all(f->pipe), "");
    close(f->pipe);
}

static void finds_and_kills_an_escapee(void) {
    rig r;
    rig_serve(&r, NULL);
    family f = spawn_family(&r, 1, "stay", NULL), other = spawn_family(&r, 2, "stay", NULL);
    send_signal(&r, 1, 0, PM_SCOPE_TREE);
    expect(&r, PM_TREE, 1, &m);
    CHECK_EQUAL(m.tree.survivors, 2);
    CHECK((m.tree.pids[0] == f.leader && m.tree.pids[1] == f.escapee) ||
          (m.tree.pids[0] == f.escapee && m.tree.pids[1] == f.leader));
    send_signal(&r, 1, SIGKILL, PM_SCOPE_TREE);
    expect(&r, PM_TREE, 1, &m);
    expect(&r, PM_EXITED, 1, &m);
    check_all_gone(&f);
    send_signal(&r, 2, 0, PM_SCOPE_TREE);
    for (receive(&r, &m); m.header.type == PM_TREE_EMPTY; receive(&r, &m))
        CHECK_EQUAL(m.header.id, 1);
    CHECK(m.header.type == PM_TREE && m.header.id == 2);
    CHECK_EQUAL(m.tree.survivors, 2); /* the other family is whole */
    CHECK_EQUAL(rig_stop(&r), 0);
    check_all_gone(&other);
}

static void tells_leftovers_and_their_end(void) {
    rig r;
    rig_serve(&r, NULL);
    family f = spawn_family(&r, 1, "leave", NULL);
    expect(&r, PM_EXITED, 1, &m);
    CHECK_EQUAL(m.exit.leftovers, PM_LEFT_MAYBE);
    kill(f.escapee, SIGKILL);
    expect(&r, PM_TREE_EMPTY, 1, &m);
    check_all_gone(&f);
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* The process between leader and escapee is reaped by pm-init, at a time of its own. */
static void tells_leftovers_whose_parent_is_just_ending(void) {
    rig r;
    rig_serve(&r, NULL);
    for (uint64_t id = 1; id <= HURRIES; id++) {
        family f = spawn_family(&r, id, "hurry", NULL);
        expect(&r, PM_EXITED, id, &m);
        CHECK_EQUAL(m.exit.leftovers, PM_LEFT_MAYBE);
        kill(f.escapee, SIGKILL);
        expect(&r, PM_TREE_EMPTY, id, &m);
        check_all_gone(&f);
    }
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void kills_leftovers_after_the_leader_is_gone(void) {
    rig r;
    rig_serve(&r, NULL);
    family f = spawn_family(&r, 1, "leave", NULL);
    expect(&r, PM_EXITED, 1, &m);
    send_signal(&r, 1, SIGTERM, PM_SCOPE_GROUP); /* the escapee is deaf to it */
    send_signal(&r, 1, SIGKILL, PM_SCOPE_TREE);
    expect(&r, PM_TREE, 1, &m);
    expect(&r, PM_TREE_EMPTY, 1, &m);
    check_all_gone(&f);
    send_signal(&r, 1, 0, PM_SCOPE_TREE);
    expect(&r, PM_TREE, 1, &m);
    CHECK_EQUAL(m.tree.survivors, 0);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void tells_leftovers_in_the_group(void) {
    rig r;
    int write_end, read_end = make_pipe(&write_end), keep, input = make_pipe(&keep);
    rig_serve(&r, NULL);
    spawn_child(
        &r, 1, &(child_spec){.role = "mate", .argument = {"exit", "x"}, .input = input, .output = write_end});
    close(write_end);
    close(input);
    read_ready(read_end);
    close(keep); /* the leader ends, its mate stays */
    expect(&r, PM_EXITED, 1, &m);
    CHECK_EQUAL(m.exit.leftovers, PM_LEFT_MAYBE);
    send_signal(&r, 1, SIGTERM, PM_SCOPE_GROUP);
    expect(&r, PM_TREE_EMPTY, 1, &m);
    CHECK_TEXT(read_all(read_end), "x");
    close(read_end);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void leftovers_survive_pmd(void) {
    rig r;
    rig_serve(&r, NULL);
    family f = spawn_family(&r, 1, "leave", NULL);
    expect(&r, PM_EXITED, 1, &m);
    rig_kill_pmd(&r);
    rig_next_pmd(&r);
    CHECK_EQUAL(rig_hello(&r, &m), 1);
    CHECK_EQUAL(m.adopt.phase, PM_CHILD_EXITED);
    CHECK_EQUAL(m.adopt.leftovers, PM_LEFT_MAYBE);
    kill(f.escapee, SIGKILL);
    expect(&r, PM_TREE_EMPTY, 1, &m);
    check_all_gone(&f);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void end_of_init_finds_who_hides_its_environment(void) {
    rig r;
    rig_serve(&r, NULL);
    family f = spawn_family(&r, 1, "leave", "hide");
    expect(&r, PM_EXITED, 1, &m);
    CHECK_EQUAL(kill(f.escapee, 0), 0);
    send_message(&r, &(outgoing){PM_FORGET, 1, NULL, 0});
    CHECK_EQUAL(rig_stop(&r), 0);
    check_all_gone(&f);
}

/* A daemon with a clean environment, in a session whose leader is gone. */
static void finds_and_kills_who_hides_its_environment(void) {
    rig r;
    rig_serve(&r, NULL);
    family f = spawn_family(&r, 1, "stay", "hide"), other = spawn_family(&r, 2, "stay", "hide");
    send_signal(&r, 1, 0, PM_SCOPE_TREE);
    expect(&r, PM_TREE, 1, &m);
    CHECK_EQUAL(m.tree.survivors, 2);
    send_signal(&r, 1, SIGKILL, PM_SCOPE_TREE);
    expect(&r, PM_TREE, 1, &m);
    check_all_gone(&f);
    CHECK_EQUAL(kill(other.leader, 0), 0);
    CHECK_EQUAL(kill(other.escapee, 0), 0);
    CHECK_EQUAL(rig_stop(&r), 0);
    check_all_gone(&other);
}

static void tells_leftovers_that_hide_their_environment(void) {
    rig r;
    rig_serve(&r, NULL);
    family f = spawn_family(&r, 1, "leave", "hide");
    expect(&r, PM_EXITED, 1, &m);
    CHECK_EQUAL(m.exit.leftovers, PM_LEFT_MAYBE);
    send_signal(&r, 1, SIGKILL, PM_SCOPE_TREE);
    expect(&r, PM_TREE, 1, &m);
    expect(&r, PM_TREE_EMPTY, 1, &m);
    check_all_gone(&f);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void ends_a_tree_that_goes_on_forking(void) {
    rig r;
    int write_end, read_end = make_pipe(&write_end);
    rig_serve(&r, NULL);
    spawn_child(&r, 1, &(child_spec){.role = "chain", .output = write_end});
    close(write_end);
    read_ready(read_end);
    expect(&r, PM_EXITED, 1, &m); /* the leader was its first link */
    CHECK_EQUAL(m.exit.leftovers, PM_LEFT_MAYBE);
    do {
        send_signal(&r, 1, SIGKILL, PM_SCOPE_TREE);
        receive(&r, &m);
    } while (m.header.type == PM_TREE && m.tree.survivors > 0);
    CHECK_TEXT(read_all(read_end), "");
    close(read_end);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void a_childs_tree_is_not_anothers(void) {
    rig r;
    rig_serve(&r, NULL);
    family one = spawn_family(&r, 1, "stay", NULL), ten = spawn_family(&r, 10, "stay", NULL);
    send_signal(&r, 1, SIGKILL, PM_SCOPE_TREE);
    expect(&r, PM_TREE, 1, &m);
    expect(&r, PM_EXITED, 1, &m);
    check_all_gone(&one);
    CHECK_EQUAL(kill(ten.leader, 0), 0);
    CHECK_EQUAL(kill(ten.escapee, 0), 0);
    CHECK_EQUAL(rig_stop(&r), 0);
    check_all_gone(&ten);
}

/* Takes the report of the child's end and the answer to a search of its tree, whichever comes first. */
static void expect_end_and_tree(rig *r, uint64_t id) {
    bool is_told = false, is_searched = false;
    while (!is_told || !is_searched) {
        receive(r, &m);
        CHECK_EQUAL(m.header.id, id);
        bool *flag = m.header.type == PM_EXITED ? &is_told : &is_searched;
        CHECK(!*flag && (m.header.type == PM_EXITED || m.header.type == PM_TREE));
        *flag = true;
    }
}

/* While deaths follow each other they are judged together, a little later; a search may come first. */
static void a_death_is_told_though_a_search_comes_first(void) {
    enum { ORPHANS = 24, PAIRS = 40 };
    rig r;
    rig_serve(&r, NULL);
    for (uint64_t id = 1; id <= ORPHANS; id++) { /* so that judging, and the rest after it, take a while */
        spawn_child(&r, id, &(child_spec){.role = "escape", .argument = {"leave"}});
        expect(&r, PM_EXITED, id, &m);
    }
    for (uint64_t id = ORPHANS + 1; id <= ORPHANS + 2 * PAIRS; id += 2) {
        const pid_t first = spawn_child(&r, id, &(child_spec){.role = "wait"});
        const pid_t second = spawn_child(&r, id + 1, &(child_spec){.role = "wait"});
        kill(first, SIGKILL);
        expect(&r, PM_EXITED, id, &m);
        kill(second, SIGKILL);
        send_signal(&r, id + 1, SIGKILL, PM_SCOPE_TREE);
        expect_end_and_tree(&r, id + 1);
    }
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* Children of this process, dead ones included. */
static int count_children(pid_t pid) {
    char path[64];
    int count = 0, child;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    FILE *list = fopen(path, "re");
    CHECK(list != NULL);
    while (fscanf(list, "%d", &child) == 1)
        count++;
    fclose(list);
    return count;
}

/* More deaths than one turn of the loop reaps, and a single SIGCHLD for all. */
static void a_thousand_deaths_at_once_are_reaped(void) {
    rig r;
    rig_serve(&r, NULL);
    spawn_child(&r, 1, &(child_spec){.role = "brood", .argument = {"2500"}});
    expect(&r, PM_EXITED, 1, &m);
    for (int turn = 0; turn < 5; turn++) { /* each answer takes a turn */
        send_signal(&r, 99, 0, PM_SCOPE_LEADER);
        do
            receive(&r, &m);
        while (m.header.type == PM_TREE_EMPTY);
        CHECK_EQUAL(m.header.type, PM_SIGNAL_FAILED);
    }
    CHECK_EQUAL(count_children(r.init), 1); /* pmd */
    CHECK_EQUAL(rig_stop(&r), 0);
}

const test tree_tests[] = {
    {"tree: more deaths than one turn reaps are reaped", a_thousand_deaths_at_once_are_reaped},
    {"tree: a death is told though a search comes first", a_death_is_told_though_a_search_comes_first},
    {"tree: an escapee is found and killed", finds_and_kills_an_escapee},
    {"tree: leftovers and their end are told", tells_leftovers_and_their_end},
    {"tree: leftovers whose parent is just ending are told", tells_leftovers_whose_parent_is_just_ending},
    {"tree: leftovers are killed after the leader is gone", kills_leftovers_after_the_leader_is_gone},
    {"tree: leftovers in the group are told", tells_leftovers_in_the_group},
    {"tree: leftovers survive pmd", leftovers_survive_pmd},
    {"tree: who hides its environment is found at the end", end_of_init_finds_who_hides_its_environment},
    {"tree: who hides its environment is found and killed", finds_and_kills_who_hides_its_environment},
    {"tree: leftovers that hide their environment are told", tells_leftovers_that_hide_their_environment},
    {"tree: one that goes on forking is ended", ends_a_tree_that_goes_on_forking},
    {"tree: one child's is not another's", a_childs_tree_is_not_anothers},
    {NULL, NULL},
};
