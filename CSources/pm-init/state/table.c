#define _GNU_SOURCE
#include "table.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define FIRST_CAPACITY 64u

static void *map(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static size_t index_size(uint32_t capacity) {
    return 2 * (size_t)capacity * sizeof(uint32_t);
}

int table_init(table *t, uint32_t limit) {
    *t = (table){.limit = limit, .capacity = FIRST_CAPACITY};
    t->records = map(FIRST_CAPACITY * sizeof(record));
    t->by_id = map(index_size(FIRST_CAPACITY));
    if (t->records == NULL || t->by_id == NULL)
        return -ENOMEM;
    t->by_pid = t->by_id + FIRST_CAPACITY;
    return 0;
}

static uint32_t slot_of(const table *t, uint64_t key) {
    /* Multiplication by the golden ratio spreads ids and pids that follow each other (Knuth, 6.4). */
    return (uint32_t)((key * 0x9E3779B97F4A7C15u) >> 32) & (t->capacity - 1);
}

static void link_id(table *t, record *r) {
    uint32_t *head = &t->by_id[slot_of(t, r->id)];
    r->next_by_id = *head;
    *head = table_index(t, r) + 1;
}

static void link_pid(table *t, record *r) {
    uint32_t *head = &t->by_pid[slot_of(t, (uint64_t)r->pid)];
    r->next_by_pid = *head;
    *head = table_index(t, r) + 1;
}

static void unlink_id(table *t, const record *r) {
    uint32_t *at = &t->by_id[slot_of(t, r->id)];
    while (*at != table_index(t, r) + 1)
        at = &t->records[*at - 1].next_by_id;
    *at = r->next_by_id;
}

static void unlink_pid(table *t, const record *r) {
    uint32_t *at = &t->by_pid[slot_of(t, (uint64_t)r->pid)];
    while (*at != table_index(t, r) + 1)
        at = &t->records[*at - 1].next_by_pid;
    *at = r->next_by_pid;
}

/* Doubles. Untouched pages cost nothing, so the memory in use follows the children. */
static bool grow(table *t) {
    uint32_t wanted = t->capacity * 2;
    uint32_t *heads = map(index_size(wanted));
    if (heads == NULL)
        return false;
    void *moved = mremap(t->records, t->capacity * sizeof(record), wanted * sizeof(record), MREMAP_MAYMOVE);
    if (moved == MAP_FAILED) {
        munmap(heads, index_size(wanted));
        return false;
    }
    munmap(t->by_id, index_size(t->capacity));
    t->records = moved;
    t->by_id = heads;
    t->by_pid = heads + wanted;
    t->capacity = wanted;
    for (record *r = table_next(t, 0); r != NULL; r = table_after(t, r)) {
        link_id(t, r);
        if (r->pid != 0)
            link_pid(t, r);
    }
    return true;
}

static record *take_free(table *t) {
    if (t->free != 0) {
        record *r = &t->records[t->free - 1];
        t->free = r->next_by_id;
        return r;
    }
    if (t->used == t->capacity && !grow(t))
        return NULL;
    return &t->records[t->used++];
}

int table_add(table *t, uint64_t id, record **out) {
    if (id == 0)
        return -EINVAL;
    if (t->count >= t->limit)
        return -ENFILE;
    if (table_find(t, id) != NULL)
        return -EEXIST;
    record *r = take_free(t);
    if (r == NULL)
        return -ENOMEM;
    /* pmd's bytes are only read up to their size; clearing them would touch memory for nothing. */
    memset(r, 0, offsetof(record, blob));
    r->id = id;
    r->events_fd = -1;
    r->report = -1;
    link_id(t, r);
    t->count++;
    *out = r;
    return 0;
}

void table_set_pid(table *t, record *r, int32_t pid) {
    r->pid = pid;
    link_pid(t, r);
}

record *table_find(const table *t, uint64_t id) {
    for (uint32_t at = t->by_id[slot_of(t, id)]; at != 0; at = t->records[at - 1].next_by_id)
        if (t->records[at - 1].id == id && t->records[at - 1].state != CHILD_FORGOTTEN)
            return &t->records[at - 1];
    return NULL;
}

/* A dead child's pid may have been given to a new one; the state tells them apart. */
static record *find_pid(const table *t, int32_t pid, bool (*counts)(const record *r)) {
    for (uint32_t at = t->by_pid[slot_of(t, (uint64_t)pid)]; at != 0; at = t->records[at - 1].next_by_pid)
        if (t->records[at - 1].pid == pid && counts(&t->records[at - 1]))
            return &t->records[at - 1];
    return NULL;
}

static bool is_running(const record *r) {
    return !record_is_reaped(r);
}

record *table_find_running(const table *t, int32_t pid) {
    return find_pid(t, pid, is_running);
}

record *table_find_dead(const table *t, int32_t pid) {
    return find_pid(t, pid, record_is_unsettled);
}

void table_remove(table *t, record *r) {
    table_set_state(t, r, CHILD_GONE);
    unlink_id(t, r);
    if (r->pid != 0)
        unlink_pid(t, r);
    r->id = 0;
    r->next_by_id = t->free;
    t->free = table_index(t, r) + 1;
    t->count--;
}

void table_set_state(table *t, record *r, child_state state) {
    t->unsettled -= record_is_unsettled(r);
    r->state = (uint8_t)state;
    t->unsettled += record_is_unsettled(r);
}

uint32_t table_index(const table *t, const record *r) {
    return (uint32_t)(r - t->records);
}

record *table_next(const table *t, uint32_t index) {
    for (; index < t->used; index++)
        if (t->records[index].id != 0)
            return &t->records[index];
    return NULL;
}

record *table_after(const table *t, const record *r) {
    return table_next(t, table_index(t, r) + 1);
}
