/*
 * Children that take other ids, a sandbox or a keyring: they begin as pm-exec, which makes itself the child
 * (exec_request.h) and reports over a pipe. Nothing waits for it: the child is in the table at once, and the
 * report is an event of the loop.
 */
#ifndef EXECUTOR_H
#define EXECUTOR_H

#include "child_request.h"
#include "holder.h"

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
 * changes nothing. Where there is none yet, it is looked for again at the next start that needs it. */
void executor_open(holder *h);
/* Prepares the start of a record's child and watches for its report; false with out->failure set. */
bool executor_prepare(holder *h, record *r, const child_source *source, executor_start *out);
/* After pm_spawn of out->spawn: closes what was for pm-exec; a start that failed is not watched any more. */
void executor_prepared(holder *h, record *r, executor_start *start, bool started);
/* Reads the report of the record at this index, if there is one. */
void executor_ready(holder *h, uint32_t index);
/* The child of a record that was under way has been reaped; false: it never ran its program, and the record
 * goes as soon as pmd knows. */
bool executor_reaped(holder *h, record *r);
/* Watches a report that the program before had watched. 0 or -errno. */
int executor_resume(holder *h, record *r);

#endif
