/*
 * Between clone and exec: a /dev with the devices that every program may have, by system calls alone as in
 * spawn_child.c. The devices are those of the machine, put in place one by one: a user namespace may make
 * none.
 */
#define _GNU_SOURCE
#include "spawn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEVICES (sizeof names / sizeof *names)
/* The place of its terminals in pm_spawn_devices.trees: a copy of the machine's, used where it may have none
 * of its own. */
#define TERMINALS DEVICES

static const char *const names[] = {"null", "zero", "full", "random", "urandom", "tty"};

typedef struct {
    const char *name;
    const char *target;
} device_link;

static const device_link links[] = {
    {"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},
};

/* "<directory>/<name>"; false when it is longer than PATH_MAX. */
DIRECT static bool join(char out[PATH_MAX], const char *directory, const char *name) {
    size_t at = 0;
    for (; *directory != '\0' && at < PATH_MAX - 1; directory++)
        out[at++] = *directory;
    if (at < PATH_MAX - 1)
        out[at++] = '/';
    for (; *name != '\0' && at < PATH_MAX - 1; name++)
        out[at++] = *name;
    out[at] = '\0';
    if (*name == '\0')
        return true;
    errno = ENAMETOOLONG;
    return false;
}

DIRECT static void let_go(pm_spawn_devices *devices) {
    int error = errno;
    for (size_t i = 0; i <= TERMINALS; i++)
        if (devices->trees[i] >= 0)
            syscall(SYS_close, devices->trees[i]);
    errno = error;
}

DIRECT bool pm_spawn_take_devices(pm_spawn_devices *devices) {
    char path[PATH_MAX];
    for (size_t i = 0; i <= TERMINALS; i++)
        devices->trees[i] = -1;
    for (size_t i = 0; i < DEVICES; i++) {
        /* A container may lack one of them; nothing works without this one. */
        bool is_needed = i == 0;
        if (!join(path, "/dev", names[i]) ||
            ((devices->trees[i] = pm_spawn_copy_tree(path)) < 0 && (is_needed || errno != ENOENT))) {
            let_go(devices);
            return false;
        }
    }
    devices->trees[TERMINALS] = pm_spawn_copy_tree("/dev/pts");
    long size = syscall(SYS_readlinkat, AT_FDCWD, "/dev/log", devices->log, sizeof devices->log - 1);
    devices->log[size > 0 ? size : 0] = '\0';
    return true;
}

/* It has terminals of its own; where it may not (a user namespace without root) the machine's. */
DIRECT static bool mount_terminals(pm_spawn_devices *devices, const char *directory) {
    static const char *const options[] = {"newinstance,ptmxmode=0666,mode=0620,gid=5",
                                          "newinstance,ptmxmode=0666,mode=0620"};
    char path[PATH_MAX];
    if (!join(path, directory, "pts") || syscall(SYS_mkdirat, AT_FDCWD, path, 0755) < 0)
        return false;
    for (int i = 0; i < 2; i++)
        if (syscall(SYS_mount, "devpts", path, "devpts", MS_NOSUID | MS_NOEXEC, options[i]) == 0)
            return true;
    int tree = devices->trees[TERMINALS];
    devices->trees[TERMINALS] = -1;
    return pm_spawn_put(tree, path);
}

DIRECT static bool mount_memory(const char *directory) {
    char path[PATH_MAX];
    return join(path, directory, "shm") && syscall(SYS_mkdirat, AT_FDCWD, path, 0755) == 0 &&
           pm_spawn_mount_empty(path, "mode=1777");
}

DIRECT static bool make_link(const char *directory, const char *name, const char *target) {
    char path[PATH_MAX];
    return join(path, directory, name) && syscall(SYS_symlinkat, target, AT_FDCWD, path) == 0;
}

DIRECT static bool fill(pm_spawn_devices *devices, const char *directory) {
    char path[PATH_MAX];
    for (size_t i = 0; i < DEVICES; i++) {
        int tree = devices->trees[i];
        devices->trees[i] = -1;
        if (!join(path, directory, names[i]) || !pm_spawn_put(tree, path))
            return false;
    }
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (!make_link(directory, links[i].name, links[i].target))
            return false;
    /* Not a device: what syslog(3) writes to. */
    if (devices->log[0] != '\0' && !make_link(directory, "log", devices->log))
        return false;
    return mount_terminals(devices, directory) && mount_memory(directory);
}

DIRECT bool pm_spawn_mount_devices(pm_spawn_devices *devices, const char *path) {
    bool done = pm_spawn_mount_empty(path, "mode=755") && fill(devices, path);
    let_go(devices);
    return done;
}
