#define _GNU_SOURCE
#include "loop.h"
#include "cpmlinux.h"
#include "events.h"
#include "lifecycle.h"
#include "reap.h"
#include "reexec.h"
#include "requests.h"
#include "times.h"

#include <signal.h>

#define EVENTS 64
/* Signals that are read in one turn: of each kind that is read at most one waits, and another process may
 * send them without pause. */
#define SIGNALS 16

static void read_signals(pm_init *i) {
    pm_signal_info info;
    for (int count = 0; count < SIGNALS && pm_signalfd_read(i->signals, &info) > 0; count++)
        if (info.signal == SIGCHLD)
            i->has_more_to_reap = true;
        else
            lifecycle_stop_signal(i);
    if (i->has_more_to_reap)
        i->has_more_to_reap = reap_batch(i);
}

static void dispatch(pm_init *i, const pm_epoll_event *event) {
    const uint32_t index = (uint32_t)event->data;
    switch ((event_kind)(event->data >> 32)) {
    case EVENT_SIGNAL: read_signals(i); break;
    case EVENT_CONTROL: requests_ready(i, event->events); break;
    case EVENT_WATCHED: watch_has_work(&i->watch, pmd_pid(&i->pmd)); break;
    case EVENT_START: executor_ready(&i->executor, index); break;
    case EVENT_CGROUP: orphans_cgroup_changed(&i->orphans, index); break;
    }
}

static bool is_pump_due(const channel *c, uint64_t now) {
    return c->flow == FLOW_OPEN || (c->flow == FLOW_REFUSED && is_due(c->retry_at_ns, now));
}

/* What is due by now, in an order in which a later step sees what an earlier one found. */
static void tick(pm_init *i) {
    const uint64_t now = pm_clock_read(PM_CLOCK_MONOTONIC);
    if (i->has_more_to_reap)
        i->has_more_to_reap = reap_batch(i);
    if (is_due(i->orphans.judge_at_ns, now))
        orphans_judge(&i->orphans);
    lifecycle_tick(i, now);
    if (is_pump_due(&i->channel, now))
        channel_pump(&i->channel);
    manager_tick(&i->manager, now);
    reexec_tick(i, now);
}

/* Nanoseconds until something is due; -1: nothing is, and an idle pm-init never wakes. */
static int64_t time_left(const pm_init *i) {
    const uint64_t deadlines[] = {
        i->orphans.judge_at_ns, i->pmd.restart_at_ns,    i->pmd.kill_at_ns,      i->watch.look_at_ns,
        i->channel.retry_at_ns, i->reexec.give_up_at_ns, i->manager.alive_at_ns, lifecycle_deadline(i),
    };
    uint64_t next = 0;
    for (size_t at = 0; at < sizeof deadlines / sizeof *deadlines; at++)
        next = earlier_deadline(next, deadlines[at]);
    if (i->has_more_to_reap)
        return 0;
    if (next == 0)
        return -1;
    const uint64_t now = pm_clock_read(PM_CLOCK_MONOTONIC);
    return next > now ? (int64_t)(next - now) : 0;
}

int loop_run(pm_init *i) {
    pm_epoll_event events[EVENTS];
    for (;;) {
        tick(i);
        if (i->lifecycle.phase == PHASE_DONE)
            return i->lifecycle.exit_status;
        const int count = pm_epoll_wait(i->epoll, events, EVENTS, time_left(i));
        for (int at = 0; at < count; at++)
            dispatch(i, &events[at]);
    }
}
