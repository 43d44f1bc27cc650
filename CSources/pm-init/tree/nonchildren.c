#define _GNU_SOURCE
#include "nonchildren.h"
#include "procs.h"

#include <sys/mman.h>

/* Powers of two. */
#define FIRST_CAPACITY 256u
#define LAST_CAPACITY (1u << 20)
/* No directory has it: an inode of 0 is none, and /proc gives 1 when it could not make one. */
#define INODE_NONE 1u

static size_t size_of(uint32_t capacity) {
    return capacity * sizeof(nonchild);
}

static nonchild *map(uint32_t capacity) {
    void *memory = mmap(NULL, size_of(capacity), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* The place of the pid, or the free one where it would be. There is always a free one. */
static nonchild *place_of(nonchild *places, uint32_t capacity, int32_t pid) {
    uint32_t at = (uint32_t)pid * 0x9E3779B1u & (capacity - 1); /* Knuth, 6.4 */
    while (places[at].pid != 0 && places[at].pid != pid)
        at = (at + 1) & (capacity - 1);
    return &places[at];
}

/* Moves what was met lately to a table that is at most half full. False when there is no memory. */
static bool make_room(nonchildren *n) {
    uint32_t lately = 0, capacity = FIRST_CAPACITY;
    for (uint32_t i = 0; i < n->capacity; i++)
        lately += n->places[i].pid != 0 && n->search - n->places[i].search <= 1;
    while (capacity <= 2 * lately)
        capacity *= 2;
    nonchild *places = capacity <= LAST_CAPACITY ? map(capacity) : NULL;
    if (places == NULL)
        return false;
    for (uint32_t i = 0; i < n->capacity; i++)
        if (n->places[i].pid != 0 && n->search - n->places[i].search <= 1)
            *place_of(places, capacity, n->places[i].pid) = n->places[i];
    uint32_t search = n->search;
    if (n->places != NULL)
        munmap(n->places, size_of(n->capacity));
    *n = (nonchildren){.places = places, .capacity = capacity, .count = lately, .search = search};
    return true;
}

void nonchildren_begin(nonchildren *n) {
    n->search++;
}

bool nonchildren_has(nonchildren *n, int32_t pid, uint64_t inode) {
    if (n->places == NULL || inode <= INODE_NONE || pid <= 0)
        return false;
    nonchild *place = place_of(n->places, n->capacity, pid);
    if (place->pid != pid || place->inode != inode)
        return false;
    place->search = n->search;
    return true;
}

void nonchildren_learn(nonchildren *n, const identity *self, const pm_process *p, uint64_t inode) {
    if (p->pid <= 0 || p->pid == self->pid || inode <= INODE_NONE)
        return;
    if (p->start_ticks >= self->start_ticks && !nonchildren_has(n, p->parent, procs_inode(p->parent)))
        return;
    /* Three quarters at most, so that a search is short. */
    if (n->count >= n->capacity / 4 * 3 && !make_room(n))
        return;
    nonchild *place = place_of(n->places, n->capacity, p->pid);
    n->count += place->pid == 0;
    *place = (nonchild){.pid = p->pid, .search = n->search, .inode = inode};
}

void nonchildren_end(nonchildren *n) {
    if (n->places != NULL)
        munmap(n->places, size_of(n->capacity));
    *n = (nonchildren){0};
}
