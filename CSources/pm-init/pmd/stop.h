/* Stopping the children without pmd, and killing what is left: what stop_plan.h decides is done here. */
#ifndef STOP_H
#define STOP_H

#include "orphans.h"

/* Does what is due at this monotonic time: highest stop_order first, each by its signal, then its whole tree
 * by SIGKILL. True when all are stopped, or given up. */
bool stop_children(lineage *l, uint64_t now_ns);
/* Whether something of a child may be left. */
bool stop_is_child_left(const table *t);
/* Whether pm-init has a descendant: every orphan of its own becomes its child. */
bool stop_has_descendants(void);
/* Removes the cgroups of all children, as far as they are empty. */
void stop_remove_cgroups(orphans *o);

#endif
