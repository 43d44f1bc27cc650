#define _GNU_SOURCE
#include "requests.h"
#include "cpmlinux.h"
#include "errors.h"
#include "lifecycle.h"
#include "log.h"
#include "reexec.h"
#include "times.h"
#include "tree.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

/* What is read in one turn of the loop, so that a pmd that floods us does not keep deaths from being seen:
 * requests, and how long after the first of them one is still begun. */
#define BATCH 64
#define BATCH_NS (10u * (uint64_t)MILLISECOND_NS)
/* What a pmd that has ended may have left in the socket, whose queue is shorter; who else has its end of the
 * socket is not listened to for longer. */
#define REST_MOST 4096

/* One received packet. Descriptors that a handler keeps are replaced by -1; the rest is closed after it. */
typedef struct {
    pm_message header;
    const uint8_t *body;
    size_t size; /* of the body */
    int fds[PM_FDS_MAX];
    size_t fd_count;
} packet;

static void reply_failure(pm_init *i, uint32_t type, uint64_t id, pm_spawn_failure failure) {
    pm_failure body = {.step = failure.step, .error = failure.error};
    channel_reply(&i->channel, &(outgoing){type, id, &body, sizeof body});
}

static pm_hello hello_of(const pm_init *i) {
    return (pm_hello){
        .version = PM_CONTROL_VERSION,
        .pmd_starts = i->pmd.starts,
        .last_status = i->pmd.last_status,
        .pid = i->lineage.self.pid,
        .last_end = i->pmd.last_end,
        .has_cgroups = i->lineage.cgroup >= 0,
    };
}

static void handle_hello(pm_init *i, const packet *p) {
    pm_hello hello;
    if (p->size != sizeof hello)
        return;
    memcpy(&hello, p->body, sizeof hello);
    if (hello.version == PM_CONTROL_VERSION) {
        channel_hand_over(&i->channel, hello_of(i));
        return;
    }
    /* It sees our version and has to leave; without a hand-over nothing is given to what might misread it. */
    hello =
        (pm_hello){.version = PM_CONTROL_VERSION, .pid = i->lineage.self.pid, .pmd_starts = i->pmd.starts};
    channel_reply(&i->channel, &(outgoing){PM_HELLO, 0, &hello, sizeof hello});
}

static void handle_spawn(pm_init *i, packet *p) {
    pm_spawn_message body;
    launch_result result = {.failure = failure_of(PM_STEP_REQUEST, -EBADMSG)};
    bool started = false;
    if (p->size >= sizeof body) {
        memcpy(&body, p->body, sizeof body);
        const launch_request request = {
            .id = p->header.id,
            .body = &body,
            .strings = (const char *)p->body + sizeof body,
            .strings_size = p->size - sizeof body,
            .fds = p->fds,
            .fd_count = p->fd_count,
        };
        started = launch_child(&i->launcher, &request, &result);
    }
    if (!started) {
        reply_failure(i, PM_SPAWN_FAILED, p->header.id, result.failure);
        return;
    }
    const record *r = table_find(&i->lineage.table, p->header.id);
    const pm_spawned answer = {.pid = r->pid, .clamped = result.child.clamped, .start_ticks = r->start_ticks};
    const uint32_t type = r->state == CHILD_RUNNING ? PM_SPAWNED : PM_STARTING;
    channel_reply(&i->channel, &(outgoing){type, r->id, &answer, sizeof answer});
}

static void signal_tree(pm_init *i, record *r, int signal) {
    pm_tree answer;
    tree_signal(&i->lineage, r, signal, &answer);
    if (record_is_unsettled(r) && answer.survivors == 0)
        orphans_settle(&i->orphans, r);
    channel_reply(&i->channel, &(outgoing){PM_TREE, r->id, &answer, sizeof answer});
}

/* 0 or -errno. A running leader's pid is its own until we reap it, so plain kill(2) is safe. */
static int signal_running(const record *r, int signal, uint32_t scope) {
    if (scope == PM_SCOPE_GROUP && (kill(-r->pid, signal) == 0 || errno != ESRCH))
        return errno == EPERM ? -EPERM : 0;
    return kill(r->pid, signal) == 0 ? 0 : -errno;
}

static void handle_signal(pm_init *i, const packet *p) {
    pm_signal body;
    record *r = table_find(&i->lineage.table, p->header.id);
    int result = 0;
    if (p->size == sizeof body)
        memcpy(&body, p->body, sizeof body);
    if (p->size != sizeof body)
        result = -EBADMSG;
    else if (body.signal < 0 || body.signal > SIGRTMAX || body.scope > PM_SCOPE_TREE)
        result = -EINVAL;
    else if (r == NULL)
        result = -ESRCH;
    else if (body.scope == PM_SCOPE_TREE)
        signal_tree(i, r, body.signal);
    else if (!record_is_reaped(r))
        result = signal_running(r, body.signal, body.scope);
    else if (body.scope == PM_SCOPE_GROUP)
        tree_signal(&i->lineage, r, body.signal, &(pm_tree){0});
    if (result < 0)
        reply_failure(i, PM_SIGNAL_FAILED, p->header.id, failure_of(PM_STEP_SIGNAL, result));
}

static void handle_forget(pm_init *i, const packet *p) {
    record *r = table_find(&i->lineage.table, p->header.id);
    if (r != NULL && record_is_reaped(r))
        orphans_forget(&i->orphans, r);
}

static void handle_state(pm_init *i, const packet *p) {
    pm_state body;
    record *r = table_find(&i->lineage.table, p->header.id);
    if (r == NULL || p->size < sizeof body)
        return;
    memcpy(&body, p->body, sizeof body);
    if (body.state_size > PM_STATE_MAX || body.state_size != p->size - sizeof body)
        return;
    r->stop_order = body.stop_order;
    r->stop_wait_ms = body.stop_wait_ms;
    if (body.stop_signal > 0 && body.stop_signal <= SIGRTMAX)
        r->stop_signal = body.stop_signal;
    r->blob_size = (uint16_t)body.state_size;
    memcpy(r->blob, p->body + sizeof body, body.state_size);
}

/* The name that is the packet's body, or null. */
static const char *name_in(const packet *p) {
    const char *name = (const char *)p->body;
    const bool is_name = p->size == sizeof(pm_name) && name[0] != '\0' && memchr(name, '\0', p->size) != NULL;
    return is_name ? name : NULL;
}

static void handle_hold(pm_init *i, packet *p) {
    const char *name = p->fd_count == 1 ? name_in(p) : NULL;
    named_fd *place = name != NULL ? named_place(&i->named, name) : NULL;
    if (place == NULL)
        return;
    discard(&i->lineage.closers, &place->fd, 1);
    place->fd = p->fds[0];
    p->fds[0] = -1;
}

static void handle_drop(pm_init *i, const packet *p) {
    const char *name = name_in(p);
    named_fd *place = name != NULL ? named_find(&i->named, name) : NULL;
    if (place == NULL)
        return;
    discard(&i->lineage.closers, &place->fd, 1);
    place->fd = -1;
}

static void handle_watch(pm_init *i, packet *p) {
    if (p->fd_count != 2)
        return;
    watch_begin(&i->watch, p->fds[0], p->fds[1]);
    p->fds[0] = p->fds[1] = -1;
}

static void handle_bye(pm_init *i, const packet *p) {
    pm_bye body;
    if (p->size != sizeof body)
        return;
    memcpy(&body, p->body, sizeof body);
    if (body.reason == PM_BYE_UPGRADE) {
        i->pmd.end = PM_END_UPGRADE;
    } else if (body.reason == PM_BYE_STOPPED) {
        lifecycle_pmd_stopped(i, body.status & 0xff);
    }
}

static void handle_reexec(pm_init *i, const packet *p) {
    pm_program body;
    bool is_whole = p->size == sizeof body;
    if (is_whole)
        memcpy(&body, p->body, sizeof body);
    if (is_whole && body.path[0] != '\0' && memchr(body.path, '\0', sizeof body.path) != NULL)
        reexec_asked(i, body.path);
    else
        channel_refuse_reexec(&i->channel, failure_of(PM_STEP_REQUEST, -EBADMSG));
}

static void handle_notify(pm_init *i, const packet *p) {
    if (p->size > 0 && p->size <= PM_NOTIFY_MAX)
        manager_tell(&i->manager, (const char *)p->body, p->size);
}

static bool is_early(const pm_init *i, uint32_t type) {
    return !channel_has_attached(&i->channel) && type != PM_HELLO && type != PM_BYE;
}

static void handle(pm_init *i, packet *p) {
    if (is_early(i, p->header.type))
        return;
    switch (p->header.type) {
    case PM_HELLO: return handle_hello(i, p);
    case PM_SPAWN: return handle_spawn(i, p);
    case PM_SIGNAL: return handle_signal(i, p);
    case PM_FORGET: return handle_forget(i, p);
    case PM_STATE: return handle_state(i, p);
    case PM_HOLD: return handle_hold(i, p);
    case PM_DROP: return handle_drop(i, p);
    case PM_WATCH: return handle_watch(i, p);
    case PM_BYE: return handle_bye(i, p);
    case PM_REEXEC: return handle_reexec(i, p);
    case PM_NOTIFY: return handle_notify(i, p);
    default: /* a number from outside: a newer pmd's, or a message that only we send */ return;
    }
}

/* A packet that could not be taken whole. A spawn is answered, or pmd would wait for ever; the rest is
 * dropped. */
static void refuse(pm_init *i, const packet *p, size_t size, int result) {
    if (size >= sizeof p->header && p->header.type == PM_SPAWN && channel_has_attached(&i->channel))
        reply_failure(i, PM_SPAWN_FAILED, p->header.id, failure_of(PM_STEP_REQUEST, result));
}

/* Whether the socket is still good after this result of receiving. */
static bool is_packet(int size) {
    return size > 0 || size == -EMSGSIZE || size == -EMFILE || size == -E2BIG || size == -EBADMSG;
}

/* Nothing more comes: pmd has closed its end, or something else broke the channel. */
static void end_channel(pm_init *i, int result) {
    const int broken_by = result < 0 && result != -ECONNRESET ? result : i->channel.broken_by;
    if (broken_by < 0)
        log_line("the connection to pmd is broken: ", error_text(broken_by), NULL);
    channel_close(&i->channel);
    pmd_expect_end(&i->pmd);
}

/* One request. False when there is none or the channel has ended. */
static bool read_request(pm_init *i) {
    static _Alignas(8) uint8_t buffer[PM_CONTROL_MAX];
    packet p;
    memset(buffer, 0, sizeof p.header);
    int size = pm_packet_receive(i->channel.fd, &(pm_packet_space){buffer, sizeof buffer, p.fds, PM_FDS_MAX},
                                 &p.fd_count);
    if (size == -EAGAIN)
        return false;
    if (!is_packet(size)) {
        end_channel(i, size);
        return false;
    }
    memcpy(&p.header, buffer, sizeof p.header);
    p.body = buffer + sizeof p.header;
    if (size < 0) {
        refuse(i, &p, size == -EBADMSG ? 0 : sizeof p.header, size);
    } else if ((size_t)size < sizeof p.header || p.header.size != (uint32_t)size) {
        refuse(i, &p, (size_t)size, -EBADMSG);
    } else {
        p.size = (size_t)size - sizeof p.header;
        handle(i, &p);
        lifecycle_notice_hand_over(i);
    }
    discard(&i->lineage.closers, p.fds, p.fd_count);
    return true;
}

static bool is_read(const pm_init *i) {
    return i->channel.fd >= 0 && i->channel.flow == FLOW_OPEN && i->lifecycle.phase != PHASE_ENDING;
}

void requests_ready(pm_init *i, uint32_t events) {
    const uint64_t until = pm_clock_read(PM_CLOCK_MONOTONIC) + BATCH_NS;
    if (i->channel.fd < 0)
        return;
    if ((events & (PM_EPOLL_HUP | PM_EPOLL_ERR)) != 0)
        channel_break(&i->channel, 0);
    else if ((events & PM_EPOLL_OUT) != 0)
        channel_pump(&i->channel);
    for (int count = 0; count < BATCH && is_read(i); count++)
        if (!read_request(i) || pm_clock_read(PM_CLOCK_MONOTONIC) >= until)
            return;
}

void requests_finish(pm_init *i) {
    if (i->channel.fd < 0)
        return;
    channel_break(&i->channel, 0);
    for (int count = 0; count < REST_MOST && is_read(i); count++)
        if (!read_request(i))
            break;
    channel_close(&i->channel);
}
