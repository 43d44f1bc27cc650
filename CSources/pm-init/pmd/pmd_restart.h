/*
 * When pmd is started again after it has ended: a decision out of numbers, without a clock or a process.
 */
#ifndef PMD_RESTART_H
#define PMD_RESTART_H

#include "control.h"

/* How far a pmd has come. */
typedef enum {
    PMD_NONE,     /* none runs */
    PMD_STARTING, /* it runs, and the hand-over is not complete */
    PMD_SERVING,  /* it has taken everything over */
} pmd_stage;

/* One pmd, from its start to its end. */
typedef struct {
    pmd_stage stage; /* the last one */
    pm_pmd_end end;
    uint64_t starts; /* of pmds, this one included */
    uint32_t children;
    uint64_t duration_ns;
} pmd_life;

/* What earlier lives say about the next one. */
typedef struct {
    uint32_t failures;    /* in a row, for the pause */
    uint32_t short_lives; /* in a row: served, and ended soon after */
    uint32_t hasty_lives; /* in a row: served, and ended at once */
} pmd_restarts;

/* Whether another start would only fail again: the first pmd ended before it took anything over, most likely
 * because of its configuration, and there is no child that needs one. */
bool restart_is_hopeless(const pmd_life *life);
/* Takes a life into the history, as a good one, an accident or a failed start. */
void restart_account_exit(pmd_restarts *history, const pmd_life *life);
/* The pause before the next start, in nanoseconds: 0 after a good life or an accident, else longer with each
 * failure in a row. Counts the next start as one that fails until it is accounted for. */
uint64_t restart_pause_ns(pmd_restarts *history);

#endif
