/* One look at /proc: every process that may descend from pm-init, and whose it is. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "lineage.h"
#include "pm_pidfd.h"

/* Whose a process is, when it is no child's: see snapshot_entry.owner. */
#define OWNER_UNKNOWN 0u

typedef struct {
    pm_process process;
    uint32_t owner;     /* index of the child's record + 1, or OWNER_UNKNOWN */
    bool is_descendant; /* carries the marker or belongs to a child */
} snapshot_entry;

typedef struct {
    snapshot_entry *entries; /* ascending pids */
    uint32_t count;
    uint32_t capacity;
    /* Somebody was listed but gone, or without environment, when it was looked at: it may have been a member,
     * and have left a child where the look had passed already. */
    bool has_vanished;
} snapshot;

/* Without /proc or memory it holds what was found until then. To be ended by snapshot_end. */
void snapshot_take(lineage *l, snapshot *out);
void snapshot_end(snapshot *s);
const snapshot_entry *snapshot_find(const snapshot *s, int32_t pid);

#endif
