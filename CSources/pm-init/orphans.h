/* What is left of a child's tree once its leader is gone: PM_LEFT_MAYBE, and the moment when it no longer is.
 */
#ifndef ORPHANS_H
#define ORPHANS_H

#include "holder.h"

/* A reap batch is over: judges the dead children now, or a little later when it was done a moment ago. */
void orphans_judge_soon(holder *h);
/* Judges all dead children that may have leftovers, and reports what became known. */
void orphans_judge(holder *h);
/* A thorough search found nothing of the dead child. */
void orphans_settle(holder *h, record *r);
/* The cgroup of the record at this index reported a change. */
void orphans_cgroup_changed(holder *h, uint32_t index);
/* Stops watching the record's cgroup. */
void orphans_unwatch(holder *h, record *r);
/* Finishes a child that pmd forgot: removes cgroup and record, or waits until the cgroup is empty. */
void orphans_forget(holder *h, record *r);

#endif
