/*
 * The child's sandbox, between clone and exec and by the same rules as spawn_child.c. What is to be mounted
 * is decided by the caller; here it is done in order.
 */
#define _GNU_SOURCE
#include "spawn_filter.h"
#include "spawn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Calls that older C libraries do not name; the numbers are the same on all architectures. */
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_move_mount
#define SYS_move_mount 429
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

/* linux/mount.h, which some versions of sys/mount.h clash with. */
#define TREE_CLONE 1u
#define WHOLE_TREE 0x8000u /* AT_RECURSIVE */
#define EMPTY_PATH 0x1000u /* AT_EMPTY_PATH */
#define MOVE_FROM_FD 4u    /* MOVE_MOUNT_F_EMPTY_PATH */
#define ATTR_READ_ONLY 1u  /* MOUNT_ATTR_RDONLY */

typedef struct {
    uint64_t set;
    uint64_t clear;
    uint64_t propagation;
    uint64_t user_namespace;
} mount_attributes;

DIRECT static bool has(const pm_spawn_request *request, uint32_t flag) {
    return (request->flags & flag) != 0;
}

/* "1000 1000 1": this user is the same one inside. */
DIRECT static bool map_id(const char *path, uint32_t id) {
    char text[32], digits[12];
    size_t size = 0, length;
    const char *number = pm_spawn_decimal((int32_t)id, digits, &length);
    for (int twice = 0; twice < 2; twice++) {
        for (size_t i = 0; i < length; i++)
            text[size++] = number[i];
        text[size++] = ' ';
    }
    text[size++] = '1';
    return pm_spawn_write_file(AT_FDCWD, path, text, size);
}

/* The files of a process that is not dumpable are root's (proc(5)), and changing the namespace made it so. */
DIRECT static bool map_ids(uint32_t user, uint32_t group) {
    return syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 &&
           pm_spawn_write_file(AT_FDCWD, "/proc/self/setgroups", "deny", 4) &&
           map_id("/proc/self/uid_map", user) && map_id("/proc/self/gid_map", group);
}

DIRECT static pm_step enter_namespaces(const pm_spawn_request *request) {
    bool has_users = has(request, PM_SPAWN_NEW_USERS);
    uint32_t user = (uint32_t)syscall(SYS_geteuid), group = (uint32_t)syscall(SYS_getegid);
    if (syscall(SYS_unshare, CLONE_NEWNS | (has_users ? CLONE_NEWUSER : 0)) < 0)
        return PM_STEP_NAMESPACE;
    if (has_users && !map_ids(user, group))
        return PM_STEP_NAMESPACE;
    /* What is mounted here is not seen outside; what is mounted outside later is seen here. */
    return syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ? PM_STEP_NAMESPACE
                                                                            : PM_STEP_NONE;
}

DIRECT static long set_read_only(int directory, const char *path, unsigned flags) {
    mount_attributes attributes = {.set = ATTR_READ_ONLY};
    return syscall(SYS_mount_setattr, directory, path, flags, &attributes, sizeof attributes);
}

DIRECT static bool is_kept(const char *mount) {
    return mount[0] == PM_MOUNT_KEPT || mount[0] == PM_MOUNT_KEPT_WRITABLE;
}

/* Takes copies of what is kept before anything is hidden: -1 where nothing is. */
DIRECT static bool take_kept(const pm_spawn_request *request, int *trees) {
    for (uint32_t i = 0; i < request->mount_count; i++) {
        trees[i] = -1;
        if (!is_kept(request->mounts[i]))
            continue;
        trees[i] = (int)syscall(SYS_open_tree, AT_FDCWD, request->mounts[i] + 1,
                                TREE_CLONE | O_CLOEXEC | WHOLE_TREE);
        if (trees[i] < 0)
            return false;
        if (request->mounts[i][0] == PM_MOUNT_KEPT &&
            set_read_only(trees[i], "", EMPTY_PATH | WHOLE_TREE) < 0)
            return false;
    }
    return true;
}

DIRECT static bool make_read_only(const char *path) {
    /* The root is a mount already, and what is mounted onto it would lie below this process's root. */
    if (path[1] != '\0' && syscall(SYS_mount, path, path, NULL, MS_BIND | MS_REC, NULL) < 0)
        return false;
    return set_read_only(AT_FDCWD, path, WHOLE_TREE) == 0;
}

DIRECT static bool make_empty(const char *path, const char *mode) {
    return syscall(SYS_mount, "tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, mode) == 0;
}

DIRECT static bool change(const char *mount) {
    switch (mount[0]) {
    case PM_MOUNT_READ_ONLY: return make_read_only(mount + 1);
    case PM_MOUNT_TEMPORARY: return make_empty(mount + 1, "mode=1777");
    case PM_MOUNT_HIDDEN: return make_empty(mount + 1, "mode=755");
    case PM_MOUNT_KEPT:
    case PM_MOUNT_KEPT_WRITABLE: return true; /* put back later */
    default: errno = EINVAL; return false;
    }
}

/* mkdir -p: in a hidden directory there is nothing any more. */
DIRECT static bool make_directories(const char *path) {
    char buffer[PATH_MAX];
    size_t at = 0;
    for (; path[at] != '\0' && at < PATH_MAX - 1; at++) {
        if (at > 0 && path[at] == '/') {
            buffer[at] = '\0';
            if (syscall(SYS_mkdirat, AT_FDCWD, buffer, 0755) < 0 && errno != EEXIST && errno != EROFS)
                return false;
        }
        buffer[at] = path[at];
    }
    buffer[at] = '\0';
    return syscall(SYS_mkdirat, AT_FDCWD, buffer, 0755) == 0 || errno == EEXIST || errno == EROFS;
}

DIRECT static bool put_back(const char *path, int tree) {
    if (tree < 0)
        return true;
    bool done =
        make_directories(path) && syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_FROM_FD) == 0;
    int error = errno;
    syscall(SYS_close, tree);
    errno = error;
    return done;
}

DIRECT pm_step pm_spawn_isolate(const pm_spawn_request *request) {
    int trees[PM_MOUNTS_MAX];
    if (!has(request, PM_SPAWN_NEW_MOUNTS))
        return PM_STEP_NONE;
    pm_step failed = enter_namespaces(request);
    if (failed != PM_STEP_NONE)
        return failed;
    if (!take_kept(request, trees))
        return PM_STEP_MOUNT;
    for (uint32_t i = 0; i < request->mount_count; i++)
        if (!change(request->mounts[i]))
            return PM_STEP_MOUNT;
    for (uint32_t i = 0; i < request->mount_count; i++)
        if (!put_back(request->mounts[i] + 1, trees[i]))
            return PM_STEP_MOUNT;
    for (uint32_t i = 0; i < request->mount_count; i++)
        if (request->mounts[i][0] == PM_MOUNT_HIDDEN &&
            set_read_only(AT_FDCWD, request->mounts[i] + 1, 0) < 0)
            return PM_STEP_MOUNT;
    return PM_STEP_NONE;
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

DIRECT pm_step pm_spawn_confine(const pm_spawn_request *request) {
    if (has(request, PM_SPAWN_NO_CAPABILITIES) && !drop_capabilities())
        return PM_STEP_CAPABILITIES;
    if (!has(request, PM_SPAWN_FILTERED))
        return PM_STEP_NONE;
    if (pm_spawn_filter.len == 0) {
        errno = ENOSYS; /* not written for this architecture */
        return PM_STEP_FILTER;
    }
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &pm_spawn_filter) < 0 ? PM_STEP_FILTER
                                                                                  : PM_STEP_NONE;
}
