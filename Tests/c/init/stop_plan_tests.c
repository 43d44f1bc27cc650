/* In which order children are stopped without pmd, and when; and the phases of pm-init's own end. */
#include "harness.h"
#include "phases.h"
#include "stop_plan.h"
#include "times.h"

#include <stddef.h>

#define NOW (1000u * (uint64_t)SECOND_NS)

static table made_table(void) {
    table t;
    CHECK_EQUAL(table_init(&t, 100), 0);
    return t;
}

static record *child(table *t, uint64_t id, uint32_t order, child_state state) {
    record *r;
    CHECK_EQUAL(table_add(t, id, &r), 0);
    r->stop_order = order;
    r->stop_wait_ms = 2000;
    table_set_state(t, r, state);
    return r;
}

static void the_highest_level_that_is_not_gone_is_next(void) {
    table t = made_table();
    uint32_t level = 7;
    CHECK(!stop_plan_level(&t, &level));
    record *top = child(&t, 1, 9, CHILD_RUNNING), *middle = child(&t, 2, 5, CHILD_LEFT);
    child(&t, 3, 0, CHILD_PREPARING);
    child(&t, 4, 20, CHILD_GONE);
    child(&t, 5, 20, CHILD_FAILED);
    child(&t, 6, 20, CHILD_FORGOTTEN);
    CHECK(stop_plan_level(&t, &level));
    CHECK_EQUAL(level, 9);
    top->stage = STOP_GIVEN_UP;
    CHECK(stop_plan_level(&t, &level));
    CHECK_EQUAL(level, 5);
    table_set_state(&t, middle, CHILD_GONE);
    CHECK(stop_plan_level(&t, &level));
    CHECK_EQUAL(level, 0);
}

static void a_child_is_signalled_then_killed_then_given_up(void) {
    table t = made_table();
    record *r = child(&t, 1, 0, CHILD_RUNNING);
    CHECK_EQUAL(stop_plan_next(r, NOW), STOP_SIGNAL);
    CHECK_EQUAL(stop_plan_next(r, NOW), STOP_WAIT);
    CHECK_EQUAL(stop_plan_deadline(&t), NOW + 2 * (uint64_t)SECOND_NS);
    CHECK_EQUAL(stop_plan_next(r, stop_plan_deadline(&t) - 1), STOP_WAIT);
    const uint64_t killed = stop_plan_deadline(&t);
    CHECK_EQUAL(stop_plan_next(r, killed), STOP_KILL);
    CHECK_EQUAL(stop_plan_next(r, killed), STOP_WAIT);
    CHECK_EQUAL(stop_plan_deadline(&t), killed + 5 * (uint64_t)SECOND_NS);
    CHECK_EQUAL(stop_plan_next(r, stop_plan_deadline(&t)), STOP_WAIT);
    CHECK(stop_plan_is_gone(r));
    CHECK_EQUAL(stop_plan_deadline(&t), 0);
}

static void a_child_without_a_wait_is_killed_with_its_signal(void) {
    table t = made_table();
    record *r = child(&t, 1, 0, CHILD_RUNNING);
    r->stop_wait_ms = 0;
    CHECK_EQUAL(stop_plan_next(r, NOW), STOP_SIGNAL);
    CHECK_EQUAL(stop_plan_next(r, NOW), STOP_KILL);
    CHECK_EQUAL(stop_plan_next(r, NOW), STOP_WAIT);
}

static void a_child_that_just_died_is_judged_first(void) {
    table t = made_table();
    record *r = child(&t, 1, 0, CHILD_DEAD);
    CHECK_EQUAL(stop_plan_next(r, NOW), STOP_WAIT);
    CHECK_EQUAL(stop_plan_deadline(&t), 0);
    CHECK(!stop_plan_is_gone(r));
    table_set_state(&t, r, CHILD_LEFT);
    CHECK_EQUAL(stop_plan_next(r, NOW), STOP_SIGNAL);
}

/* The phases after these events, beginning with PHASE_SERVING and a pmd. */
static phase after(const phase_event *events, int count) {
    phase now = PHASE_SERVING;
    for (int i = 0; i < count; i++)
        now = phase_after(now, events[i], true);
    return now;
}

static void each_stop_signal_goes_one_step_further(void) {
    static const phase expected[] = {PHASE_SERVING, PHASE_STOP_ASKED, PHASE_STOPPING, PHASE_ENDING,
                                     PHASE_ENDING};
    const phase_event signals[] = {EVENT_STOP_SIGNAL, EVENT_STOP_SIGNAL, EVENT_STOP_SIGNAL,
                                   EVENT_STOP_SIGNAL};
    for (int count = 0; count < 5; count++)
        CHECK_EQUAL(after(signals, count), expected[count]);
    CHECK_EQUAL(phase_after(PHASE_SERVING, EVENT_STOP_SIGNAL, false), PHASE_STOPPING);
}

static void the_end_of_pmd_means_what_it_was_asked_for(void) {
    CHECK_EQUAL(phase_after(PHASE_SERVING, EVENT_PMD_ENDED, true), PHASE_SERVING);
    CHECK_EQUAL(phase_after(PHASE_STOP_ASKED, EVENT_PMD_ENDED, true), PHASE_STOPPING);
    CHECK_EQUAL(phase_after(PHASE_SERVING, EVENT_NO_PMD, false), PHASE_ENDING);
    CHECK_EQUAL(phase_after(PHASE_SERVING, EVENT_PMD_STOPPED, true), PHASE_ENDING);
    CHECK_EQUAL(phase_after(PHASE_STOP_ASKED, EVENT_PMD_STOPPED, true), PHASE_ENDING);
}

static void no_event_goes_back(void) {
    for (int now = PHASE_SERVING; now <= PHASE_DONE; now++)
        for (int event = EVENT_STOP_SIGNAL; event <= EVENT_ALL_GONE; event++)
            for (int has_pmd = 0; has_pmd < 2; has_pmd++)
                CHECK(phase_after(now, event, has_pmd != 0) >= (phase)now);
    CHECK_EQUAL(phase_after(PHASE_STOPPING, EVENT_ALL_STOPPED, false), PHASE_ENDING);
    CHECK_EQUAL(phase_after(PHASE_ENDING, EVENT_ALL_GONE, false), PHASE_DONE);
    CHECK_EQUAL(phase_after(PHASE_ENDING, EVENT_DEADLINE, false), PHASE_DONE);
    CHECK_EQUAL(phase_after(PHASE_STOP_ASKED, EVENT_DEADLINE, true), PHASE_STOPPING);
}

const test stop_plan_tests[] = {
    {"stop plan: the highest level that is not gone is next", the_highest_level_that_is_not_gone_is_next},
    {"stop plan: a child is signalled, then killed, then given up",
     a_child_is_signalled_then_killed_then_given_up},
    {"stop plan: a child without a wait is killed with its signal",
     a_child_without_a_wait_is_killed_with_its_signal},
    {"stop plan: a child that just died is judged first", a_child_that_just_died_is_judged_first},
    {"phases: each stop signal goes one step further", each_stop_signal_goes_one_step_further},
    {"phases: the end of pmd means what it was asked for", the_end_of_pmd_means_what_it_was_asked_for},
    {"phases: no event goes back", no_event_goes_back},
    {NULL, NULL},
};
