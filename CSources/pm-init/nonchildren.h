/*
 * The processes that do not descend from pm-init, remembered so that a search of /proc need not read them
 * again: most of a machine's. A process that is not a descendant never becomes one. What is remembered is the
 * pid and the inode of its directory in /proc, which no other process with that pid has: nothing depends on
 * how fast pids are given away, or on how many there can be.
 */
#ifndef NONCHILDREN_H
#define NONCHILDREN_H

#include "holder.h"
#include "pm_pidfd.h"

/* Before a search of all of /proc: who is not met in two of them need not be remembered any more. */
void nonchildren_begin(holder *h);
/* Whether the process with this pid and this inode is known to be no descendant. */
bool nonchildren_has(holder *h, int32_t pid, uint64_t inode);
/* Remembers the process if it is no descendant: older than pm-init, or the child of one that is. */
void nonchildren_learn(holder *h, const pm_process *p, uint64_t inode);
/* Forgets all, and gives the memory back. */
void nonchildren_end(holder *h);

#endif
