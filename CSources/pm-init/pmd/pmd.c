#define _GNU_SOURCE
#include "pmd.h"
#include "errors.h"
#include "pm_clock.h"
#include "pm_file.h"
#include "pm_socket.h"
#include "times.h"

#include <signal.h>

/* How long it may live on without a channel. */
#define LINGER_NS (2u * (uint64_t)SECOND_NS)

/* A socket pair, our end in the channel. The other end, or -errno. */
static int open_channel(pmd *p) {
    int ours, theirs;
    int result = pm_socket_pair(PM_SOCKET_SEQPACKET, &ours, &theirs);
    if (result < 0)
        return result;
    result = channel_open(p->channel, ours);
    if (result == 0)
        return theirs;
    pm_fd_close(ours);
    pm_fd_close(theirs);
    return result;
}

bool pmd_start(pmd *p, int status, pm_spawn_failure *failure) {
    p->starts++;
    p->hand_overs = p->channel->hand_overs;
    p->restart_at_ns = 0;
    p->kill_at_ns = 0;
    p->end = PM_END_OWN;
    p->started_at_ns = pm_clock_read(PM_CLOCK_MONOTONIC);
    const int theirs = open_channel(p);
    if (theirs < 0)
        return fail_step(failure, PM_STEP_DESCRIPTORS, theirs);
    launch_result result;
    const launch_of_pmd launch = {.program = p->program, .control = theirs, .status = status};
    const bool started = launch_pmd(p->launcher, &launch, &result);
    pm_fd_close(theirs);
    if (!started) {
        channel_close(p->channel);
        *failure = result.failure;
        return false;
    }
    p->launcher->lineage->pmd_pid = result.child.pid;
    p->stage = PMD_STARTING;
    return true;
}

bool pmd_notice_hand_over(pmd *p) {
    if (p->stage != PMD_STARTING || p->channel->hand_overs == p->hand_overs)
        return false;
    p->stage = PMD_SERVING;
    return true;
}

pmd_life pmd_account_end(pmd *p, int wait_status, uint64_t now_ns) {
    const pmd_life life = {
        .stage = p->stage,
        .end = p->end,
        .starts = p->starts,
        .children = p->launcher->lineage->table.count,
        .duration_ns = now_ns - p->started_at_ns,
    };
    p->launcher->lineage->pmd_pid = 0;
    p->stage = PMD_NONE;
    p->kill_at_ns = 0;
    p->last_status = wait_status;
    p->last_end = p->end;
    p->end = PM_END_OWN;
    return life;
}

void pmd_plan_start(pmd *p, uint64_t now_ns) {
    p->restart_at_ns = now_ns + restart_pause_ns(&p->history);
}

void pmd_expect_end(pmd *p) {
    if (p->stage != PMD_NONE && p->kill_at_ns == 0)
        p->kill_at_ns = pm_clock_read(PM_CLOCK_MONOTONIC) + LINGER_NS;
}

void pmd_kill(pmd *p, pm_pmd_end end) {
    p->kill_at_ns = 0;
    if (p->stage == PMD_NONE)
        return;
    if (p->end == PM_END_OWN)
        p->end = end;
    kill(pmd_pid(p), SIGKILL);
}
