/*
 * What the lock file says: nothing while all is well, else how pmd fails to start, for those who wait for it:
 * "failures 3\nstatus 139\nretry 1764000000\n" (starts in a row that failed, wait status of the last, time of
 * the next in seconds since 1970).
 */
#ifndef FAILURE_NOTE_H
#define FAILURE_NOTE_H

#include "holder.h"

/* pmd has failed to start again; it is tried again at this monotonic time. */
void failure_note_write(holder *h, uint64_t retry_at_ns);
/* It serves. */
void failure_note_clear(holder *h);

#endif
