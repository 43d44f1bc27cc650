/* Starting children: PM_SPAWN from its packet to the running process. */
#ifndef LAUNCH_H
#define LAUNCH_H

#include "executor.h"
#include "pm_spawn.h"

#include <sys/resource.h>

/* The first two are set once, and borrowed. */
typedef struct {
    lineage *lineage;
    executor *executor;
    struct rlimit open_files; /* as pm-init found it; children get it */
} launcher;

/* A received PM_SPAWN. Whoever takes a descriptor out of fds puts -1 there; the rest is closed by the caller.
 */
typedef struct {
    uint64_t id;
    const pm_spawn_message *body;
    const char *strings;
    size_t strings_size;
    int *fds;
    size_t fd_count;
} launch_request;

/* What came of a launch: the child, or why there is none. */
typedef struct {
    pm_child child;
    pm_spawn_failure failure;
} launch_result;

/* Starts the child and adds its record; unless that is CHILD_RUNNING, what becomes of it is reported later
 * (executor.h). False: there is none, and out->failure says why. */
bool launch_child(launcher *l, const launch_request *request, launch_result *out);
/* pmd's program and its arguments, null-terminated, and its descriptors: the control socket and, if it is not
 * negative, the one to report its start to. */
typedef struct {
    char *const *program;
    int control;
    int status;
} launch_of_pmd;

/* Starts pmd; no child, and in no table. */
bool launch_pmd(const launcher *l, const launch_of_pmd *pmd, launch_result *out);

/* Starts a program that is tried (O_PATH), with this image as descriptor 3. argv is null-terminated. */
bool launch_trial(const char *const *argv, int image, int program, launch_result *out);

#endif
