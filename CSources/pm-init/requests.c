#define _GNU_SOURCE
#include "requests.h"
#include "channel.h"
#include "cpmlinux.h"
#include "discard.h"
#include "launch.h"
#include "manager.h"
#include "orphans.h"
#include "pmd.h"
#include "reexec.h"
#include "stop.h"
#include "tree.h"
#include "watch.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

/* Requests per turn of the loop, so that a pmd that floods us does not keep deaths from being seen. */
#define BATCH 64

/* One received packet. Descriptors that a handler keeps are replaced by -1; the rest is closed after it. */
typedef struct {
    pm_message header;
    const uint8_t *body;
    size_t size; /* of the body */
    int fds[PM_FDS_MAX];
    size_t fd_count;
} packet;

static void reply_failure(holder *h, uint32_t type, uint64_t id, pm_spawn_failure failure) {
    pm_failure body = {.step = failure.step, .error = failure.error};
    channel_reply(h, &(outgoing){type, id, &body, sizeof body});
}

static void handle_hello(holder *h, const packet *p) {
    pm_hello hello;
    if (p->size != sizeof hello)
        return;
    memcpy(&hello, p->body, sizeof hello);
    if (hello.version == PM_CONTROL_VERSION) {
        channel_hand_over(h);
        return;
    }
    /* It sees our version and has to leave; without a hand-over nothing is given to what might misread it. */
    hello = (pm_hello){.version = PM_CONTROL_VERSION, .pid = h->pid, .pmd_starts = h->pmd.starts};
    channel_reply(h, &(outgoing){PM_HELLO, 0, &hello, sizeof hello});
}

static void handle_spawn(holder *h, packet *p) {
    pm_spawn_message body;
    launch_result result = {.failure = {.step = PM_STEP_REQUEST, .error = EBADMSG}};
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
        started = launch_child(h, &request, &result);
    }
    if (!started) {
        reply_failure(h, PM_SPAWN_FAILED, p->header.id, result.failure);
        return;
    }
    const record *r = table_find(&h->table, p->header.id);
    const pm_spawned answer = {.pid = r->pid, .clamped = result.child.clamped, .start_ticks = r->start_ticks};
    const uint32_t type = r->start == START_DONE ? PM_SPAWNED : PM_STARTING;
    channel_reply(h, &(outgoing){type, r->id, &answer, sizeof answer});
}

static void signal_tree(holder *h, record *r, int signal) {
    pm_tree answer;
    tree_signal(h, r, signal, &answer);
    if (r->phase == PM_CHILD_EXITED && answer.survivors == 0)
        orphans_settle(h, r);
    channel_reply(h, &(outgoing){PM_TREE, r->id, &answer, sizeof answer});
}

/* 0 or -errno. A running leader's pid is its own until we reap it, so plain kill(2) is safe. */
static int signal_running(const record *r, int signal, uint32_t scope) {
    if (scope == PM_SCOPE_GROUP && (kill(-r->pid, signal) == 0 || errno != ESRCH))
        return errno == EPERM ? -EPERM : 0;
    return kill(r->pid, signal) == 0 ? 0 : -errno;
}

static void handle_signal(holder *h, const packet *p) {
    pm_signal body;
    record *r = table_find(&h->table, p->header.id);
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
        signal_tree(h, r, body.signal);
    else if (r->phase == PM_CHILD_RUNNING)
        result = signal_running(r, body.signal, body.scope);
    else if (body.scope == PM_SCOPE_GROUP)
        tree_signal(h, r, body.signal, &(pm_tree){0});
    if (result < 0)
        reply_failure(h, PM_SIGNAL_FAILED, p->header.id,
                      (pm_spawn_failure){.step = PM_STEP_SIGNAL, .error = -result});
}

static void handle_forget(holder *h, const packet *p) {
    record *r = table_find(&h->table, p->header.id);
    if (r != NULL && r->phase == PM_CHILD_EXITED)
        orphans_forget(h, r);
}

static void handle_state(holder *h, const packet *p) {
    pm_state body;
    record *r = table_find(&h->table, p->header.id);
    if (r == NULL || p->size < sizeof body)
        return;
    memcpy(&body, p->body, sizeof body);
    if (body.state_size > PM_STATE_MAX || body.state_size != p->size - sizeof body)
        return;
    r->stop_order = body.stop_order;
    r->stop_wait_ms = body.stop_wait_ms;
    if (body.stop_signal > 0 && body.stop_signal <= SIGRTMAX)
        r->stop_signal = body.stop_signal;
    r->state_size = (uint16_t)body.state_size;
    memcpy(r->state, p->body + sizeof body, body.state_size);
}

/* The named descriptor of the packet: with its name, else a free place, else null. */
static named_fd *find_named(holder *h, const packet *p, bool or_free) {
    const char *name = (const char *)p->body;
    if (p->size != sizeof(pm_name) || name[0] == '\0' || memchr(name, '\0', p->size) == NULL)
        return NULL;
    named_fd *vacant = NULL;
    for (uint32_t i = 0; i < PM_NAMED_MAX; i++) {
        if (h->named[i].fd >= 0 && strcmp(h->named[i].name, name) == 0)
            return &h->named[i];
        if (h->named[i].fd < 0 && vacant == NULL)
            vacant = &h->named[i];
    }
    return or_free ? vacant : NULL;
}

static void handle_hold(holder *h, packet *p) {
    named_fd *named = p->fd_count == 1 ? find_named(h, p, true) : NULL;
    if (named == NULL)
        return;
    discard(h, &named->fd, 1);
    memset(named->name, 0, sizeof named->name);
    memcpy(named->name, p->body, strlen((const char *)p->body));
    named->fd = p->fds[0];
    p->fds[0] = -1;
}

static void handle_drop(holder *h, const packet *p) {
    named_fd *named = find_named(h, p, false);
    if (named == NULL)
        return;
    discard(h, &named->fd, 1);
    named->fd = -1;
}

static void handle_watch(holder *h, packet *p) {
    if (p->fd_count != 2)
        return;
    watch_begin(h, p->fds[0], p->fds[1]);
    p->fds[0] = p->fds[1] = -1;
}

static void handle_bye(holder *h, const packet *p) {
    pm_bye body;
    if (p->size != sizeof body)
        return;
    memcpy(&body, p->body, sizeof body);
    if (body.reason == PM_BYE_UPGRADE) {
        h->pmd.is_upgrading = true;
    } else if (body.reason == PM_BYE_STOPPED) {
        pmd_expect_end(h);
        channel_mute(h);
        stop_all_now(h, body.status & 0xff);
    }
}

static void handle_reexec(holder *h, const packet *p) {
    pm_program body;
    bool is_whole = p->size == sizeof body;
    if (is_whole)
        memcpy(&body, p->body, sizeof body);
    if (is_whole && body.path[0] != '\0' && memchr(body.path, '\0', sizeof body.path) != NULL)
        reexec_asked(h, body.path);
    else
        channel_refuse_reexec(h, PM_STEP_REQUEST, EBADMSG);
}

static void handle_notify(holder *h, const packet *p) {
    if (p->size > 0 && p->size <= PM_NOTIFY_MAX)
        manager_tell(h, (const char *)p->body, p->size);
}

static bool is_early(const holder *h, uint32_t type) {
    return !h->channel.is_attached && type != PM_HELLO && type != PM_BYE;
}

static void handle(holder *h, packet *p) {
    if (is_early(h, p->header.type))
        return;
    switch (p->header.type) {
    case PM_HELLO: return handle_hello(h, p);
    case PM_SPAWN: return handle_spawn(h, p);
    case PM_SIGNAL: return handle_signal(h, p);
    case PM_FORGET: return handle_forget(h, p);
    case PM_STATE: return handle_state(h, p);
    case PM_HOLD: return handle_hold(h, p);
    case PM_DROP: return handle_drop(h, p);
    case PM_WATCH: return handle_watch(h, p);
    case PM_BYE: return handle_bye(h, p);
    case PM_REEXEC: return handle_reexec(h, p);
    case PM_NOTIFY: return handle_notify(h, p);
    default: /* a number from outside: a newer pmd's, or a message that only we send */ return;
    }
}

/* A packet that could not be taken whole. A spawn is answered, or pmd would wait for ever; the rest is
 * dropped. */
static void refuse(holder *h, const packet *p, size_t size, int error) {
    if (size >= sizeof p->header && p->header.type == PM_SPAWN && h->channel.is_attached)
        reply_failure(h, PM_SPAWN_FAILED, p->header.id,
                      (pm_spawn_failure){.step = PM_STEP_REQUEST, .error = error});
}

/* One request. False when there is none or the channel has ended. */
static bool read_request(holder *h) {
    static _Alignas(8) uint8_t buffer[PM_CONTROL_MAX];
    packet p;
    memset(buffer, 0, sizeof p.header);
    int size = pm_packet_receive(h->channel.fd, &(pm_packet_space){buffer, sizeof buffer, p.fds, PM_FDS_MAX},
                                 &p.fd_count);
    if (size == -EAGAIN)
        return false;
    if (size == 0 ||
        (size < 0 && size != -EMSGSIZE && size != -EMFILE && size != -E2BIG && size != -EBADMSG)) {
        channel_close(h);
        pmd_expect_end(h);
        return false;
    }
    memcpy(&p.header, buffer, sizeof p.header);
    p.body = buffer + sizeof p.header;
    if (size < 0) {
        refuse(h, &p, size == -EBADMSG ? 0 : sizeof p.header, -size);
    } else if ((size_t)size < sizeof p.header || p.header.size != (uint32_t)size) {
        refuse(h, &p, (size_t)size, EBADMSG);
    } else {
        p.size = (size_t)size - sizeof p.header;
        handle(h, &p);
    }
    discard(h, p.fds, p.fd_count);
    return true;
}

void requests_ready(holder *h, uint32_t events) {
    if (h->channel.fd < 0)
        return;
    if ((events & (PM_EPOLL_HUP | PM_EPOLL_ERR)) != 0)
        channel_break(h);
    else if ((events & PM_EPOLL_OUT) != 0)
        channel_pump(h);
    for (int i = 0; i < BATCH && h->channel.fd >= 0 && !h->channel.is_blocked && h->phase != PHASE_ENDING;
         i++)
        if (!read_request(h))
            return;
}

void requests_finish(holder *h) {
    if (h->channel.fd < 0)
        return;
    channel_break(h);
    while (h->channel.fd >= 0 && h->phase != PHASE_ENDING && read_request(h)) {
    }
    channel_close(h);
}
