/* What must hold of the process tree and the reaper, checked against the world's truth. */
#ifndef TREE_RULES_H
#define TREE_RULES_H

#include "pm_init.h"
#include "world.h"

/* Most children of a run. */
#define RULES_CHILDREN 24u

void rules_begin(pm_init *i);
/* Whom a signal may reach from now on: the tree of one child, of those that are doomed, all that is the
 * pm-init's. */
void rules_aim(uint64_t id);
void rules_aim_at_doomed(void);
void rules_aim_at_all(void);
void rules_after_signal(const record *r, int signal, const pm_tree *counted);
void rules_before_kill(void);
void rules_after_kill(void);
void rules_after_all(void);
void rules_after_all_that_tell(void);
/* Reaps, and checks what pm-init knows then. */
void rules_reap(pm_init *i);
void rules_of_table(void);
void rules_of_snapshot(void);
void rules_at_the_end(void);

#endif
