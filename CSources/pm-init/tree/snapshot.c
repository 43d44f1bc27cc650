#define _GNU_SOURCE
#include "snapshot.h"
#include "procs.h"

#include <sys/mman.h>

#define FIRST_CAPACITY 128u

typedef struct {
    lineage *l;
    snapshot *s;
} taking;

static bool has_room(snapshot *s) {
    if (s->count < s->capacity)
        return true;
    uint32_t wanted = s->capacity == 0 ? FIRST_CAPACITY : s->capacity * 2;
    void *memory = s->capacity == 0 ? mmap(NULL, wanted * sizeof(snapshot_entry), PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                    : mremap(s->entries, s->capacity * sizeof(snapshot_entry),
                                             wanted * sizeof(snapshot_entry), MREMAP_MAYMOVE);
    if (memory == MAP_FAILED)
        return false;
    s->entries = memory;
    s->capacity = wanted;
    return true;
}

static uint32_t number_of(const lineage *l, const record *r) {
    return r == NULL ? OWNER_UNKNOWN : table_index(&l->table, r) + 1;
}

/* A session or group that a child leads. While the child is not reaped its pid, and so the number, is its
 * alone. */
static const record *led_by(const lineage *l, const pm_process *p) {
    const record *r = table_find_running(&l->table, p->session);
    return r != NULL ? r : table_find_running(&l->table, p->group);
}

static void own(lineage *l, snapshot_entry *e) {
    const pm_process *p = &e->process;
    const record *r = table_find_running(&l->table, p->pid);
    uint64_t id;
    if (r == NULL && procs_marker(&l->self, p->pid, &id)) {
        e->is_descendant = true; /* pmd's own helpers, id 0, and those of forgotten children too */
        r = id == 0 ? NULL : table_find(&l->table, id);
    }
    if (r == NULL)
        r = led_by(l, p);
    e->owner = number_of(l, r);
    e->is_descendant |= r != NULL;
}

static bool is_alive(const pm_process *p) {
    return p->state != 'Z' && p->state != 'X';
}

/*
 * What the process is. Of a child that is not looked for only its descendants matter, so what the table knows
 * of it will do: with 1,000 children that saves most of the time.
 */
static bool describe(const taking *t, int32_t pid, pm_process *out) {
    const record *r = table_find_running(&t->l->table, pid);
    if (r != NULL && !r->is_doomed) {
        *out = (pm_process){.pid = pid, .parent = t->l->self.pid, .group = pid, .session = pid, .state = 'S'};
        out->start_ticks = r->start_ticks;
        return true;
    }
    bool is_there = pm_process_read(pid, out) == 0;
    t->s->has_vanished |= !is_there;
    return is_there && is_alive(out);
}

static void add(void *context, int32_t pid, uint64_t inode) {
    taking *t = context;
    lineage *l = t->l;
    pm_process process;
    if (lineage_is_own(l, pid) || nonchildren_has(&l->nonchildren, pid, inode) || !describe(t, pid, &process))
        return;
    nonchildren_learn(&l->nonchildren, &l->self, &process, inode);
    if (nonchildren_has(&l->nonchildren, pid, inode) || process.start_ticks < l->self.start_ticks)
        return;
    if (!has_room(t->s))
        return;
    snapshot_entry *e = &t->s->entries[t->s->count++];
    *e = (snapshot_entry){.process = process};
    own(l, e);
    /* A process that is just ending has no environment any more. */
    if (!e->is_descendant && (pm_process_read(pid, &process) < 0 || !is_alive(&process) || process.is_ending))
        t->s->has_vanished = true;
}

const snapshot_entry *snapshot_find(const snapshot *s, int32_t pid) {
    uint32_t low = 0, high = s->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->entries[middle].process.pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->count && s->entries[low].process.pid == pid ? &s->entries[low] : NULL;
}

/*
 * The session or group of a dead child. Its number may have been given away since, but not while it is
 * populated; so it is the child's if no process has that number now, and the process is younger than the
 * child and ours.
 */
static const record *led_by_dead(const lineage *l, const snapshot *s, const pm_process *p) {
    const record *r = table_find_dead(&l->table, p->session);
    if (r == NULL)
        r = table_find_dead(&l->table, p->group);
    return r != NULL && p->start_ticks >= r->start_ticks && snapshot_find(s, r->pid) == NULL ? r : NULL;
}

/* Passes what is known of parents down. True when something was new. */
static bool inherit(lineage *l, snapshot *s) {
    bool changed = false;
    for (uint32_t i = 0; i < s->count; i++) {
        snapshot_entry *e = &s->entries[i];
        const snapshot_entry *parent = e->is_descendant ? NULL : snapshot_find(s, e->process.parent);
        bool is_orphan = e->process.parent == l->self.pid;
        if (e->is_descendant || (!is_orphan && (parent == NULL || !parent->is_descendant)))
            continue;
        e->owner = is_orphan ? number_of(l, led_by_dead(l, s, &e->process)) : parent->owner;
        e->is_descendant = true;
        changed = true;
    }
    return changed;
}

void snapshot_take(lineage *l, snapshot *out) {
    *out = (snapshot){0};
    taking t = {.l = l, .s = out};
    nonchildren_begin(&l->nonchildren);
    procs_each(add, &t);
    while (inherit(l, out)) {
    }
}

void snapshot_end(snapshot *s) {
    if (s->capacity > 0)
        munmap(s->entries, s->capacity * sizeof(snapshot_entry));
    *s = (snapshot){0};
}
