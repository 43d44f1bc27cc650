/*
 * The processes that do not descend from pm-init, remembered so that a search of /proc need not read them
 * again: most of a machine's. A process that is not a descendant never becomes one. What is remembered is the
 * pid and the inode of its directory in /proc, which no other process with that pid has: nothing depends on
 * how fast pids are given away, or on how many there can be.
 */
#ifndef NONCHILDREN_H
#define NONCHILDREN_H

#include "identity.h"
#include "pm_pidfd.h"

typedef struct {
    int32_t pid;     /* 0: free */
    uint32_t search; /* in which it was met last */
    uint64_t inode;  /* of its directory in /proc */
} nonchild;

/* Found by pid. */
typedef struct {
    nonchild *places;  /* null: nothing is remembered */
    uint32_t capacity; /* a power of two */
    uint32_t count;
    uint32_t search; /* number of the last one */
} nonchildren;

/* Before a search of all of /proc: who is not met in two of them need not be remembered any more. */
void nonchildren_begin(nonchildren *n);
/* Whether the process with this pid and this inode is known to be no descendant. */
bool nonchildren_has(nonchildren *n, int32_t pid, uint64_t inode);
/* Remembers the process, whose directory has this inode, if it is no descendant of this pm-init: older than
 * it, or the child of one that is none. */
void nonchildren_learn(nonchildren *n, const identity *self, const pm_process *p, uint64_t inode);
/* Forgets all, and gives the memory back. */
void nonchildren_end(nonchildren *n);

#endif
