#define _GNU_SOURCE
#include "channel.h"
#include "cpmlinux.h"
#include "failure_note.h"
#include "status.h"

#include <errno.h>
#include <string.h>

/* How soon to try again what the kernel refused for want of memory or of room for descriptors in flight. */
#define RETRY_NS (20u * MILLISECOND_NS)

int channel_open(holder *h, int fd) {
    int result = pm_epoll_add(h->epoll, fd, PM_EPOLL_IN, (uint64_t)EVENT_CONTROL << 32);
    if (result == 0)
        h->channel = (channel){.fd = fd, .watched = PM_EPOLL_IN};
    return result;
}

void channel_close(holder *h) {
    if (h->channel.fd < 0)
        return;
    pm_epoll_remove(h->epoll, h->channel.fd);
    pm_fd_close(h->channel.fd);
    for (record *r = table_next(&h->table, 0); r != NULL; r = table_after(&h->table, r)) {
        r->reports = 0; /* ADOPT will tell */
        r->is_queued = false;
    }
    h->channel = (channel){.fd = -1};
}

void channel_break(holder *h) {
    h->channel.is_broken = true;
    h->channel.is_blocked = false;
    h->channel.reply_size = 0;
    h->channel.retry_at_ns = 0;
    pm_epoll_modify(h->epoll, h->channel.fd, PM_EPOLL_IN, (uint64_t)EVENT_CONTROL << 32);
}

void channel_mute(holder *h) {
    channel_break(h);
    pm_epoll_remove(h->epoll, h->channel.fd);
}

/* Sends one packet. True when it is gone; false when the socket is full or the connection has broken. */
static bool send_packet(holder *h, const pm_packet *packet) {
    channel *c = &h->channel;
    int sent = pm_packet_send(c->fd, packet);
    if (sent >= 0)
        return true;
    if (sent == -EAGAIN) {
        c->is_blocked = true;
    } else if (sent == -ENOBUFS || sent == -ENOMEM || sent == -ETOOMANYREFS) {
        c->is_blocked = true;
        c->retry_at_ns = pm_clock_read(PM_CLOCK_MONOTONIC) + RETRY_NS;
    } else {
        channel_break(h);
    }
    return false;
}

static pm_message header_of(const outgoing *message) {
    return (pm_message){
        .type = message->type, .size = (uint32_t)(sizeof(pm_message) + message->size), .id = message->id};
}

static bool send_message(holder *h, const outgoing *message) {
    pm_message header = header_of(message);
    const pm_piece pieces[] = {{&header, sizeof header}, {message->body, message->size}};
    return send_packet(h, &(pm_packet){pieces, message->size > 0 ? 2 : 1, NULL, 0});
}

void channel_reply(holder *h, const outgoing *answer) {
    channel *c = &h->channel;
    pm_message header = header_of(answer);
    memcpy(c->reply, &header, sizeof header);
    memcpy(c->reply + sizeof header, answer->body, answer->size);
    c->reply_size = header.size;
    channel_pump(h);
}

void channel_refuse_reexec(holder *h, pm_step step, int error) {
    h->channel.refusal = (pm_failure){.step = step, .error = error};
    h->channel.owes_refusal = true;
    channel_pump(h);
}

void channel_hand_over(holder *h) {
    channel *c = &h->channel;
    c->is_handing_over = true;
    c->is_attached = false;
    c->hand_over_at = 0;
    uint32_t children = 0;
    for (record *r = table_next(&h->table, 0); r != NULL; r = table_after(&h->table, r)) {
        children += !r->is_forgotten;
        r->reports = 0; /* ADOPT will tell */
    }
    pm_hello hello = {
        .version = PM_CONTROL_VERSION,
        .children = children,
        .pmd_starts = h->pmd.starts,
        .last_status = h->pmd.last_status,
        .pid = h->pid,
        .has_hung = h->pmd.had_hung,
        .has_cgroups = h->cgroup >= 0,
    };
    channel_reply(h, &(outgoing){PM_HELLO, 0, &hello, sizeof hello});
}

static void enqueue(holder *h, record *r, uint8_t report) {
    channel *c = &h->channel;
    r->reports |= report;
    if (r->is_queued)
        return;
    r->is_queued = true;
    r->next_report = 0;
    uint32_t number = table_index(&h->table, r) + 1;
    if (c->last_report == 0)
        c->first_report = number;
    else
        h->table.records[c->last_report - 1].next_report = number;
    c->last_report = number;
}

static bool send_adopt(holder *h, record *r) {
    pm_adopt body = {
        .pid = r->pid,
        .phase = r->start != START_DONE ? PM_CHILD_STARTING : r->phase,
        .start_ticks = r->start_ticks,
        .exited_at_ns = r->exited_at_ns,
        .wait_status = r->wait_status,
        .held = r->held_count,
        .state_size = r->state_size,
        .leftovers = r->leftovers,
        .usage = r->usage,
    };
    pm_message header = {.type = PM_ADOPT, .id = r->id};
    header.size = (uint32_t)(sizeof header + sizeof body + r->state_size);
    const pm_piece pieces[] = {{&header, sizeof header}, {&body, sizeof body}, {r->state, r->state_size}};
    if (!send_packet(h, &(pm_packet){pieces, 3, r->held, r->held_count}))
        return false;
    r->is_fresh = false; /* pmd knows; that nothing is left, if so, comes as PM_TREE_EMPTY */
    if (r->start == START_FAILED && r->phase == PM_CHILD_EXITED)
        enqueue(h, r, REPORT_STARTED);
    return true;
}

static bool send_held(holder *h, const named_fd *named) {
    pm_message header = {.type = PM_HELD, .size = sizeof header + sizeof(pm_name)};
    const pm_piece pieces[] = {{&header, sizeof header}, {named->name, sizeof named->name}};
    return send_packet(h, &(pm_packet){pieces, 2, &named->fd, 1});
}

/* Places of the cursor: 0 ... used - 1 the records, then the named descriptors. */
static bool send_handed_over(holder *h, uint32_t place) {
    if (place < h->table.used) {
        record *r = &h->table.records[place];
        return r->id == 0 || r->is_forgotten || send_adopt(h, r);
    }
    const named_fd *named = &h->named[place - h->table.used];
    return named->fd < 0 || send_held(h, named);
}

/* Requests are not read meanwhile, so no record comes or goes; a child may die, which ADOPT or a report
 * tells. */
static bool continue_hand_over(holder *h) {
    channel *c = &h->channel;
    for (; c->hand_over_at < h->table.used + PM_NAMED_MAX; c->hand_over_at++)
        if (!send_handed_over(h, c->hand_over_at))
            return false;
    if (!send_message(h, &(outgoing){PM_HANDED_OVER, 0, NULL, 0}))
        return false;
    c->is_handing_over = false;
    c->is_attached = true;
    h->pmd.has_attached = true;
    h->pmd.has_taken_over = true;
    failure_note_clear(h);
    status_close(h); /* from here on the start is pmd's to report */
    return true;
}

void channel_report(holder *h, record *r, uint8_t report) {
    channel *c = &h->channel;
    bool is_told_by_adopt =
        !c->is_attached && (!c->is_handing_over || c->hand_over_at <= table_index(&h->table, r));
    if (c->fd >= 0 && !is_told_by_adopt && !r->is_forgotten)
        enqueue(h, r, report);
}

void channel_unqueue(holder *h, record *r) {
    channel *c = &h->channel;
    if (!r->is_queued)
        return;
    uint32_t number = table_index(&h->table, r) + 1, before = 0;
    for (uint32_t at = c->first_report; at != number; at = h->table.records[at - 1].next_report)
        before = at;
    if (before == 0)
        c->first_report = r->next_report;
    else
        h->table.records[before - 1].next_report = r->next_report;
    if (c->last_report == number)
        c->last_report = before;
    r->is_queued = false;
}

/* What became of a start that was under way. */
static bool send_start(holder *h, const record *r) {
    if (r->start == START_FAILED) {
        const pm_failure body = {.step = r->start_step, .error = r->start_error};
        return send_message(h, &(outgoing){PM_START_FAILED, r->id, &body, sizeof body});
    }
    const pm_spawned body = {.pid = r->pid, .clamped = r->clamped, .start_ticks = r->start_ticks};
    return send_message(h, &(outgoing){PM_STARTED, r->id, &body, sizeof body});
}

static bool send_exit(holder *h, const record *r) {
    const pm_exit body = {
        .wait_status = r->wait_status,
        .leftovers = r->leftovers,
        .exited_at_ns = r->exited_at_ns,
        .usage = r->usage,
    };
    return send_message(h, &(outgoing){PM_EXITED, r->id, &body, sizeof body});
}

static bool send_reports_of(holder *h, record *r) {
    if ((r->reports & REPORT_STARTED) != 0 && !send_start(h, r))
        return false;
    r->reports &= (uint8_t)~REPORT_STARTED;
    if ((r->reports & REPORT_EXITED) != 0) {
        if (!send_exit(h, r))
            return false;
        r->reports = 0; /* it told the leftovers as they are now */
    }
    if ((r->reports & REPORT_TREE_EMPTY) != 0 && !send_message(h, &(outgoing){PM_TREE_EMPTY, r->id, NULL, 0}))
        return false;
    r->reports = 0;
    return true;
}

static bool send_reports(holder *h) {
    channel *c = &h->channel;
    while (c->first_report != 0) {
        record *r = &h->table.records[c->first_report - 1];
        if (!send_reports_of(h, r))
            return false;
        r->is_queued = false;
        c->first_report = r->next_report;
        if (c->first_report == 0)
            c->last_report = 0;
        /* Nothing is left of a start that failed, and now pmd knows. */
        if (r->start == START_FAILED)
            table_remove(&h->table, r);
    }
    return true;
}

/* In this order, so that SPAWNED precedes the child's EXITED and ADOPT everything else. */
static bool send_due(holder *h) {
    channel *c = &h->channel;
    if (c->reply_size > 0) {
        if (!send_packet(h, &(pm_packet){&(pm_piece){c->reply, c->reply_size}, 1, NULL, 0}))
            return false;
        c->reply_size = 0;
    }
    if (c->is_handing_over && !continue_hand_over(h))
        return false;
    if (!c->is_attached)
        return true;
    if (c->owes_refusal && !send_message(h, &(outgoing){PM_REEXEC_FAILED, 0, &c->refusal, sizeof c->refusal}))
        return false;
    c->owes_refusal = false;
    if (c->owes_stop && !send_message(h, &(outgoing){PM_STOP_REQUESTED, 0, NULL, 0}))
        return false;
    c->owes_stop = false;
    return send_reports(h);
}

void channel_pump(holder *h) {
    channel *c = &h->channel;
    if (c->fd < 0 || c->is_broken)
        return;
    c->is_blocked = false;
    c->retry_at_ns = 0;
    send_due(h);
    if (c->is_broken)
        return;
    /* A refusal that epoll does not watch is tried again by the timer; waiting for EPOLLOUT would spin. */
    uint32_t events = !c->is_blocked ? PM_EPOLL_IN : c->retry_at_ns == 0 ? PM_EPOLL_OUT : 0;
    if (events != c->watched)
        pm_epoll_modify(h->epoll, c->fd, events, (uint64_t)EVENT_CONTROL << 32);
    c->watched = events;
}
