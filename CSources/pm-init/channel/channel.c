#define _GNU_SOURCE
#include "channel.h"
#include "cpmlinux.h"
#include "events.h"
#include "times.h"

#include <errno.h>
#include <string.h>

/* How soon to try again what the kernel refused for want of memory or of room for descriptors in flight. */
#define RETRY_NS (20u * MILLISECOND_NS)

/* What is the connection's is gone, what is the channel's stays. */
static void reset(channel *c, int fd) {
    *c = (channel){
        .epoll = c->epoll, .table = c->table, .named = c->named, .hand_overs = c->hand_overs, .fd = fd};
}

static int open_as(channel *c, int fd, channel_state state) {
    int result = pm_epoll_add(c->epoll, fd, PM_EPOLL_IN, event_data(EVENT_CONTROL, 0));
    if (result < 0)
        return result;
    reset(c, fd);
    c->state = state;
    c->watched = PM_EPOLL_IN;
    return 0;
}

int channel_open(channel *c, int fd) {
    return open_as(c, fd, CHANNEL_OPEN);
}

int channel_reopen(channel *c, int fd) {
    return open_as(c, fd, CHANNEL_ATTACHED);
}

/* What waits in the records is told by ADOPT to whoever comes next. */
static void drop_reports(channel *c) {
    for (record *r = table_next(c->table, 0); r != NULL; r = table_after(c->table, r))
        r->reports = 0;
    c->first_report = c->last_report = 0;
}

void channel_close(channel *c) {
    if (c->fd < 0)
        return;
    pm_epoll_remove(c->epoll, c->fd);
    pm_fd_close(c->fd);
    drop_reports(c);
    reset(c, -1);
}

bool channel_has_attached(const channel *c) {
    return c->state == CHANNEL_ATTACHED || c->state == CHANNEL_DRAINING;
}

static bool is_broken(const channel *c) {
    return c->state == CHANNEL_DRAINING || c->state == CHANNEL_LOST;
}

bool channel_is_quiet(const channel *c) {
    return c->state == CHANNEL_ATTACHED && c->flow == FLOW_OPEN && c->reply_size == 0 &&
           c->first_report == 0 && c->owed == 0;
}

void channel_break(channel *c, int result) {
    if (c->state == CHANNEL_CLOSED || is_broken(c))
        return;
    c->state = channel_has_attached(c) ? CHANNEL_DRAINING : CHANNEL_LOST;
    c->broken_by = result;
    c->flow = FLOW_OPEN;
    c->reply_size = 0;
    c->retry_at_ns = 0;
    pm_epoll_modify(c->epoll, c->fd, PM_EPOLL_IN, event_data(EVENT_CONTROL, 0));
}

void channel_mute(channel *c) {
    channel_break(c, 0);
    pm_epoll_remove(c->epoll, c->fd);
}

/* Sends one packet. True when it is gone; false when the socket is full or the connection has broken. */
static bool send_packet(channel *c, const pm_packet *packet) {
    int sent = pm_packet_send(c->fd, packet);
    if (sent >= 0)
        return true;
    if (sent == -EAGAIN) {
        c->flow = FLOW_FULL;
    } else if (sent == -ENOBUFS || sent == -ENOMEM || sent == -ETOOMANYREFS) {
        c->flow = FLOW_REFUSED;
        c->retry_at_ns = pm_clock_read(PM_CLOCK_MONOTONIC) + RETRY_NS;
    } else {
        channel_break(c, sent == -EPIPE || sent == -ECONNRESET ? 0 : sent);
    }
    return false;
}

static pm_message header_of(const outgoing *message) {
    return (pm_message){
        .type = message->type, .size = (uint32_t)(sizeof(pm_message) + message->size), .id = message->id};
}

static bool send_message(channel *c, const outgoing *message) {
    pm_message header = header_of(message);
    const pm_piece pieces[] = {{&header, sizeof header}, {message->body, message->size}};
    return send_packet(c, &(pm_packet){pieces, message->size > 0 ? 2 : 1, NULL, 0});
}

void channel_reply(channel *c, const outgoing *answer) {
    pm_message header = header_of(answer);
    memcpy(c->reply, &header, sizeof header);
    memcpy(c->reply + sizeof header, answer->body, answer->size);
    c->reply_size = header.size;
    channel_pump(c);
}

void channel_refuse_reexec(channel *c, pm_spawn_failure failure) {
    c->refusal = (pm_failure){.step = failure.step, .error = failure.error};
    c->owed |= OWED_REFUSAL;
    channel_pump(c);
}

void channel_ask_to_stop(channel *c) {
    c->owed |= OWED_STOP;
    channel_pump(c);
}

void channel_hand_over(channel *c, pm_hello hello) {
    if (is_broken(c))
        return;
    c->state = CHANNEL_HANDING_OVER;
    c->hand_over_at = 0;
    hello.children = 0;
    for (record *r = table_next(c->table, 0); r != NULL; r = table_after(c->table, r))
        hello.children += r->state != CHILD_FORGOTTEN;
    drop_reports(c);
    channel_reply(c, &(outgoing){PM_HELLO, 0, &hello, sizeof hello});
}

static void enqueue(channel *c, record *r, uint8_t report) {
    const bool is_queued = r->reports != 0;
    r->reports |= report;
    if (is_queued)
        return;
    r->next_report = 0;
    uint32_t number = table_index(c->table, r) + 1;
    if (c->last_report == 0)
        c->first_report = number;
    else
        c->table->records[c->last_report - 1].next_report = number;
    c->last_report = number;
}

static pm_child_phase phase_of(const record *r) {
    switch ((child_state)r->state) {
    case CHILD_RUNNING: return PM_CHILD_RUNNING;
    case CHILD_PREPARING:
    case CHILD_EXECUTING:
    case CHILD_FAILING:
    case CHILD_FAILED: return PM_CHILD_STARTING;
    case CHILD_DEAD:
    case CHILD_LEFT:
    case CHILD_GONE:
    case CHILD_FORGOTTEN: break;
    }
    return PM_CHILD_EXITED;
}

static uint32_t leftovers_of(const record *r) {
    return record_is_unsettled(r) ? PM_LEFT_MAYBE : PM_LEFT_NOTHING;
}

static bool send_adopt(channel *c, record *r) {
    pm_adopt body = {
        .pid = r->pid,
        .phase = phase_of(r),
        .start_ticks = r->start_ticks,
        .exited_at_ns = r->exited_at_ns,
        .wait_status = r->wait_status,
        .held = r->held_count,
        .state_size = r->blob_size,
        .leftovers = leftovers_of(r),
        .usage = r->usage,
    };
    pm_message header = {.type = PM_ADOPT, .id = r->id};
    header.size = (uint32_t)(sizeof header + sizeof body + r->blob_size);
    const pm_piece pieces[] = {{&header, sizeof header}, {&body, sizeof body}, {r->blob, r->blob_size}};
    if (!send_packet(c, &(pm_packet){pieces, 3, r->held, r->held_count}))
        return false;
    if (r->state == CHILD_DEAD)
        table_set_state(c->table, r, CHILD_LEFT); /* that nothing is left, if so, comes as PM_TREE_EMPTY */
    if (r->state == CHILD_FAILED)
        enqueue(c, r, REPORT_STARTED);
    return true;
}

static bool send_held(channel *c, const named_fd *named) {
    pm_message header = {.type = PM_HELD, .size = sizeof header + sizeof(pm_name)};
    const pm_piece pieces[] = {{&header, sizeof header}, {named->name, sizeof named->name}};
    return send_packet(c, &(pm_packet){pieces, 2, &named->fd, 1});
}

/* Places of the cursor: 0 ... used - 1 the records, then the named descriptors. */
static bool send_handed_over(channel *c, uint32_t place) {
    if (place < c->table->used) {
        record *r = &c->table->records[place];
        return r->id == 0 || r->state == CHILD_FORGOTTEN || send_adopt(c, r);
    }
    const named_fd *named = &c->named->places[place - c->table->used];
    return named->fd < 0 || send_held(c, named);
}

/* Requests are not read meanwhile, so no record comes or goes; a child may die, which ADOPT or a report
 * tells. */
static bool continue_hand_over(channel *c) {
    for (; c->hand_over_at < c->table->used + PM_NAMED_MAX; c->hand_over_at++)
        if (!send_handed_over(c, c->hand_over_at))
            return false;
    if (!send_message(c, &(outgoing){PM_HANDED_OVER, 0, NULL, 0}))
        return false;
    c->state = CHANNEL_ATTACHED;
    c->hand_overs++;
    return true;
}

void channel_report(channel *c, record *r, uint8_t report) {
    const bool is_handed_over =
        c->state == CHANNEL_HANDING_OVER && c->hand_over_at > table_index(c->table, r);
    if ((c->state == CHANNEL_ATTACHED || is_handed_over) && r->state != CHILD_FORGOTTEN)
        enqueue(c, r, report);
}

void channel_unqueue(channel *c, record *r) {
    if (r->reports == 0)
        return;
    uint32_t number = table_index(c->table, r) + 1, before = 0;
    for (uint32_t at = c->first_report; at != number; at = c->table->records[at - 1].next_report)
        before = at;
    if (before == 0)
        c->first_report = r->next_report;
    else
        c->table->records[before - 1].next_report = r->next_report;
    if (c->last_report == number)
        c->last_report = before;
    r->reports = 0;
}

/* What became of a start that was under way. */
static bool send_start(channel *c, const record *r) {
    if (r->state == CHILD_FAILED) {
        const pm_failure body = {.step = r->start_step, .error = r->start_error};
        return send_message(c, &(outgoing){PM_START_FAILED, r->id, &body, sizeof body});
    }
    const pm_spawned body = {.pid = r->pid, .clamped = r->clamped, .start_ticks = r->start_ticks};
    return send_message(c, &(outgoing){PM_STARTED, r->id, &body, sizeof body});
}

static bool send_exit(channel *c, const record *r) {
    const pm_exit body = {
        .wait_status = r->wait_status,
        .leftovers = leftovers_of(r),
        .exited_at_ns = r->exited_at_ns,
        .usage = r->usage,
    };
    return send_message(c, &(outgoing){PM_EXITED, r->id, &body, sizeof body});
}

/* Leaves in record.reports what is not sent. */
static bool send_reports_of(channel *c, record *r) {
    if ((r->reports & REPORT_STARTED) != 0 && !send_start(c, r))
        return false;
    r->reports &= (uint8_t)~REPORT_STARTED;
    if ((r->reports & REPORT_EXITED) != 0) {
        if (!send_exit(c, r))
            return false;
        r->reports = 0; /* it told the leftovers as they are now */
    }
    if ((r->reports & REPORT_TREE_EMPTY) != 0 && !send_message(c, &(outgoing){PM_TREE_EMPTY, r->id, NULL, 0}))
        return false;
    r->reports = 0;
    return true;
}

static bool send_reports(channel *c) {
    while (c->first_report != 0) {
        record *r = &c->table->records[c->first_report - 1];
        if (!send_reports_of(c, r))
            return false;
        c->first_report = r->next_report;
        if (c->first_report == 0)
            c->last_report = 0;
        /* Nothing is left of a start that failed, and now pmd knows. */
        if (r->state == CHILD_FAILED)
            table_remove(c->table, r);
    }
    return true;
}

/* In this order, so that SPAWNED precedes the child's EXITED and ADOPT everything else. */
static bool send_due(channel *c) {
    if (c->reply_size > 0) {
        if (!send_packet(c, &(pm_packet){&(pm_piece){c->reply, c->reply_size}, 1, NULL, 0}))
            return false;
        c->reply_size = 0;
    }
    if (c->state == CHANNEL_HANDING_OVER && !continue_hand_over(c))
        return false;
    if (c->state != CHANNEL_ATTACHED)
        return true;
    if ((c->owed & OWED_REFUSAL) != 0 &&
        !send_message(c, &(outgoing){PM_REEXEC_FAILED, 0, &c->refusal, sizeof c->refusal}))
        return false;
    c->owed &= (uint8_t)~OWED_REFUSAL;
    if ((c->owed & OWED_STOP) != 0 && !send_message(c, &(outgoing){PM_STOP_REQUESTED, 0, NULL, 0}))
        return false;
    c->owed = 0;
    return send_reports(c);
}

/* What epoll is to tell. A refusal that it does not watch is tried again by the timer; waiting for EPOLLOUT
 * would spin. */
static uint32_t events_of(channel_flow flow) {
    switch (flow) {
    case FLOW_OPEN: return PM_EPOLL_IN;
    case FLOW_FULL: return PM_EPOLL_OUT;
    case FLOW_REFUSED: break;
    }
    return 0;
}

void channel_pump(channel *c) {
    if (c->state == CHANNEL_CLOSED || is_broken(c))
        return;
    c->flow = FLOW_OPEN;
    c->retry_at_ns = 0;
    send_due(c);
    if (is_broken(c))
        return;
    const uint32_t events = events_of(c->flow);
    if (events != c->watched)
        pm_epoll_modify(c->epoll, c->fd, events, event_data(EVENT_CONTROL, 0));
    c->watched = events;
}
