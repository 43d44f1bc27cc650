#define _GNU_SOURCE
#include "loop.h"
#include "channel.h"
#include "cpmlinux.h"
#include "executor.h"
#include "manager.h"
#include "orphans.h"
#include "pmd.h"
#include "reap.h"
#include "reexec.h"
#include "requests.h"
#include "stop.h"
#include "watch.h"

#include <signal.h>

#define EVENTS 64

static void read_signals(holder *h) {
    pm_signal_info info;
    bool has_child_ended = false;
    while (pm_signalfd_read(h->signals, &info) > 0) {
        if (info.signal == SIGCHLD)
            has_child_ended = true;
        else
            stop_requested(h);
    }
    if (has_child_ended)
        reap_all(h);
}

static void dispatch(holder *h, const pm_epoll_event *event) {
    switch (event->data >> 32) {
    case EVENT_SIGNAL: read_signals(h); break;
    case EVENT_CONTROL: requests_ready(h, event->events); break;
    case EVENT_WATCHED: watch_has_work(h); break;
    case EVENT_START: executor_ready(h, (uint32_t)event->data); break;
    case EVENT_CGROUP: orphans_cgroup_changed(h, (uint32_t)event->data); break;
    }
}

/* What is due by now, in an order in which a later step sees what an earlier one found. */
static void tick(holder *h) {
    uint64_t now = pm_clock_read(PM_CLOCK_MONOTONIC);
    if (h->judge_at_ns != 0 && now >= h->judge_at_ns)
        orphans_judge(h);
    watch_tick(h, now);
    pmd_tick(h, now);
    stop_tick(h, now);
    if (!h->channel.is_blocked || (h->channel.retry_at_ns != 0 && now >= h->channel.retry_at_ns))
        channel_pump(h);
    manager_tick(h, now);
    reexec_tick(h, now);
}

static void note_deadline(uint64_t *next, uint64_t deadline) {
    if (deadline != 0 && deadline < *next)
        *next = deadline;
}

/* Nanoseconds until something is due; -1: nothing is, and an idle pm-init never wakes. */
static int64_t time_left(const holder *h) {
    uint64_t next = UINT64_MAX;
    note_deadline(&next, h->judge_at_ns);
    note_deadline(&next, h->pmd.restart_at_ns);
    note_deadline(&next, h->pmd.kill_at_ns);
    note_deadline(&next, h->watched.look_at_ns);
    note_deadline(&next, h->channel.retry_at_ns);
    note_deadline(&next, h->reexec.give_up_at_ns);
    note_deadline(&next, h->manager.alive_at_ns);
    note_deadline(&next, stop_deadline(h));
    if (next == UINT64_MAX)
        return -1;
    uint64_t now = pm_clock_read(PM_CLOCK_MONOTONIC);
    return next > now ? (int64_t)(next - now) : 0;
}

int loop_run(holder *h) {
    pm_epoll_event events[EVENTS];
    for (;;) {
        tick(h);
        if (h->phase == PHASE_DONE)
            return h->exit_status;
        int count = pm_epoll_wait(h->epoll, events, EVENTS, time_left(h));
        for (int i = 0; i < count; i++)
            dispatch(h, &events[i]);
    }
}
