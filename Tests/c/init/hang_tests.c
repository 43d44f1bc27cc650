/* Which looks at a pmd say that it hangs. */
#include "hang_check.h"
#include "harness.h"

#include <stddef.h>

static hang_check begun(void) {
    return (hang_check){.turns = 7, .cpu_ticks = 100};
}

/* A process that sleeps although it has something to do. */
static hang_look idle_look(void) {
    return (hang_look){.turns = 7, .cpu_ticks = 100, .state = 'S', .has_work = true};
}

static void two_looks_without_a_turn_are_enough(void) {
    hang_check check = begun();
    const hang_look look = idle_look();
    CHECK_EQUAL(hang_judge(&check, &look), HANG_MAYBE);
    CHECK_EQUAL(hang_judge(&check, &look), HANG_SURE);
}

static void a_turn_or_nothing_to_do_ends_all_doubts(void) {
    hang_look turned = idle_look(), idle = idle_look(), unread = idle_look();
    turned.turns = 8;
    idle.has_work = false;
    unread.state = 0;
    const hang_look *looks[] = {&turned, &idle, &unread};
    for (int i = 0; i < 3; i++) {
        hang_check check = begun();
        check.doubts = 1;
        CHECK_EQUAL(hang_judge(&check, looks[i]), HANG_NONE);
    }
}

static void a_stopped_one_hangs_and_a_traced_one_does_not(void) {
    static const struct {
        char state;
        hang_verdict verdict;
    } cases[] = {{'T', HANG_SURE}, {'S', HANG_SURE}, {'Z', HANG_SURE}, {'t', HANG_MAYBE}, {'D', HANG_MAYBE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hang_check check = begun();
        hang_look look = idle_look();
        look.state = cases[i].state;
        CHECK_EQUAL(hang_judge(&check, &look), HANG_MAYBE);
        CHECK_EQUAL(hang_judge(&check, &look), cases[i].verdict);
    }
}

static void one_that_runs_hangs_only_if_it_gets_a_processor(void) {
    hang_check check = begun();
    hang_look look = idle_look();
    look.state = 'R';
    for (int i = 0; i < 100; i++)
        CHECK_EQUAL(hang_judge(&check, &look), HANG_MAYBE); /* nobody lets it run */
    look.cpu_ticks = 101;
    CHECK_EQUAL(hang_judge(&check, &look), HANG_MAYBE);
    CHECK_EQUAL(hang_judge(&check, &look), HANG_MAYBE); /* it has not run since */
    look.cpu_ticks = 102;
    CHECK_EQUAL(hang_judge(&check, &look), HANG_SURE);
}

const test hang_tests[] = {
    {"hang: two looks without a turn are enough", two_looks_without_a_turn_are_enough},
    {"hang: a turn, or nothing to do, ends all doubts", a_turn_or_nothing_to_do_ends_all_doubts},
    {"hang: a stopped one hangs, and a traced or waiting one does not",
     a_stopped_one_hangs_and_a_traced_one_does_not},
    {"hang: one that runs hangs only if it gets a processor",
     one_that_runs_hangs_only_if_it_gets_a_processor},
    {NULL, NULL},
};
