/* What the three parts of pm_spawn share: spawn.c (parent), spawn_clone.c (the call), spawn_child.c (child).
 */
#ifndef PM_SPAWN_INTERNAL_H
#define PM_SPAWN_INTERNAL_H

#include "include/pm_spawn.h"

/* For code between clone and exec: what sanitizers insert would use the parent's state. */
#ifdef __clang__
#define DIRECT __attribute__((no_sanitize("address", "thread", "undefined")))
#else
#define DIRECT __attribute__((no_sanitize("address,thread,undefined")))
#endif

/* Bytes of the child's stack. Its deepest use is a PATH_MAX buffer and the descriptor table, below 8 KB. */
#define PM_SPAWN_STACK_SIZE 65536u

/* Lies in memory that parent and child share, so the child reports by plain stores. */
typedef struct {
    const pm_spawn_request *request;
    bool enter_cgroup; /* clone could not place the child into its cgroup, so it goes there itself */
    bool has_journal;  /* its output goes to journald */
    int32_t report;    /* close-on-exec, open until exec (pm_spawn_execute); -1: none */
    volatile pm_step step;
    volatile int error;
    volatile uint32_t clamped;
} pm_spawn_context;

/* All steps in their order, exec at last. Comes back with the step that failed, and with errno. */
pm_step pm_spawn_run_steps(pm_spawn_context *context);
/* The child, from clone to exec. Gives the exit status of a child whose exec failed; context tells why. */
int pm_spawn_child(void *context);

/* In the child: puts streams to journald in the place of descriptors 1 and 2. Without journald it leaves them
 * and says so (PM_CLAMPED_JOURNAL): a service does not fail for want of its log. */
void pm_spawn_connect_journal(pm_spawn_context *context);

/* Tools of the child (spawn_file.c). Writes a whole file by one write(2); false with errno. */
bool pm_spawn_write_file(int directory, const char *path, const char *text, size_t size);
/* Writes the number's decimal text to the end of `text` and gives its start. */
const char *pm_spawn_decimal(int32_t number, char text[12], size_t *size);

/* The steps of the sandbox (spawn_sandbox.c), each PM_STEP_NONE or what failed with errno set. Namespaces and
 * mounts; */
pm_step pm_spawn_isolate(const pm_spawn_request *request);
/* no capability may be gained any more, while there are still those for changing ids; */
pm_step pm_spawn_bound(const pm_spawn_request *request);
/* none is left, and system calls are filtered: right before exec. */
pm_step pm_spawn_confine(const pm_spawn_request *request);

/*
 * Makes the child, which runs pm_spawn_child(context) on the stack and shares the caller's memory until it
 * has exec'd; returns after that. Gives the pid, or -errno with *failed set. *pidfd is set when it was asked
 * for.
 */
long pm_spawn_clone(pm_spawn_context *context, char *stack, int *pidfd, pm_step *failed);

#endif
