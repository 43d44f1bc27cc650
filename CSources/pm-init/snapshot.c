#define _GNU_SOURCE
#include "snapshot.h"
#include "discard.h"
#include "nonchildren.h"
#include "procs.h"

#include <sys/mman.h>

#define FIRST_CAPACITY 128u

typedef struct {
    holder *h;
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

static uint32_t number_of(const holder *h, const record *r) {
    return r == NULL ? OWNER_UNKNOWN : table_index(&h->table, r) + 1;
}

/* A session or group that a child leads. While the child is not reaped its pid, and so the number, is its
 * alone. */
static const record *led_by(const holder *h, const pm_process *p) {
    const record *r = table_find_running(&h->table, p->session);
    return r != NULL ? r : table_find_running(&h->table, p->group);
}

static void own(holder *h, snapshot_entry *e) {
    const pm_process *p = &e->process;
    const record *r = table_find_running(&h->table, p->pid);
    uint64_t id;
    if (r == NULL && procs_marker(h, p->pid, &id)) {
        e->is_descendant = true; /* pmd's own helpers, id 0, and those of forgotten children too */
        r = id == 0 ? NULL : table_find(&h->table, id);
    }
    if (r == NULL)
        r = led_by(h, p);
    e->owner = number_of(h, r);
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
    const record *r = table_find_running(&t->h->table, pid);
    if (r != NULL && !r->is_doomed) {
        *out = (pm_process){.pid = pid, .parent = t->h->pid, .group = pid, .session = pid, .state = 'S'};
        out->start_ticks = r->start_ticks;
        return true;
    }
    bool is_there = pm_process_read(pid, out) == 0;
    t->s->has_vanished |= !is_there;
    return is_there && is_alive(out);
}

static void add(void *context, int32_t pid, uint64_t inode) {
    taking *t = context;
    holder *h = t->h;
    pm_process process;
    if (pid == h->pid || pid == h->pmd.pid || discard_is_by(h, pid) || nonchildren_has(h, pid, inode) ||
        !describe(t, pid, &process))
        return;
    nonchildren_learn(h, &process, inode);
    if (nonchildren_has(h, pid, inode) || process.start_ticks < h->start_ticks)
        return;
    if (!has_room(t->s))
        return;
    snapshot_entry *e = &t->s->entries[t->s->count++];
    *e = (snapshot_entry){.process = process};
    own(h, e);
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
static const record *led_by_dead(const holder *h, const snapshot *s, const pm_process *p) {
    const record *r = table_find_dead(&h->table, p->session);
    if (r == NULL)
        r = table_find_dead(&h->table, p->group);
    return r != NULL && p->start_ticks >= r->start_ticks && snapshot_find(s, r->pid) == NULL ? r : NULL;
}

/* Passes what is known of parents down. True when something was new. */
static bool inherit(holder *h, snapshot *s) {
    bool changed = false;
    for (uint32_t i = 0; i < s->count; i++) {
        snapshot_entry *e = &s->entries[i];
        const snapshot_entry *parent = e->is_descendant ? NULL : snapshot_find(s, e->process.parent);
        bool is_orphan = e->process.parent == h->pid;
        if (e->is_descendant || (!is_orphan && (parent == NULL || !parent->is_descendant)))
            continue;
        e->owner = is_orphan ? number_of(h, led_by_dead(h, s, &e->process)) : parent->owner;
        e->is_descendant = true;
        changed = true;
    }
    return changed;
}

void snapshot_take(holder *h, snapshot *out) {
    *out = (snapshot){0};
    taking t = {.h = h, .s = out};
    nonchildren_begin(h);
    procs_each(add, &t);
    while (inherit(h, out)) {
    }
}

void snapshot_end(snapshot *s) {
    if (s->capacity > 0)
        munmap(s->entries, s->capacity * sizeof(snapshot_entry));
    *s = (snapshot){0};
}
