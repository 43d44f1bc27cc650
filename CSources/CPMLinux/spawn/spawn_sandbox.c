/*
 * The child's namespaces and mounts, between clone and exec and by the same rules as spawn_child.c. What is
 * to be mounted is decided by the caller; here it is done in order.
 */
#define _GNU_SOURCE
#include "spawn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* What is taken before anything is changed: descriptors, or -1. */
typedef struct {
    int trees[PM_MOUNTS_MAX]; /* of what is kept */
    pm_spawn_devices devices;
    const char *empty; /* a directory that is masked */
} taken;

DIRECT static bool copy_kept(const char *mount, int *tree, pm_spawn_devices *devices) {
    *tree = -1;
    switch (mount[0]) {
    case PM_MOUNT_DEVICES: return pm_spawn_take_devices(devices);
    case PM_MOUNT_KEPT_WRITABLE: return (*tree = pm_spawn_copy_tree(mount + 1)) >= 0;
    case PM_MOUNT_KEPT:
        return (*tree = pm_spawn_copy_tree(mount + 1)) >= 0 && pm_spawn_set_read_only(*tree, "", true);
    default: return true; /* nothing of it is needed later */
    }
}

DIRECT static bool make_read_only(const char *path) {
    /* The root is a mount already, and what is mounted onto it would lie below this process's root. */
    if (path[1] != '\0' && syscall(SYS_mount, path, path, NULL, MS_BIND | MS_REC, NULL) < 0)
        return false;
    return pm_spawn_set_read_only(AT_FDCWD, path, true);
}

DIRECT static bool change(const char *mount, taken *t) {
    switch (mount[0]) {
    case PM_MOUNT_READ_ONLY: return make_read_only(mount + 1);
    case PM_MOUNT_TEMPORARY: return pm_spawn_mount_empty(mount + 1, "mode=1777");
    case PM_MOUNT_HIDDEN: return pm_spawn_mount_empty(mount + 1, "mode=755");
    case PM_MOUNT_MASKED: return pm_spawn_mask(mount + 1, &t->empty);
    case PM_MOUNT_DEVICES: return pm_spawn_mount_devices(&t->devices, mount + 1);
    case PM_MOUNT_KEPT:
    case PM_MOUNT_KEPT_WRITABLE: return true; /* put back later */
    default: errno = EINVAL; return false;
    }
}

/* What things are put back into stays as it is then. */
DIRECT static bool finish(const char *mount) {
    bool is_made = mount[0] == PM_MOUNT_HIDDEN || mount[0] == PM_MOUNT_DEVICES;
    return !is_made || pm_spawn_set_read_only(AT_FDCWD, mount + 1, false);
}

DIRECT static bool is_kept(const char *mount) {
    return mount[0] == PM_MOUNT_KEPT || mount[0] == PM_MOUNT_KEPT_WRITABLE;
}

DIRECT static bool make_mounts(const pm_spawn_request *request) {
    taken t;
    t.empty = NULL;
    for (uint32_t i = 0; i < request->mount_count; i++)
        if (!copy_kept(request->mounts[i], &t.trees[i], &t.devices))
            return false;
    for (uint32_t i = 0; i < request->mount_count; i++)
        if (!change(request->mounts[i], &t))
            return false;
    for (uint32_t i = 0; i < request->mount_count; i++)
        if (is_kept(request->mounts[i]) && !pm_spawn_put(t.trees[i], request->mounts[i] + 1))
            return false;
    for (uint32_t i = 0; i < request->mount_count; i++)
        if (!finish(request->mounts[i]))
            return false;
    return true;
}

DIRECT pm_step pm_spawn_isolate(const pm_spawn_request *request) {
    if (!has(request, PM_SPAWN_NEW_MOUNTS))
        return PM_STEP_NONE;
    pm_step failed = enter_namespaces(request);
    if (failed != PM_STEP_NONE)
        return failed;
    /* What is made here belongs to the sandbox: the service has to pass through it, whatever its own files
     * get. */
    long mask = syscall(SYS_umask, 0);
    bool done = make_mounts(request);
    int error = errno;
    syscall(SYS_umask, mask);
    errno = error;
    return done ? PM_STEP_NONE : PM_STEP_MOUNT;
}
