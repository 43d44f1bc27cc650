/* What is left of a child's tree once its leader is gone: PM_LEFT_MAYBE, and the moment when it no longer is.
 */
#ifndef LEFTOVERS_H
#define LEFTOVERS_H

#include "holder.h"

/* A reap batch is over: judges the dead children now, or a little later when it was done a moment ago. */
void leftovers_note(holder *h);
/* Judges all dead children that may have leftovers, and reports what became known. */
void leftovers_judge(holder *h);
/* A thorough search found nothing of the dead child. */
void leftovers_settle(holder *h, record *r);
/* The cgroup of the record at this index reported a change. */
void leftovers_cgroup_changed(holder *h, uint32_t index);
/* Stops watching the record's cgroup. */
void leftovers_unwatch(holder *h, record *r);
/* Finishes a child that pmd forgot: removes cgroup and record, or waits until the cgroup is empty. */
void leftovers_forget(holder *h, record *r);

#endif
