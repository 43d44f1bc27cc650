#define _GNU_SOURCE
#include "pmd.h"
#include "channel.h"
#include "cpmlinux.h"
#include "failure_note.h"
#include "launch.h"
#include "reexec.h"
#include "status.h"
#include "stop.h"
#include "text.h"
#include "watch.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define BACKOFF_FIRST_NS (100u * (uint64_t)MILLISECOND_NS)
#define BACKOFF_LAST_NS (30u * (uint64_t)SECOND_NS)
/* A pmd that lived this long is no failed start; the backoff begins anew. */
#define STABLE_NS (10u * (uint64_t)SECOND_NS)
/* The end of one that took over is an accident, and it is followed at once; so many in a row are no
 * accidents, and even fewer of lives as short as this. */
#define ACCIDENTS 128
#define HASTY_NS (30u * (uint64_t)MILLISECOND_NS)
#define HASTY_ACCIDENTS 3
/* How long it may live on without a channel. */
#define LINGER_NS (2u * (uint64_t)SECOND_NS)
/* Exit status where pmd could not be started or gave none of its own. */
#define EXIT_FAILURE_STATUS 1

/* 0, 100 ms, 200 ms, ... 30 s. */
static uint64_t backoff(uint32_t failures) {
    if (failures == 0)
        return 0;
    uint64_t delay = failures > 16 ? BACKOFF_LAST_NS : BACKOFF_FIRST_NS << (failures - 1);
    return delay < BACKOFF_LAST_NS ? delay : BACKOFF_LAST_NS;
}

static void plan_restart(holder *h, uint64_t now) {
    h->pmd.restart_at_ns = now + backoff(h->pmd.failures);
    h->pmd.failures++;
    if (h->pmd.failures > 1)
        failure_note_write(h, h->pmd.restart_at_ns);
}

static void end_with_failure(holder *h, int code, const char *message) {
    status_fail(h, code, message);
    stop_all_now(h, code);
}

static void start_failed(holder *h, const pm_spawn_failure *failure) {
    char buffer[400];
    text message = text_in(buffer, sizeof buffer);
    text_add(&message, "cannot start ");
    text_add(&message, h->options.program[0]);
    text_add(&message, ": ");
    text_add(&message, pm_step_name(failure->step));
    text_add(&message, ": ");
    const char *reason = strerrordesc_np(failure->error);
    text_add(&message, reason != NULL ? reason : "unknown error");
    if (h->pmd.starts == 1 && h->table.count == 0)
        end_with_failure(h, EXIT_FAILURE_STATUS, message.start);
    else
        plan_restart(h, pm_clock_read(PM_CLOCK_MONOTONIC));
}

/* A socket pair, our end in the channel; gives the other end or -1. */
static int open_channel(holder *h, pm_spawn_failure *failure) {
    int ours, theirs;
    int result = pm_socket_pair(PM_SOCKET_SEQPACKET, &ours, &theirs);
    if (result == 0 && (result = channel_open(h, ours)) < 0) {
        pm_fd_close(ours);
        pm_fd_close(theirs);
    }
    *failure = (pm_spawn_failure){.step = PM_STEP_DESCRIPTORS, .error = -result};
    return result < 0 ? -1 : theirs;
}

void pmd_start(holder *h) {
    pmd_state *p = &h->pmd;
    launch_result result;
    p->starts++;
    p->restart_at_ns = 0;
    p->kill_at_ns = 0;
    p->is_upgrading = false;
    p->has_taken_over = false;
    p->started_at_ns = pm_clock_read(PM_CLOCK_MONOTONIC);
    int theirs = open_channel(h, &result.failure);
    bool started = theirs >= 0 && launch_pmd(h, theirs, p->starts == 1 ? h->status_fd : -1, &result);
    pm_fd_close(theirs);
    if (started) {
        p->pid = result.child.pid;
    } else {
        channel_close(h);
        start_failed(h, &result.failure);
    }
}

/* The first pmd ended before it took anything over: most likely a bad configuration, which a restart would
 * not cure. */
static void pass_failure_on(holder *h, int wait_status) {
    char buffer[64];
    text message = text_in(buffer, sizeof buffer);
    if (WIFEXITED(wait_status)) {
        text_add(&message, "pmd ended while starting");
        end_with_failure(h, WEXITSTATUS(wait_status), message.start);
        return;
    }
    text_add(&message, "pmd was ended by signal ");
    text_add_number(&message, (uint64_t)WTERMSIG(wait_status));
    end_with_failure(h, 128 + WTERMSIG(wait_status), message.start);
}

/* Takes a life as a good one, an accident or a failed start. */
static void account_exit(pmd_state *p, uint64_t life_ns) {
    bool is_good = p->is_upgrading || life_ns >= STABLE_NS;
    p->short_lives = is_good || !p->has_taken_over ? 0 : p->short_lives + 1;
    p->hasty_lives = life_ns >= HASTY_NS || !p->has_taken_over ? 0 : p->hasty_lives + 1;
    if (is_good || (p->has_taken_over && p->hasty_lives <= HASTY_ACCIDENTS && p->short_lives <= ACCIDENTS))
        p->failures = 0;
}

void pmd_ended(holder *h, int wait_status) {
    pmd_state *p = &h->pmd;
    uint64_t now = pm_clock_read(PM_CLOCK_MONOTONIC);
    channel_close(h);
    watch_end(h);
    reexec_cancel(h);
    p->pid = 0;
    p->kill_at_ns = 0;
    p->last_status = wait_status;
    p->had_hung = p->has_hung;
    p->has_hung = false;
    if (h->phase == PHASE_STOP_ASKED)
        stop_begin(h);
    if (h->phase != PHASE_SERVING)
        return;
    if (p->starts == 1 && !p->has_attached && h->table.count == 0) {
        pass_failure_on(h, wait_status);
        return;
    }
    status_close(h);
    account_exit(p, now - p->started_at_ns);
    plan_restart(h, now);
}

void pmd_expect_end(holder *h) {
    if (h->pmd.pid != 0 && h->pmd.kill_at_ns == 0)
        h->pmd.kill_at_ns = pm_clock_read(PM_CLOCK_MONOTONIC) + LINGER_NS;
}

void pmd_kill(holder *h) {
    h->pmd.restart_at_ns = 0;
    h->pmd.kill_at_ns = 0;
    channel_close(h);
    if (h->pmd.pid != 0)
        kill(h->pmd.pid, SIGKILL);
}

void pmd_tick(holder *h, uint64_t now_ns) {
    pmd_state *p = &h->pmd;
    if (p->kill_at_ns != 0 && now_ns >= p->kill_at_ns) {
        p->kill_at_ns = 0;
        kill(p->pid, SIGKILL);
    }
    if (p->restart_at_ns != 0 && now_ns >= p->restart_at_ns && h->phase == PHASE_SERVING)
        pmd_start(h);
}
