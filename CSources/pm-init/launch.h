/* Starting children: PM_SPAWN from its packet to the running process. */
#ifndef LAUNCH_H
#define LAUNCH_H

#include "holder.h"
#include "pm_spawn.h"

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

/* Starts the child and adds its record; unless record.start is START_DONE, what becomes of it is reported
 * later (executor.h). False: there is none, and out->failure says why. */
bool launch_child(holder *h, const launch_request *request, launch_result *out);
/* Starts pmd with the control socket and, if it is not negative, the status descriptor. */
bool launch_pmd(holder *h, int control, int status, launch_result *out);

/* Starts a program that is tried (O_PATH), with this image as descriptor 3. argv is null-terminated. */
bool launch_trial(const char *const *argv, int image, int program, launch_result *out);

#endif
