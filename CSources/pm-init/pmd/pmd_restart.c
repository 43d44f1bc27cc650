#include "pmd_restart.h"
#include "times.h"

#define PAUSE_FIRST_NS (100u * (uint64_t)MILLISECOND_NS)
#define PAUSE_LAST_NS (30u * (uint64_t)SECOND_NS)
/* So many failures double the first pause beyond the last one. */
#define FAILURES_MOST 16
/* A pmd that lived this long is no failed start. */
#define STABLE_NS (10u * (uint64_t)SECOND_NS)
/* The end of a pmd that served is an accident, and is followed at once; more than so many in a row are no
 * accidents, and even fewer of lives as short as this. */
#define ACCIDENTS 128
#define HASTY_NS (30u * (uint64_t)MILLISECOND_NS)
#define HASTY_ACCIDENTS 3

bool restart_is_hopeless(const pmd_life *life) {
    return life->starts == 1 && life->stage != PMD_SERVING && life->children == 0;
}

void restart_account_exit(pmd_restarts *history, const pmd_life *life) {
    const bool has_served = life->stage == PMD_SERVING;
    const bool is_good = life->end == PM_END_UPGRADE || life->duration_ns >= STABLE_NS;
    history->short_lives = is_good || !has_served ? 0 : history->short_lives + 1;
    history->hasty_lives = life->duration_ns >= HASTY_NS || !has_served ? 0 : history->hasty_lives + 1;
    if (is_good ||
        (has_served && history->hasty_lives <= HASTY_ACCIDENTS && history->short_lives <= ACCIDENTS))
        history->failures = 0;
}

/* 0, 100 ms, 200 ms, ... 30 s. */
static uint64_t pause_after(uint32_t failures) {
    if (failures == 0)
        return 0;
    const uint64_t pause = failures > FAILURES_MOST ? PAUSE_LAST_NS : PAUSE_FIRST_NS << (failures - 1);
    return pause < PAUSE_LAST_NS ? pause : PAUSE_LAST_NS;
}

uint64_t restart_pause_ns(pmd_restarts *history) {
    const uint64_t pause = pause_after(history->failures);
    if (history->failures < UINT32_MAX)
        history->failures++;
    return pause;
}
