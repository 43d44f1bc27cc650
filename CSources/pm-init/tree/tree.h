/*
 * A child's tree: all that descends from it. In a cgroup it is what the cgroup holds. Without one it is found
 * in /proc, each time anew: the marker in the environment, the session or group that the child leads, or a
 * parent that belongs to the tree. pm-init is a subreaper, so every orphan of a tree becomes its child and
 * cannot escape.
 */
#ifndef TREE_H
#define TREE_H

#include "lineage.h"

/* Signals the members and counts them. With SIGKILL it looks again until nobody is new, for they may fork. */
void tree_signal(lineage *l, record *r, int signal, pm_tree *out);
/* SIGKILL for the trees of all records that are is_doomed, in as few looks as for one; clears the flags. */
void tree_kill_doomed(lineage *l);
/* SIGKILL for everything that descends from pm-init but pmd. */
void tree_kill_all(lineage *l);
/* Ends what a killed predecessor with the same token left, and waits until it is gone, at most 2 s. */
void tree_kill_predecessors(lineage *l);

#endif
