/*
 * Children that take other ids, a sandbox or a keyring: they begin as pm-exec, which makes itself the child
 * (exec_request.h) and reports over a pipe. Nothing waits for it: the child is in the table at once, and the
 * report is an event of the loop.
 */
#ifndef EXECUTOR_H
#define EXECUTOR_H

#include "channel.h"
#include "child_request.h"
#include "lineage.h"

/* All but the program is set once, and borrowed. */
typedef struct {
    int epoll;
    lineage *lineage;
    channel *channel;
    int program; /* pm-exec, only to be executed (O_PATH), or -1; owned */
} executor;

/* How pm-exec is started for one child. The descriptors are the starter's own. */
typedef struct {
    pm_spawn_request spawn; /* of pm-exec itself */
    int32_t fds[PM_FDS_MAX + 3];
    int32_t request;
    int32_t report; /* write end */
    char program[24];
    char number[12];
    const char *argv[3];
    const char *envp[2];
    pm_spawn_failure failure;
} executor_start;

/* Opens pm-exec, which lies beside this program and belongs to it, so that an installation of another one
 * changes nothing. Where there is none yet, it is looked for again at the next start that needs it. 0 or
 * -errno. */
int executor_open(executor *x);
/* Prepares the start of a record's child and watches for its report; false with out->failure set. */
bool executor_prepare(executor *x, record *r, const child_source *source, executor_start *out);
/* After pm_spawn of out->spawn: closes what was for pm-exec; a start that failed is not watched any more. */
void executor_prepared(executor *x, record *r, executor_start *start, bool started);
/* Reads the report of the record at this index, if there is one. */
void executor_ready(executor *x, uint32_t index);
/* The child of a record whose start was under way, or had failed, has been reaped; false: it never ran its
 * program, and the record goes as soon as pmd knows. */
bool executor_reaped(executor *x, record *r);
/* Watches a report that the program before had watched. 0 or -errno. */
int executor_resume(executor *x, record *r);

#endif
