/* What the three parts of pm_spawn share: spawn.c (parent), spawn_clone.c (the call), spawn_child.c (child).
 */
#ifndef PM_SPAWN_INTERNAL_H
#define PM_SPAWN_INTERNAL_H

#include "include/pm_spawn.h"

/* What runs between clone and exec is not touched by sanitizers. */
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
    volatile pm_step step;
    volatile int error;
    volatile uint32_t clamped;
} pm_spawn_context;

/* The child, from clone to exec. Gives the exit status of a child whose exec failed; context tells why. */
int pm_spawn_child(void *context);

/* In the child: puts streams to journald in the place of descriptors 1 and 2. Without journald it leaves them
 * and says so (PM_CLAMPED_JOURNAL): a service does not fail for want of its log. */
void pm_spawn_connect_journal(pm_spawn_context *context);

/*
 * Makes the child, which runs pm_spawn_child(context) on the stack and shares the caller's memory until it
 * has exec'd; returns after that. Gives the pid, or -errno with *failed set. *pidfd is set when it was asked
 * for.
 */
long pm_spawn_clone(pm_spawn_context *context, char *stack, int *pidfd, pm_step *failed);

#endif
