/* What tells whose a process is: the parts that searches of /proc, and what is done with their results, need.
 */
#ifndef LINEAGE_H
#define LINEAGE_H

#include "discard.h"
#include "identity.h"
#include "nonchildren.h"
#include "table.h"

typedef struct {
    identity self;
    table table;
    closers closers;
    nonchildren nonchildren;
    int32_t pmd_pid; /* 0: none runs */
    int cgroup;      /* the base directory of the children's cgroups, or -1; owned */
} lineage;

/* Whether this is pm-init itself, pmd, or a process that closes descriptors: nobody of a child's tree. */
bool lineage_is_own(const lineage *l, int32_t pid);

#endif
