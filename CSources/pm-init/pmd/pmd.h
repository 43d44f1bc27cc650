/* The process of pmd: starting it, ending it, and what was seen of it. What its end means is lifecycle.c's.
 */
#ifndef PMD_H
#define PMD_H

#include "channel.h"
#include "launch.h"
#include "pmd_restart.h"

/* The first three are set once, and borrowed. */
typedef struct {
    launcher *launcher;
    channel *channel;
    char *const *program; /* and its arguments, null-terminated */
    pmd_stage stage;
    pm_pmd_end end;      /* why the one that runs is expected to end */
    pm_pmd_end last_end; /* why the one before it did */
    int32_t last_status;
    uint64_t starts;
    uint64_t hand_overs;    /* of the channel, before this one */
    uint64_t started_at_ns; /* monotonic, as all below */
    uint64_t restart_at_ns; /* 0: no start is planned */
    uint64_t kill_at_ns;    /* it must have ended by then; 0: it need not */
    pmd_restarts history;
} pmd;

/* Its process; 0: none runs. */
static inline int32_t pmd_pid(const pmd *p) {
    return p->launcher->lineage->pmd_pid;
}
/* Starts it, with the status descriptor if that is not negative. False: nothing runs. */
bool pmd_start(pmd *p, int status, pm_spawn_failure *failure);
/* Notices that it has taken everything over: true when that is news. */
bool pmd_notice_hand_over(pmd *p);
/* It was reaped. Gives what its life was. */
pmd_life pmd_account_end(pmd *p, int wait_status, uint64_t now_ns);
/* Plans the next start, after a pause that the history says. */
void pmd_plan_start(pmd *p, uint64_t now_ns);
/* Its end of the channel is closed, or it said goodbye: it must end soon. */
void pmd_expect_end(pmd *p);
/* Ends it by SIGKILL, if it runs, for this reason, unless it said before that it ends for an upgrade. */
void pmd_kill(pmd *p, pm_pmd_end end);

#endif
