/*
 * The process tree and the reaper, fuzzed: pm-init's own search, signals, judging and reaping over processes
 * that are made of the input (world.h). An input is a list of steps, each a kind, a length (one byte) and
 * bytes: see `step`.
 */
#define _GNU_SOURCE
#include "cpmlinux.h"
#include "tree.h"
#include "tree_rules.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STEPS_MAX 100

/* What a step is; other kinds are taken modulo KINDS. */
enum {
    KIND_SPAWN,    /* a child starts, in a cgroup when the first byte is odd; its name follows */
    KIND_FORK,     /* the process at the index of the first byte forks: see `forked` */
    KIND_STRANGER, /* somebody else's process starts; older than pm-init when the first byte is odd */
    KIND_WILD,   /* /proc/PID/stat of the process at the index of the first byte are the bytes that follow */
    KIND_EXIT,   /* the process at the index of the first byte ends with the second one as its status */
    KIND_SIGNAL, /* pmd has the tree of a child, at the index of the first byte, signalled */
    KIND_DOOM,   /* the trees of children, bits of the first byte, are killed together */
    KIND_REAP,   /* SIGCHLD */
    KIND_JUDGE,  /* the time to judge leftovers */
    KIND_FORGET, /* pmd forgets a child */
    KIND_SCRIPT, /* what happens from now on between two processes that are visited */
    KIND_ALL,    /* everything is killed */
    KIND_PREDECESSORS, /* what an earlier pm-init left is killed */
    KIND_PMD,          /* pmd starts */
    KIND_CLOSER,       /* a process that closes descriptors starts (discard.h) */
    KINDS,
};

typedef struct {
    const uint8_t *at;
    size_t left;
} input;

const char *const target_name = "process tree and reaper";

static pm_init init;
static lineage *const l = &init.lineage;
static uint64_t last_id;

static uint8_t byte_at(const input *in, size_t index) {
    return index < in->left ? in->at[index] : 0;
}

static void name(process *p, const input *in, size_t from) {
    const size_t left = in->left > from ? in->left - from : 0;
    p->size = left < WORLD_BYTES ? left : WORLD_BYTES;
    memcpy(p->bytes, in->at + (left > 0 ? from : 0), p->size);
}

static process *start(bool is_ours) {
    process *p = world_fork(&the_world, NULL);
    if (p == NULL)
        return NULL;
    p->is_ours = is_ours;
    p->parent = is_ours ? l->self.pid : 1;
    p->session = p->group = p->pid;
    return p;
}

static void spawn(const input *in) {
    process *p = start(true);
    record *r;
    if (p == NULL || table_add(&l->table, last_id + 1, &r) < 0) {
        if (p != NULL)
            world_reap(&the_world, p);
        return;
    }
    p->child = ++last_id;
    p->has_environment = true;
    p->has_mark = byte_at(in, 0) % 4 < 2;
    name(p, in, 1);
    r->stop_signal = SIGTERM;
    r->start_ticks = p->start_ticks;
    if (byte_at(in, 0) % 2 == 1) {
        p->cgroup = r->id;
        snprintf(r->cgroup, sizeof r->cgroup, PM_CGROUP_PREFIX "%llu", (unsigned long long)r->id);
    }
    table_set_pid(&l->table, r, p->pid);
}

/* What it does first of all: bits of the second byte. */
static void forked(const input *in) {
    const process *parent = world_at(&the_world, byte_at(in, 0));
    const uint8_t how = byte_at(in, 1);
    if (parent == NULL || parent->is_zombie || discard_is_by(&l->closers, parent->pid))
        return;
    process *p = world_fork(&the_world, parent);
    if (p == NULL)
        return;
    if ((how & 1) != 0)
        p->session = p->group = p->pid;
    if ((how & 2) != 0)
        p->group = p->pid;
    p->has_environment &= (how & 4) == 0;
    p->has_mark &= (how & 8) == 0;
    p->is_ending = (how & 16) != 0;
    p->forks = how >> 6;
    name(p, in, 2);
}

static void strange(const input *in) {
    process *p = start(false);
    if (p == NULL)
        return;
    if (byte_at(in, 0) % 2 == 1)
        p->start_ticks = l->self.start_ticks - 1;
    name(p, in, 1);
}

static void make_wild(const input *in) {
    process *p = world_at(&the_world, byte_at(in, 0));
    if (p == NULL)
        return;
    p->is_wild = true;
    name(p, in, 1);
}

static void end(const input *in) {
    process *p = world_at(&the_world, byte_at(in, 0));
    if (p != NULL && !p->is_zombie)
        world_exit(&the_world, p, byte_at(in, 1) % 2 == 0 ? byte_at(in, 1) << 8 : SIGTERM);
}

static void start_helper(bool is_pmd) {
    int32_t *place = is_pmd ? &l->pmd_pid : &l->closers.pids[0];
    process *p = *place != 0 ? NULL : start(true);
    if (p == NULL)
        return;
    *place = p->pid;
    p->has_environment = p->has_mark = is_pmd;
}

static record *record_at(uint8_t index) {
    record *r = l->table.count == 0 ? NULL : table_next(&l->table, index % l->table.used);
    return r != NULL && r->state != CHILD_FORGOTTEN ? r : NULL;
}

static void signal_tree(const input *in) {
    static const int signals[] = {0, SIGKILL, SIGTERM, SIGSTOP};
    record *r = record_at(byte_at(in, 0));
    pm_tree counted;
    if (r == NULL)
        return;
    const int signal = signals[byte_at(in, 1) % 4];
    rules_aim(r->id);
    tree_signal(l, r, signal, &counted);
    rules_after_signal(r, signal, &counted);
}

static void doom(const input *in) {
    rules_aim_at_doomed();
    for (uint8_t i = 0; i < 8; i++) {
        record *r = record_at(i);
        if (r != NULL && (byte_at(in, 0) >> i & 1) != 0)
            r->is_doomed = true;
    }
    rules_before_kill();
    tree_kill_doomed(l);
    rules_after_kill();
}

static void forget(const input *in) {
    record *r = record_at(byte_at(in, 0));
    if (r == NULL || !record_is_reaped(r))
        return;
    rules_aim(r->id);
    orphans_forget(&init.orphans, r);
}

static void kill_all(void) {
    rules_aim_at_all();
    tree_kill_all(l);
    rules_after_all();
}

static void step(unsigned kind, const input *in) {
    switch (kind % KINDS) {
    case KIND_SPAWN: spawn(in); break;
    case KIND_FORK: forked(in); break;
    case KIND_STRANGER: strange(in); break;
    case KIND_WILD: make_wild(in); break;
    case KIND_EXIT: end(in); break;
    case KIND_SIGNAL: signal_tree(in); break;
    case KIND_DOOM: doom(in); break;
    case KIND_REAP: rules_reap(&init); break;
    case KIND_JUDGE: orphans_judge(&init.orphans); break;
    case KIND_FORGET: forget(in); break;
    case KIND_SCRIPT: the_world.script = in->at, the_world.script_size = in->left; break;
    case KIND_ALL: kill_all(); break;
    case KIND_PREDECESSORS:
        rules_aim_at_all();
        tree_kill_predecessors(l);
        rules_after_all_that_tell();
        break;
    case KIND_PMD: start_helper(true); break;
    case KIND_CLOSER: start_helper(false); break;
    }
}

/* What epoll would tell: cgroups that are empty now. */
static void tell_cgroups(void) {
    for (record *r = table_next(&l->table, 0); r != NULL; r = table_after(&l->table, r))
        if (r->events_fd >= 0)
            orphans_cgroup_changed(&init.orphans, table_index(&l->table, r));
}

static void set_up(uint8_t how) {
    pm_init_begin(&init);
    l->cgroup = 7;
    l->self = (identity){.pid = WORLD_INIT, .start_ticks = 1000, .marker = "PM_MARKER=fuzz-"};
    l->self.marker_size = strlen(l->self.marker);
    require(pm_init_connect(&init) == 0 && table_init(&l->table, RULES_CHILDREN) == 0, "a pm-init is made");
    last_id = 0;
    world_begin(&the_world, l);
    the_world.has_cgroup_kill = how % 2 == 0;
    rules_begin(&init);
}

/* Everything is killed, reaped, judged and forgotten: then nothing is left. */
static void tear_down(void) {
    the_world.script_size = 0;
    kill_all();
    rules_reap(&init);
    /* Whose /proc/PID/stat says anything was perhaps not found. */
    for (uint32_t i = 0; i < WORLD_MAX; i++)
        world_reap(&the_world, &the_world.processes[i]);
    tell_cgroups();
    orphans_judge(&init.orphans);
    rules_at_the_end();
    for (record *r = table_next(&l->table, 0); r != NULL; r = table_after(&l->table, r))
        orphans_forget(&init.orphans, r);
    require(l->table.count == 0 && l->table.unsettled == 0, "all children can be forgotten");
    close(init.epoll);
    munmap(l->table.records, l->table.capacity * sizeof(record));
    munmap(l->table.by_id, 2 * (size_t)l->table.capacity * sizeof(uint32_t));
    nonchildren_end(&l->nonchildren);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    set_up(data[0]);
    data++, size--;
    for (int steps = 0; size >= 2 && steps < STEPS_MAX; steps++) {
        const size_t length = data[1] < size - 2 ? data[1] : size - 2;
        step(data[0], &(input){data + 2, length});
        the_world.now_ticks += data[0] % 2;
        tell_cgroups();
        rules_of_table();
        rules_of_snapshot();
        data += 2 + length;
        size -= 2 + length;
    }
    tear_down();
    return 0;
}
