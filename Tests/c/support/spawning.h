/* What the tests of pm_spawn share. */
#ifndef SPAWNING_H
#define SPAWNING_H

#include "cpmlinux.h"

/* A request for this program in a role, with descriptors {null, `output`, 2} and a small environment. */
typedef struct {
    pm_spawn_request request;
    const char *argv[12];
    const char *envp[8];
    int32_t fds[8];
} prepared;

void prepare(prepared *p, int output, const char *role, const char *argument);
/* As pm_spawn; what may not happen in a vfork (ids, sandboxes) happens in a fork, as in the executor. */
bool spawn(const pm_spawn_request *request, pm_child *child, pm_spawn_failure *failure);
/* Spawns, and fails the test when that does not work. */
pm_child spawn_or_fail(const pm_spawn_request *request);
/* Spawns the request in the role "report" and gives what it says. */
const char *reported(prepared *p);
/* Runs checks in a fork: what they do to their process, its descriptors, limits or rights, ends with it. */
void in_fork(void (*run)(void));
/* Whether the text has this line. */
bool has_line(const char *text, const char *line);
/* The signal mask of this thread, as the kernel has it. */
uint64_t signal_mask(void);
/* All properties that do not need privileges, checked at once; used with and without clone3. */
void check_all_properties(void);

#endif
