/* When pmd is started again, and when that makes no sense. */
#include "harness.h"
#include "pmd_restart.h"
#include "times.h"

#include <stddef.h>

#define MILLISECONDS(n) ((n) * (uint64_t)MILLISECOND_NS)
#define SECONDS(n) ((n) * (uint64_t)SECOND_NS)

static pmd_life served(uint64_t duration_ns) {
    return (pmd_life){.stage = PMD_SERVING, .starts = 2, .duration_ns = duration_ns};
}

/* The pause after a life of this kind, in milliseconds. */
static uint64_t pause_after(pmd_restarts *history, pmd_life life) {
    restart_account_exit(history, &life);
    return restart_pause_ns(history) / MILLISECOND_NS;
}

static void a_first_pmd_that_takes_nothing_over_is_hopeless(void) {
    const pmd_life first = {.stage = PMD_STARTING, .starts = 1};
    pmd_life life = first;
    CHECK(restart_is_hopeless(&life));
    life.stage = PMD_SERVING;
    CHECK(!restart_is_hopeless(&life));
    life = first;
    life.starts = 2;
    CHECK(!restart_is_hopeless(&life));
    life = first;
    life.children = 1; /* who else would stop it? */
    CHECK(!restart_is_hopeless(&life));
}

static void failed_starts_wait_longer_each_time(void) {
    static const uint64_t expected[] = {0, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
    const pmd_life failed = {.stage = PMD_STARTING, .starts = 2, .duration_ns = MILLISECONDS(5)};
    pmd_restarts history = {0};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        CHECK_EQUAL(pause_after(&history, failed), expected[i]);
    history.failures = UINT32_MAX;
    CHECK_EQUAL(pause_after(&history, failed), 30000);
    CHECK_EQUAL(history.failures, UINT32_MAX);
}

static void an_accident_is_followed_at_once(void) {
    pmd_restarts history = {0};
    for (int i = 0; i < 128; i++)
        CHECK_EQUAL(pause_after(&history, served(MILLISECONDS(500))), 0);
    CHECK_EQUAL(pause_after(&history, served(MILLISECONDS(500))), 100);
    CHECK_EQUAL(pause_after(&history, served(MILLISECONDS(500))), 200);
}

static void lives_that_end_at_once_are_no_accidents(void) {
    pmd_restarts history = {0};
    for (int i = 0; i < 3; i++)
        CHECK_EQUAL(pause_after(&history, served(MILLISECONDS(29))), 0);
    CHECK_EQUAL(pause_after(&history, served(MILLISECONDS(29))), 100);
    /* One that lasts a little longer begins the count again. */
    CHECK_EQUAL(pause_after(&history, served(MILLISECONDS(30))), 0);
    CHECK_EQUAL(pause_after(&history, served(MILLISECONDS(29))), 0);
}

static void a_stable_life_forgives_all(void) {
    pmd_restarts history = {.failures = 9, .short_lives = 500};
    CHECK_EQUAL(pause_after(&history, served(SECONDS(10))), 0);
    CHECK_EQUAL(history.short_lives, 0);
    history = (pmd_restarts){.failures = 9, .short_lives = 500};
    CHECK_EQUAL(pause_after(&history, served(SECONDS(10) - 1)), 25600);
}

static void an_upgrade_is_followed_at_once(void) {
    const pmd_life upgraded = {
        .stage = PMD_SERVING, .end = PM_END_UPGRADE, .starts = 2, .duration_ns = MILLISECONDS(40)};
    pmd_restarts history = {.failures = 9, .short_lives = 500};
    CHECK_EQUAL(pause_after(&history, upgraded), 0);
    CHECK_EQUAL(history.failures, 1); /* until the next one is accounted for */
    CHECK_EQUAL(history.short_lives, 0);
}

static void a_hung_one_is_an_accident_like_another(void) {
    pmd_restarts history = {0};
    pmd_life hung = served(SECONDS(4));
    hung.end = PM_END_HUNG;
    CHECK_EQUAL(pause_after(&history, hung), 0);
    CHECK_EQUAL(history.short_lives, 1);
}

const test restart_tests[] = {
    {"restart: a first pmd that takes nothing over is hopeless",
     a_first_pmd_that_takes_nothing_over_is_hopeless},
    {"restart: failed starts wait longer each time", failed_starts_wait_longer_each_time},
    {"restart: an accident is followed at once, 128 times", an_accident_is_followed_at_once},
    {"restart: lives that end at once are no accidents", lives_that_end_at_once_are_no_accidents},
    {"restart: a stable life forgives all", a_stable_life_forgives_all},
    {"restart: an upgrade is followed at once", an_upgrade_is_followed_at_once},
    {"restart: a hung one is an accident like another", a_hung_one_is_an_accident_like_another},
    {NULL, NULL},
};
