/*
 * What is left of a child's tree once its leader is reaped (CHILD_DEAD, CHILD_LEFT), and the moment when no
 * more is (CHILD_GONE).
 */
#ifndef ORPHANS_H
#define ORPHANS_H

#include "channel.h"
#include "lineage.h"

/* The first three are set once, and borrowed. */
typedef struct {
    int epoll;
    lineage *lineage;
    channel *channel;
    uint64_t judge_at_ns; /* monotonic; orphans_judge is due; 0: nothing to judge */
    uint64_t rest_ns;     /* monotonic; not before, so that a burst of deaths is judged in few looks */
    bool has_ending;      /* the last look met an orphan that no longer told whose it is */
} orphans;

/* A reap batch is over: judges the dead children now, or a little later when it was done a moment ago. */
void orphans_judge_soon(orphans *o);
/* Judges all dead children of which something may be left, and reports what became known. */
void orphans_judge(orphans *o);
/* A thorough search found nothing of this unsettled child. */
void orphans_settle(orphans *o, record *r);
/* The cgroup of the record at this index reported a change. */
void orphans_cgroup_changed(orphans *o, uint32_t index);
/* Stops watching the record's cgroup. */
void orphans_unwatch(orphans *o, record *r);
/* Finishes a child that pmd forgot: removes cgroup and record, or waits until the cgroup is empty. */
void orphans_forget(orphans *o, record *r);

#endif
