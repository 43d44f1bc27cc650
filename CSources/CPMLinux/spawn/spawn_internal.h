/* What the three parts of pm_spawn share: spawn.c (parent), spawn_clone.c (the call), spawn_child.c (child).
 */
#ifndef PM_SPAWN_INTERNAL_H
#define PM_SPAWN_INTERNAL_H

#include "../include/pm_spawn.h"

/* For code between clone and exec: what sanitizers insert would use the parent's state. */
#ifdef __clang__
#define DIRECT __attribute__((no_sanitize("address", "thread", "undefined")))
#else
#define DIRECT __attribute__((no_sanitize("address,thread,undefined")))
#endif

/* Bytes of the child's stack. Its deepest use is two PATH_MAX buffers and the mounts, below 16 KB. */
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

/* Calls that older C libraries do not name; the numbers are the same on all architectures. */
#define PM_SYS_open_tree 428
#define PM_SYS_move_mount 429
#define PM_SYS_openat2 437
#define PM_SYS_mount_setattr 442
#define PM_SYS_landlock_create_ruleset 444
#define PM_SYS_landlock_add_rule 445
#define PM_SYS_landlock_restrict_self 446

/* Tools of the sandbox's mounts (spawn_mount.c): each false or -1 with errno. Opens a path in which there is
 * no link (O_PATH): what a child before this one could write must not lead elsewhere. */
int pm_spawn_open_place(const char *path);
/* A copy of what is mounted at a path, to be put somewhere by pm_spawn_put. */
int pm_spawn_copy_tree(const char *path);
/* Makes a mount, and all below it, read-only; an empty path is the descriptor itself. */
bool pm_spawn_set_read_only(int directory, const char *path, bool is_recursive);
/* Puts a copy at a path, which is made where it is missing, and closes the descriptor; -1 is none. */
bool pm_spawn_put(int tree, const char *path);
/* Covers a file by one without content, a directory by an empty one; where there is nothing it does nothing.
 * *empty is null at first, then a directory that was covered so. */
bool pm_spawn_mask(const char *path, const char **empty);
/* Mounts an empty file system. */
bool pm_spawn_mount_empty(const char *path, const char *mode);

/* The devices of a sandbox (spawn_device.c). What is taken before the directory is covered; */
typedef struct {
    int trees[7];  /* copies of devices, or -1 */
    char log[128]; /* where the link to the system's log leads; may be empty */
} pm_spawn_devices;
bool pm_spawn_take_devices(pm_spawn_devices *devices);
/* and a directory with them. Both close what they opened when they fail. */
bool pm_spawn_mount_devices(pm_spawn_devices *devices, const char *path);

/* The child's ids (spawn_ids.c), and that it has these and no way back to root. */
pm_step pm_spawn_take_ids(const pm_spawn_request *request);

/* The child's session keyring (spawn_keyring.c). */
pm_step pm_spawn_take_keyring(const pm_spawn_request *request);

/* The steps of the sandbox (spawn_sandbox.c, spawn_confine.c), each PM_STEP_NONE or what failed with errno
 * set. Namespaces and mounts; */
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
