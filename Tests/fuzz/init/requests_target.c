/*
 * The control protocol as pm-init reads it, fuzzed without a child: its own code from the socket to the
 * launch, and in place of what has effects the stand-ins of stand_ins.c. An input is a list of steps, each a
 * kind, a length (two bytes, little endian) and bytes: see `step`.
 */
#define _GNU_SOURCE
#include "requests_target.h"
#include "cpmlinux.h"
#include "lifecycle.h"
#include "requests.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STEPS_MAX 100
/* Fewer than steps, more than a table first has room for. */
#define CHILDREN_MAX 80
#define DESCRIPTORS 512

/* What a step is; other kinds are taken modulo KINDS. */
enum {
    KIND_PACKET,    /* pmd sends the bytes, and as many descriptors as the first length byte modulo 5 says */
    KIND_MESSAGE,   /* as above, with a header whose size is right: type and id are the first two bytes */
    KIND_DEATH,     /* the child at the index of the first byte dies */
    KIND_DEAF,      /* pmd stops reading, or reads again */
    KIND_RECONNECT, /* pmd goes, and another comes and says hello */
    KIND_GROUPS,    /* whether kill(2) finds anybody */
    KIND_TEXTS,     /* the kernel says the bytes: see read_texts */
    KIND_REPORT, /* pm-exec of the child at the index of the first byte writes what follows the second byte,
                    and ends its report when that is odd */
    KINDS,
};

typedef struct {
    const uint8_t *at;
    size_t left;
} input;

typedef struct {
    pm_init init;
    int pmd; /* pmd's end */
    bool is_deaf;
    uint32_t spawns_asked; /* since pmd last heard all */
    uint32_t spawns_answered;
} world;

const char *const target_name = "control protocol";

static void connect_pmd(world *w) {
    int ours;
    require(pm_socket_pair(PM_SOCKET_SEQPACKET, &ours, &w->pmd) == 0, "there is a socket");
    require(channel_open(&w->init.channel, ours) == 0, "a channel opens");
    w->spawns_asked = w->spawns_answered = 0;
}

/* How long the body of a message is that pm-init may send; of an ADOPT the part that is always there. The
 * compiler names a message that is missing. */
static size_t size_of_body(const pm_message *m) {
    switch ((pm_message_type)m->type) {
    case PM_HELLO: return sizeof(pm_hello);
    case PM_ADOPT: return sizeof(pm_adopt);
    case PM_HELD: return sizeof(pm_name);
    case PM_SPAWNED:
    case PM_STARTING:
    case PM_STARTED: return sizeof(pm_spawned);
    case PM_EXITED: return sizeof(pm_exit);
    case PM_TREE: return sizeof(pm_tree);
    case PM_SPAWN_FAILED:
    case PM_SIGNAL_FAILED:
    case PM_START_FAILED:
    case PM_REEXEC_FAILED: return sizeof(pm_failure);
    case PM_TREE_EMPTY:
    case PM_HANDED_OVER:
    case PM_REEXECED:
    case PM_STOP_REQUESTED: return 0;
    case PM_SPAWN:
    case PM_SIGNAL:
    case PM_FORGET:
    case PM_STATE:
    case PM_HOLD:
    case PM_DROP:
    case PM_BYE:
    case PM_WATCH:
    case PM_REEXEC:
    case PM_NOTIFY: fail("requests are pmd's to make");
    }
    fail("a message has a type");
}

static void check_body(const pm_message *m, size_t fds) {
    const size_t size = m->size - sizeof *m;
    pm_adopt adopt;
    require(fds == 0 || m->type == PM_ADOPT || m->type == PM_HELD,
            "only what is held comes with descriptors");
    if (m->type != PM_ADOPT) {
        require(size == size_of_body(m), "a body has its size");
        require(m->type != PM_HELD || fds == 1, "a held descriptor comes with its name");
        return;
    }
    memcpy(&adopt, m + 1, sizeof adopt);
    require(size == sizeof adopt + adopt.state_size && adopt.state_size <= PM_STATE_MAX,
            "state has its size");
    require(adopt.held == fds, "an adopted child comes with what is held for it");
}

/* Takes what pm-init said, and checks that it makes sense. */
static void hear(world *w) {
    static _Alignas(8) uint8_t buffer[PM_CONTROL_MAX];
    int fds[PM_PACKET_FDS_MAX], size;
    size_t count;
    while ((size = pm_packet_receive(
                w->pmd, &(pm_packet_space){buffer, sizeof buffer, fds, PM_PACKET_FDS_MAX}, &count)) > 0) {
        const pm_message *m = (const pm_message *)buffer;
        require((size_t)size >= sizeof *m && m->size == (uint32_t)size, "a message has its size");
        check_body(m, count);
        w->spawns_answered += m->type == PM_SPAWNED || m->type == PM_SPAWN_FAILED || m->type == PM_STARTING;
        while (count > 0)
            close(fds[--count]);
    }
    require(size == 0 || size == -EAGAIN, "pmd can read all that pm-init says");
}

static void check_table(const table *t) {
    uint32_t count = 0;
    for (record *r = table_next(t, 0); r != NULL; r = table_after(t, r)) {
        require(r->blob_size <= PM_STATE_MAX, "state fits its record");
        require(r->held_count <= PM_HELD_MAX, "held descriptors fit their record");
        require(r->stop_signal > 0 && r->stop_signal <= 64, "a child is stopped by a signal");
        require((r->report >= 0) == (record_is_starting(r)),
                "who is under way has a report, and nobody else");
        count++;
    }
    require(count == t->count && count <= CHILDREN_MAX, "the table counts its records");
}

/* Turns of pm-init's loop until it has nothing to do. */
static void turn(world *w) {
    for (int i = 0; i < 3; i++) {
        channel_pump(&w->init.channel);
        requests_ready(&w->init, PM_EPOLL_IN);
        if (!w->is_deaf)
            hear(w);
    }
    if (w->init.orphans.judge_at_ns != 0)
        orphans_judge(&w->init.orphans);
    check_table(&w->init.lineage.table);
}

static void send_to_init(world *w, const void *bytes, size_t size, size_t fd_count) {
    const int fds[] = {STDERR_FILENO, STDERR_FILENO, STDERR_FILENO, STDERR_FILENO, STDERR_FILENO};
    const pm_piece piece = {bytes, size};
    pm_packet_send(w->pmd, &(pm_packet){&piece, 1, fd_count > 0 ? fds : NULL, fd_count});
}

/* Counts the spawns that are due an answer. */
static void send_counted(world *w, const uint8_t *bytes, size_t size, size_t fd_count) {
    pm_message header = {0};
    if (size >= sizeof header)
        memcpy(&header, bytes, sizeof header);
    turn(w);
    bool is_answered = w->init.channel.state == CHANNEL_ATTACHED && w->init.channel.flow == FLOW_OPEN &&
                       !w->is_deaf && w->init.lifecycle.phase == PHASE_SERVING && header.type == PM_SPAWN;
    w->spawns_asked = w->spawns_answered = 0;
    send_to_init(w, bytes, size, fd_count);
    turn(w);
    if (is_answered)
        require(w->spawns_answered == 1, "a spawn is answered, and once");
}

static void send_message(world *w, const input *in) {
    static _Alignas(8) uint8_t packet[1 << 16];
    if (in->left < 3 || in->left - 3 + sizeof(pm_message) > sizeof packet)
        return;
    const size_t size = in->left - 3 + sizeof(pm_message);
    const pm_message header = {.type = in->at[0], .size = (uint32_t)size, .id = in->at[1]};
    memcpy(packet, &header, sizeof header);
    memcpy(packet + sizeof header, in->at + 3, in->left - 3);
    send_counted(w, packet, size, in->at[2] % 5);
}

static void child_dies(world *w, uint32_t index) {
    record *r = index < w->init.lineage.table.used ? &w->init.lineage.table.records[index] : NULL;
    if (r == NULL || r->id == 0 || record_is_reaped(r))
        return;
    pm_fd_close(stand_in_take_report(r->pid));
    /* As reap.c does. */
    r->wait_status = 256;
    if (r->state != CHILD_RUNNING && !executor_reaped(&w->init.executor, r))
        return;
    table_set_state(&w->init.lineage.table, r, CHILD_DEAD);
    orphans_judge_soon(&w->init.orphans);
}

static void report(world *w, const input *in) {
    const record *r = in->left > 1 && in->at[0] < w->init.lineage.table.used
                          ? &w->init.lineage.table.records[in->at[0]]
                          : NULL;
    if (r == NULL || r->id == 0)
        return;
    int fd = stand_in_report(r->pid);
    if (fd >= 0 && r->report >= 0 && in->left - 2 < PIPE_BUF)
        pm_fd_write(fd, in->at + 2, in->left - 2);
    if (in->at[1] % 2 == 1)
        pm_fd_close(stand_in_take_report(r->pid));
    executor_ready(&w->init.executor, in->at[0]);
}

static void reconnect(world *w) {
    const pm_hello hello = {.version = PM_CONTROL_VERSION};
    const struct {
        pm_message header;
        pm_hello body;
    } packet = {{PM_HELLO, sizeof packet, 0}, hello};
    close(w->pmd);
    requests_finish(&w->init);
    require(w->init.channel.state == CHANNEL_CLOSED, "a channel that ended is closed");
    w->is_deaf = false;
    connect_pmd(w);
    send_to_init(w, &packet, sizeof packet, 0);
    turn(w);
    require(w->init.channel.state == CHANNEL_ATTACHED, "a hello attaches pmd");
}

static void step(world *w, unsigned kind, const input *in) {
    switch (kind % KINDS) {
    case KIND_PACKET: send_counted(w, in->at, in->left, in->left % 5); break;
    case KIND_MESSAGE: send_message(w, in); break;
    case KIND_DEATH: child_dies(w, in->left > 0 ? in->at[0] : 0); break;
    case KIND_DEAF: w->is_deaf = !w->is_deaf; break;
    case KIND_RECONNECT: reconnect(w); break;
    case KIND_TEXTS: read_texts(&w->init.lineage, in->at, in->left); break;
    case KIND_REPORT: report(w, in); break;
    case KIND_GROUPS: stand_in_kill_result = in->left > 0 && in->at[0] % 2 == 0 ? 0 : -1; break;
    }
    turn(w);
}

static int count_descriptors(void) {
    int count = 0;
    /* One poll(2) and not a call for each: this is done for every input. */
    static struct pollfd looked[DESCRIPTORS];
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        looked[fd] = (struct pollfd){.fd = fd};
    require(poll(looked, DESCRIPTORS, 0) >= 0, "descriptors are counted");
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        count += (looked[fd].revents & POLLNVAL) == 0;
    return count;
}

static void set_up(world *w) {
    static char *program[] = {"pmd", NULL};
    memset(w, 0, sizeof *w);
    pm_init_begin(&w->init);
    /* Whatever it is, it is not executed. */
    w->init.executor.program = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    w->init.options.program = program;
    identity_find(&w->init.lineage.self, "fuzz");
    w->init.lineage.self.start_ticks = 0;
    require(pm_init_connect(&w->init) == 0 && table_init(&w->init.lineage.table, CHILDREN_MAX) == 0,
            "a pm-init is made");
    connect_pmd(w);
}

/* pm-init keeps these for life. */
static void free_memory(lineage *l) {
    munmap(l->table.records, l->table.capacity * sizeof(record));
    munmap(l->table.by_id, 2 * (size_t)l->table.capacity * sizeof(uint32_t));
    nonchildren_end(&l->nonchildren);
}

/* Everything is forgotten, so what is open then has leaked. */
static void tear_down(world *w) {
    for (uint32_t i = 0; i < w->init.lineage.table.used; i++)
        child_dies(w, i);
    close(w->pmd);
    channel_close(&w->init.channel);
    watch_end(&w->init.watch);
    for (record *r = table_next(&w->init.lineage.table, 0); r != NULL;
         r = table_after(&w->init.lineage.table, r))
        orphans_forget(&w->init.orphans, r);
    require(w->init.lineage.table.count == 0, "all children can be forgotten");
    for (int i = 0; i < (int)PM_NAMED_MAX; i++)
        pm_fd_close(w->init.named.places[i].fd);
    close(w->init.epoll);
    close(w->init.executor.program);
    free_memory(&w->init.lineage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static world w;
    const int before = count_descriptors();
    stand_in_kill_result = -1;
    set_up(&w);
    for (int steps = 0; size >= 3 && steps < STEPS_MAX && w.init.lifecycle.phase == PHASE_SERVING; steps++) {
        size_t length = data[1] | (size_t)data[2] << 8;
        if (length > size - 3)
            length = size - 3;
        step(&w, data[0], &(input){data + 3, length});
        data += 3 + length;
        size -= 3 + length;
    }
    tear_down(&w);
    require(count_descriptors() == before, "no descriptor is leaked");
    return 0;
}
