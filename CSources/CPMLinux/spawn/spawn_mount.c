/* Between clone and exec: places and mounts of a sandbox, by system calls alone as in spawn_child.c. */
#define _GNU_SOURCE
#include "spawn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/mount.h, which some versions of sys/mount.h clash with. */
#define TREE_CLONE 1u
#define WHOLE_TREE 0x8000u /* AT_RECURSIVE */
#define EMPTY_PATH 0x1000u /* AT_EMPTY_PATH */
#define MOVE_FROM_FD 4u    /* MOVE_MOUNT_F_EMPTY_PATH */
#define MOVE_TO_FD 0x40u   /* MOVE_MOUNT_T_EMPTY_PATH */
#define ATTR_READ_ONLY 1u  /* MOUNT_ATTR_RDONLY */

/* linux/openat2.h, which older systems do not have. */
#define NO_MAGIC_LINKS 2u
#define NO_LINKS 4u

typedef struct {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
} open_how;

typedef struct {
    uint64_t set;
    uint64_t clear;
    uint64_t propagation;
    uint64_t user_namespace;
} mount_attributes;

/* Closes it, and leaves errno as it was. */
DIRECT static void let_go(int fd) {
    int error = errno;
    if (fd >= 0)
        syscall(SYS_close, fd);
    errno = error;
}

DIRECT int pm_spawn_open_place(const char *path) {
    const open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = NO_LINKS | NO_MAGIC_LINKS};
    return (int)syscall(PM_SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

DIRECT int pm_spawn_copy_tree(const char *path) {
    int place = pm_spawn_open_place(path);
    if (place < 0)
        return -1;
    int tree = (int)syscall(PM_SYS_open_tree, place, "", TREE_CLONE | O_CLOEXEC | WHOLE_TREE | EMPTY_PATH);
    let_go(place);
    return tree;
}

DIRECT bool pm_spawn_set_read_only(int directory, const char *path, bool is_recursive) {
    mount_attributes attributes = {.set = ATTR_READ_ONLY};
    unsigned flags = (is_recursive ? WHOLE_TREE : 0) | (path[0] == '\0' ? EMPTY_PATH : 0);
    return syscall(PM_SYS_mount_setattr, directory, path, flags, &attributes, sizeof attributes) == 0;
}

/* Copies the name that begins at `*at`, behind slashes, and moves on; false at the path's end. */
DIRECT static bool next_name(const char **at, char name[NAME_MAX + 1]) {
    size_t size = 0;
    while (**at == '/')
        (*at)++;
    while (**at != '\0' && **at != '/' && size < NAME_MAX)
        name[size++] = *(*at)++;
    name[size] = '\0';
    return size > 0;
}

/* A file where a file is to be put, else a directory. In a hidden directory there is nothing any more. */
DIRECT static bool make_entry(int directory, const char *name, bool is_file) {
    long made = is_file ? syscall(SYS_mknodat, directory, name, S_IFREG | 0444, 0)
                        : syscall(SYS_mkdirat, directory, name, 0755);
    return made == 0 || errno == EEXIST || errno == EROFS;
}

/* As mkdir -p, without following a link: another child may write where this one is to be. */
DIRECT static bool make_place(const char *path, bool is_file) {
    char name[NAME_MAX + 1];
    int directory = (int)syscall(SYS_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    while (directory >= 0 && next_name(&path, name)) {
        bool is_last = *path == '\0';
        int inner = -1;
        if (make_entry(directory, name, is_file && is_last) && !is_last)
            inner = (int)syscall(SYS_openat, directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        let_go(directory);
        directory = inner;
        if (is_last)
            return true; /* what is wrong with it is found when it is opened */
    }
    let_go(directory);
    return false;
}

DIRECT static bool is_file(int fd) {
    struct stat status;
    return syscall(SYS_newfstatat, fd, "", &status, EMPTY_PATH) == 0 && (status.st_mode & S_IFMT) != S_IFDIR;
}

/* Puts a copy where a descriptor leads, and closes both. */
DIRECT static bool attach(int tree, int place) {
    bool done = tree >= 0 && place >= 0 &&
                syscall(PM_SYS_move_mount, tree, "", place, "", MOVE_FROM_FD | MOVE_TO_FD) == 0;
    let_go(place);
    let_go(tree);
    return done;
}

DIRECT bool pm_spawn_put(int tree, const char *path) {
    if (tree < 0)
        return true;
    int place = pm_spawn_open_place(path);
    if (place < 0 && errno == ENOENT && make_place(path, is_file(tree)))
        place = pm_spawn_open_place(path);
    return attach(tree, place);
}

DIRECT bool pm_spawn_mount_empty(const char *path, const char *mode) {
    return syscall(SYS_mount, "tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, mode) == 0;
}

DIRECT bool pm_spawn_mask(const char *path, const char **empty) {
    int place = pm_spawn_open_place(path);
    if (place < 0)
        return errno == ENOENT;
    if (is_file(place))
        return attach(pm_spawn_copy_tree("/dev/null"), place);
    /* One empty directory for all: each file system costs more than all else that is done for a mask. */
    if (*empty != NULL)
        return attach(pm_spawn_copy_tree(*empty), place);
    let_go(place);
    *empty = path;
    return pm_spawn_mount_empty(path, "mode=555") && pm_spawn_set_read_only(AT_FDCWD, path, false);
}
