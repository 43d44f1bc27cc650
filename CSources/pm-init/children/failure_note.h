/*
 * What the lock file says: nothing while all is well, else how pmd fails to start, for those who wait for it:
 * "failures 3\nstatus 139\nretry 1764000000\n" (starts in a row that failed, wait status of the last, time of
 * the next in seconds since 1970).
 */
#ifndef FAILURE_NOTE_H
#define FAILURE_NOTE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int lock;        /* the lock file, or -1; owned */
    bool is_written; /* it says something */
} failure_note;

/* What it says of pmd. */
typedef struct {
    uint32_t failures;
    int32_t last_status;
    uint64_t retry_at_ns; /* monotonic */
} failure_facts;

/* pmd has failed to start again. */
void failure_note_write(failure_note *note, const failure_facts *facts);
/* pmd serves. */
void failure_note_clear(failure_note *note);

#endif
