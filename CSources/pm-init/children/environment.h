/* Program, arguments and environment of a process to start, as arrays of pointers into memory that others
 * own. */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include "control.h"
#include "identity.h"

/* Most arguments and environment strings of one process together. */
#define ENVIRONMENT_STRINGS_MAX 65536u

/* The arrays lie in static memory that the next environment uses again. */
typedef struct {
    const char *path;
    const char *cwd;
    const char **argv;   /* null-terminated */
    const char **envp;   /* null-terminated; its first string is left for the marker */
    const char *journal; /* what its streams to journald begin with; null without PM_SPAWN_TO_JOURNAL */
    char *journal_mark;  /* its entry of envp for JOURNAL_STREAM; null without */
    const char **mounts;
    char *listen_pid; /* PM_SPAWN_PID_SIZE bytes behind "LISTEN_PID=", where envp has that; else null */
} environment;

/* Takes path, cwd, argv, envp and mounts out of the strings of a message; false when they do not match its
 * counts. */
bool environment_parse(environment *out, const char *strings, const pm_spawn_message *m);
/* pm-init's own environment, for pmd, with `extra` unless it is null. */
void environment_inherit(environment *out, const char *extra);
/* The marker of the child with this id, in static memory. */
const char *environment_marker(const identity *self, uint64_t id);

#endif
