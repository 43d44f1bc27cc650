#define _GNU_SOURCE
#include "lifecycle.h"
#include "errors.h"
#include "log.h"
#include "pm_clock.h"
#include "reexec.h"
#include "status.h"
#include "stop.h"
#include "stop_plan.h"
#include "times.h"
#include "tree.h"

#include <sys/wait.h>

/* How long the last sweep may take, and how often it looks again. */
#define ENDING_NS (10u * (uint64_t)SECOND_NS)
#define SWEEP_NS (50u * (uint64_t)MILLISECOND_NS)
/* Exit status where pmd could not be started or gave none of its own. */
#define EXIT_FAILURE_STATUS 1

static const char *reason_of(phase_event event) {
    switch (event) {
    case EVENT_STOP_SIGNAL: return "it was asked to by a signal";
    case EVENT_PMD_STOPPED: return "pmd has stopped all services";
    case EVENT_PMD_ENDED: return "pmd ended before it had stopped all services";
    case EVENT_NO_PMD: return "pmd cannot be started";
    case EVENT_DEADLINE: return "the time for it is over";
    case EVENT_ALL_STOPPED: return "all services are stopped";
    case EVENT_ALL_GONE: return "no process is left";
    }
    return "";
}

static void enter_phase(pm_init *i, uint64_t now) {
    lifecycle *l = &i->lifecycle;
    switch (l->phase) {
    case PHASE_STOP_ASKED:
        l->deadline_ns = now + i->options.grace_s * (uint64_t)SECOND_NS;
        channel_ask_to_stop(&i->channel);
        break;
    case PHASE_STOPPING:
        i->pmd.restart_at_ns = 0;
        channel_close(&i->channel);
        pmd_kill(&i->pmd, PM_END_OWN);
        break;
    case PHASE_ENDING:
        i->pmd.restart_at_ns = 0;
        l->next_sweep_ns = now;
        l->deadline_ns = now + ENDING_NS;
        break;
    case PHASE_DONE: stop_remove_cgroups(&i->orphans); break;
    case PHASE_SERVING: break;
    }
}

static void tell_phase(phase phase, phase_event event) {
    switch (phase) {
    case PHASE_STOP_ASKED: log_line("asks pmd to stop all services: ", reason_of(event), NULL); break;
    case PHASE_STOPPING: log_line("stops all services without pmd: ", reason_of(event), NULL); break;
    case PHASE_ENDING: log_line("ends: ", reason_of(event), NULL); break;
    case PHASE_DONE:
        if (event != EVENT_ALL_GONE)
            log_line("gives up on processes that SIGKILL does not end: ", reason_of(event), NULL);
        break;
    case PHASE_SERVING: break;
    }
}

/* Goes on to the phase that follows; false: the event means nothing now. */
static bool happen(pm_init *i, phase_event event) {
    const phase next = phase_after(i->lifecycle.phase, event, i->pmd.stage != PMD_NONE);
    if (next == i->lifecycle.phase)
        return false;
    i->lifecycle.phase = next;
    tell_phase(next, event);
    enter_phase(i, pm_clock_read(PM_CLOCK_MONOTONIC));
    return true;
}

static void end_with_failure(pm_init *i, int code, const char *message) {
    log_line(message, NULL);
    status_fail(&i->status_fd, code, message);
    i->lifecycle.exit_status = code;
    happen(i, EVENT_NO_PMD);
}

static void plan_start(pm_init *i, uint64_t now) {
    pmd *p = &i->pmd;
    pmd_plan_start(p, now);
    if (p->history.failures > 1)
        failure_note_write(&i->note, &(failure_facts){.failures = p->history.failures,
                                                      .last_status = p->last_status,
                                                      .retry_at_ns = p->restart_at_ns});
}

static void add_failure(text *message, const pm_spawn_failure *failure) {
    text_add(message, pm_step_name(failure->step));
    text_add(message, ": ");
    text_add(message, failure_text(failure));
}

void lifecycle_start_pmd(pm_init *i) {
    char buffer[400];
    pm_spawn_failure failure;
    if (pmd_start(&i->pmd, i->pmd.starts == 0 ? i->status_fd : -1, &failure))
        return;
    text message = text_in(buffer, sizeof buffer);
    text_add(&message, "cannot start ");
    text_add(&message, i->options.program[0]);
    text_add(&message, ": ");
    add_failure(&message, &failure);
    const pmd_life life = {.starts = i->pmd.starts, .children = i->lineage.table.count};
    if (restart_is_hopeless(&life)) {
        end_with_failure(i, EXIT_FAILURE_STATUS, message.start);
        return;
    }
    log_line(message.start, "; it is tried again", NULL);
    plan_start(i, pm_clock_read(PM_CLOCK_MONOTONIC));
}

void lifecycle_stop_signal(pm_init *i) {
    happen(i, EVENT_STOP_SIGNAL);
}

void lifecycle_pmd_stopped(pm_init *i, int exit_status) {
    i->lifecycle.exit_status = exit_status;
    pmd_expect_end(&i->pmd);
    channel_mute(&i->channel);
    happen(i, EVENT_PMD_STOPPED);
}

void lifecycle_notice_hand_over(pm_init *i) {
    if (!pmd_notice_hand_over(&i->pmd))
        return;
    failure_note_clear(&i->note);
    status_close(&i->status_fd); /* from here on the start is pmd's to report */
}

static void add_end(text *message, int wait_status) {
    text_add(message, WIFEXITED(wait_status) ? "ended with status " : "was ended by signal ");
    text_add_number(message,
                    (uint64_t)(WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : WTERMSIG(wait_status)));
}

/* The first pmd ended before it took anything over. */
static void pass_failure_on(pm_init *i, int wait_status) {
    char buffer[64];
    text message = text_in(buffer, sizeof buffer);
    if (WIFEXITED(wait_status)) {
        end_with_failure(i, WEXITSTATUS(wait_status), "pmd ended while starting");
        return;
    }
    text_add(&message, "pmd ");
    add_end(&message, wait_status);
    end_with_failure(i, 128 + WTERMSIG(wait_status), message.start);
}

static const char *cause_of(pm_pmd_end end) {
    switch (end) {
    case PM_END_OWN:
    case PM_END_UPGRADE: break;
    case PM_END_HUNG: return ", because it hung";
    case PM_END_LOST: return ", because it ran on without its connection to pm-init";
    }
    return "";
}

/* A planned end is no trouble, and the successor tells of it. */
static void tell_end(const pm_init *i, const pmd_life *life, uint64_t now) {
    char buffer[64];
    text end = text_in(buffer, sizeof buffer);
    if (life->end == PM_END_UPGRADE)
        return;
    add_end(&end, i->pmd.last_status);
    const uint64_t pause_ms = (i->pmd.restart_at_ns - now) / MILLISECOND_NS;
    log_line("pmd ", end.start, cause_of(life->end), life->stage == PMD_SERVING ? "" : " before it served",
             "; it is started again ", pause_ms == 0 ? "at once" : "in ",
             pause_ms == 0 ? "" : log_number(pause_ms), pause_ms == 0 ? "" : " ms", NULL);
}

void lifecycle_pmd_ended(pm_init *i, int wait_status) {
    const uint64_t now = pm_clock_read(PM_CLOCK_MONOTONIC);
    lifecycle_notice_hand_over(i);
    channel_close(&i->channel);
    watch_end(&i->watch);
    reexec_cancel(i);
    const pmd_life life = pmd_account_end(&i->pmd, wait_status, now);
    happen(i, EVENT_PMD_ENDED);
    if (i->lifecycle.phase != PHASE_SERVING)
        return;
    if (restart_is_hopeless(&life)) {
        pass_failure_on(i, wait_status);
        return;
    }
    status_close(&i->status_fd);
    restart_account_exit(&i->pmd.history, &life);
    plan_start(i, now);
    tell_end(i, &life, now);
}

static void tick_pmd(pm_init *i, uint64_t now) {
    lifecycle_notice_hand_over(i);
    if (watch_tick(&i->watch, pmd_pid(&i->pmd), now))
        pmd_kill(&i->pmd, PM_END_HUNG);
    if (is_due(i->pmd.kill_at_ns, now))
        pmd_kill(&i->pmd, PM_END_LOST);
    if (is_due(i->pmd.restart_at_ns, now) && i->lifecycle.phase == PHASE_SERVING)
        lifecycle_start_pmd(i);
}

/* While pmd alone is left it may take its time. */
static bool is_sweep_needed(const pm_init *i) {
    return stop_is_child_left(&i->lineage.table) || i->pmd.stage == PMD_NONE;
}

/* Sweeps until everyone is reaped; gives up on what hangs in the kernel. */
static bool tick_ending(pm_init *i, uint64_t now) {
    if (!stop_has_descendants())
        return happen(i, EVENT_ALL_GONE);
    if (now >= i->lifecycle.deadline_ns)
        return happen(i, EVENT_DEADLINE);
    if (now >= i->lifecycle.next_sweep_ns && is_sweep_needed(i)) {
        tree_kill_all(&i->lineage);
        i->lifecycle.next_sweep_ns = pm_clock_read(PM_CLOCK_MONOTONIC) + SWEEP_NS;
    }
    return false;
}

/* What is due in this phase; true when another one has begun. */
static bool tick_phase(pm_init *i, uint64_t now) {
    switch (i->lifecycle.phase) {
    case PHASE_STOP_ASKED: return now >= i->lifecycle.deadline_ns && happen(i, EVENT_DEADLINE);
    case PHASE_STOPPING: return stop_children(&i->lineage, now) && happen(i, EVENT_ALL_STOPPED);
    case PHASE_ENDING: return tick_ending(i, now);
    case PHASE_SERVING:
    case PHASE_DONE: break;
    }
    return false;
}

void lifecycle_tick(pm_init *i, uint64_t now_ns) {
    tick_pmd(i, now_ns);
    while (tick_phase(i, now_ns)) {
    }
}

uint64_t lifecycle_deadline(const pm_init *i) {
    switch (i->lifecycle.phase) {
    case PHASE_STOP_ASKED: return i->lifecycle.deadline_ns;
    case PHASE_STOPPING: return stop_plan_deadline(&i->lineage.table);
    case PHASE_ENDING: return is_sweep_needed(i) ? i->lifecycle.next_sweep_ns : i->lifecycle.deadline_ns;
    case PHASE_SERVING:
    case PHASE_DONE: break;
    }
    return 0;
}
