/*
 * What the child may do at all: capabilities, system calls and other processes. Between clone and exec, by
 * the same rules as spawn_child.c.
 */
#define _GNU_SOURCE
#include "spawn_filter.h"
#include "spawn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/landlock.h, which older systems do not have. */
#define ASK_VERSION 1u
#define MAKE_BLOCK_DEVICE (1u << 11)
#define MOVE_BETWEEN_DIRECTORIES (1u << 13)
#define RULE_PATH_BENEATH 1
/* The first version with the right to move files from one directory to another, without which every domain
 * takes it away (Linux 5.19). */
#define LEAST_VERSION 2

typedef struct {
    uint64_t handled_rights;
} landlock_domain;

typedef struct {
    uint64_t rights;
    int32_t directory;
} __attribute__((packed)) landlock_rule;

DIRECT static bool has(const pm_spawn_request *request, uint32_t flag) {
    return (request->flags & flag) != 0;
}

DIRECT pm_step pm_spawn_bound(const pm_spawn_request *request) {
    if (!has(request, PM_SPAWN_NO_CAPABILITIES))
        return PM_STEP_NONE;
    /* Beyond the last one that the kernel knows it is EINVAL. */
    for (long capability = 0; syscall(SYS_prctl, PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        if (syscall(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
            return PM_STEP_CAPABILITIES;
    return PM_STEP_NONE;
}

DIRECT static bool drop_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {{0}, {0}};
    return syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
           syscall(SYS_capset, &header, none) == 0;
}

DIRECT static bool allow_moving(int domain) {
    landlock_rule rule = {.rights = MOVE_BETWEEN_DIRECTORIES};
    rule.directory = (int32_t)syscall(SYS_openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC);
    if (rule.directory < 0)
        return false;
    long added = syscall(PM_SYS_landlock_add_rule, domain, RULE_PATH_BENEATH, &rule, 0);
    int error = errno;
    syscall(SYS_close, rule.directory);
    errno = error;
    return added == 0;
}

/*
 * Into a Landlock domain of its own: from there no process outside can be traced, and nothing of it in /proc
 * be opened that tracing would show (mem, environ, fd, maps), which a filter of system calls cannot tell from
 * other files. A domain has to take something away: here block devices, which a child without capabilities
 * cannot make in any case. Kernels without Landlock have nothing of the kind, and go without.
 */
DIRECT static bool leave_others_alone(void) {
    if (syscall(PM_SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION) < LEAST_VERSION)
        return true;
    const landlock_domain wanted = {.handled_rights = MAKE_BLOCK_DEVICE | MOVE_BETWEEN_DIRECTORIES};
    int domain = (int)syscall(PM_SYS_landlock_create_ruleset, &wanted, sizeof wanted, 0);
    if (domain < 0)
        return false;
    bool done = allow_moving(domain) && syscall(PM_SYS_landlock_restrict_self, domain, 0) == 0;
    int error = errno;
    syscall(SYS_close, domain);
    errno = error;
    return done;
}

DIRECT static bool filter_calls(pm_filter_kind kind) {
    struct sock_filter statements[PM_FILTER_MAX];
    const size_t size = pm_spawn_filter(kind, statements);
    const struct sock_fprog filter = {.len = (unsigned short)size, .filter = statements};
    errno = ENOSYS; /* not written for this architecture */
    return size > 0 && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0;
}

DIRECT pm_step pm_spawn_confine(const pm_spawn_request *request) {
    if (has(request, PM_SPAWN_NO_CAPABILITIES) && !drop_capabilities())
        return PM_STEP_CAPABILITIES;
    if (!has(request, PM_SPAWN_FILTERED))
        return PM_STEP_NONE;
    pm_filter_kind kind = has(request, PM_SPAWN_DENY_LIST) ? PM_FILTER_DENIES : PM_FILTER_ALLOWS;
    return leave_others_alone() && filter_calls(kind) ? PM_STEP_NONE : PM_STEP_FILTER;
}
