/*
 * A spawn as pm-init is asked for it, checked and turned into what pm_spawn.h takes. pm-exec reads with the
 * same code what pm-init passes on.
 */
#ifndef CHILD_REQUEST_H
#define CHILD_REQUEST_H

#include "environment.h"
#include "pm_spawn.h"

/* Longest strings, bytes; beyond it execve would refuse (a quarter of the stack limit, usually 8 MB). */
#define CHILD_STRINGS_MAX (8u << 20)

/* Everything is borrowed. */
typedef struct {
    const pm_spawn_message *body;
    const char *strings;  /* body->strings_size bytes */
    const char *marker;   /* the marker, the first variable of the child's environment (pm_contract.h) */
    const int32_t *fds;   /* body->child_fds of them */
    pm_rlimit open_files; /* where body has no RLIMIT_NOFILE */
} child_source;

/* It points to itself, to its source, and to what environment.h says: not to be copied. */
typedef struct {
    environment environment;
    pm_spawn_journal journal;
    pm_rlimit limits[PM_RLIMITS_MAX + 1];
    pm_spawn_request spawn;
} child_request;

/* Whether flags, counts and ids of a message are possible; false with the step and EINVAL, E2BIG or EBADMSG.
 * What the counts say about strings and descriptors is the caller's to check. */
bool child_check(const pm_spawn_message *body, pm_spawn_failure *failure);
/* Takes a checked message apart; false when the strings do not match its counts. */
bool child_read(child_request *out, const child_source *source);
/* Whether it belongs into a process of its own (PM_SPAWN_APART). */
bool child_is_apart(const pm_spawn_message *body);

#endif
