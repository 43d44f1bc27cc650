/*
 * What pm-init passes to pm-exec: a memory file with a head and the strings of a spawn (control.h) behind it.
 *
 * pm-exec gets the child's descriptors as 0, 1, ..., then the file, then the write end of the report's pipe
 * (pm_spawn_execute). Its only argument is the file's number, its only variable the child's PM_MARKER. Both
 * programs are of one build; the head says which layout is meant.
 */
#ifndef EXEC_REQUEST_H
#define EXEC_REQUEST_H

#include "child_request.h"

/* A change of exec_head or pm_spawn_message is another number. */
#define EXEC_MAGIC 0x706d2d6578656303u

typedef struct {
    uint64_t magic;
    pm_rlimit open_files;
    pm_spawn_message body;
} exec_head;

/* What pm-exec knows of its request; not to be copied. */
typedef struct {
    exec_head head;
    int32_t fds[PM_FDS_MAX];
    char *strings; /* mapped behind the head; null: not yet */
    child_request child;
} exec_request;

/* Writes the file: a descriptor owned by the caller, or -errno. What the starting of pm-exec itself does
 * (session, cgroup) is not asked for again. */
int exec_request_write(const child_source *source);
/* Reads and checks the file; false with the failing step. The strings stay mapped until exec_request_end. */
bool exec_request_read(exec_request *out, int fd, const char *marker, pm_spawn_failure *failure);
void exec_request_end(exec_request *request);

#endif
