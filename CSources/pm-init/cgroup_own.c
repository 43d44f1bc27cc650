/* The cgroup that a service manager has delegated to the holder (systemd.resource-control(5), Delegate=). */
#define _GNU_SOURCE
#include "cgroup.h"
#include "pm_file.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the holder itself goes: a cgroup that passes controllers on has no processes of its own (cgroups(7),
 * "no internal processes"). */
#define HOLDERS "pm"

static int64_t read_file(int base, const char *name, char *content, size_t capacity) {
    int fd = openat(base, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int64_t size = pm_fd_read(fd, content, capacity - 1);
    pm_fd_close(fd);
    content[size > 0 ? size : 0] = '\0';
    return size;
}

static int write_file(int base, const char *name, const char *content) {
    int fd = openat(base, name, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int64_t written = pm_fd_write(fd, content, strlen(content));
    pm_fd_close(fd);
    return written < 0 ? (int)written : 0;
}

/* The path of this process's cgroup of version 2 below its mount point; false when there is none. */
static bool own_path(char *content, size_t capacity, const char **path) {
    if (read_file(AT_FDCWD, "/proc/self/cgroup", content, capacity) <= 0)
        return false;
    char *line = strncmp(content, "0::/", 4) == 0 ? content : strstr(content, "\n0::/");
    if (line == NULL)
        return false;
    line += line[0] == '\n' ? 4 : 3;
    line[strcspn(line, "\n")] = '\0';
    *path = line;
    return true;
}

static int open_below(const char *mount, const char *path) {
    char buffer[PATH_MAX];
    text name = text_in(buffer, sizeof buffer);
    text_add(&name, mount);
    text_add(&name, path);
    int fd = open(buffer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* A directory without this file is not of cgroup2. */
    if (fd >= 0 && faccessat(fd, "cgroup.procs", W_OK, 0) == 0)
        return fd;
    int error = errno;
    pm_fd_close(fd);
    return -error;
}

/* Lets children have each controller that is there; one that cannot be passed on is left out. */
static void pass_controllers_on(int base) {
    char content[512], wish[64];
    if (read_file(base, "cgroup.controllers", content, sizeof content) <= 0)
        return;
    char *rest = NULL;
    for (char *name = strtok_r(content, " \n", &rest); name != NULL; name = strtok_r(NULL, " \n", &rest)) {
        text words = text_in(wish, sizeof wish);
        text_add(&words, "+");
        text_add(&words, name);
        write_file(base, "cgroup.subtree_control", wish);
    }
}

int cgroup_open_own(void) {
    static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    char content[PATH_MAX];
    const char *path;
    int base = -EOPNOTSUPP;
    if (!own_path(content, sizeof content, &path))
        return base;
    for (int i = 0; i < 2 && base < 0; i++) {
        int opened = open_below(mounts[i], path);
        /* That one of the places does not exist says nothing about the other. */
        if (opened != -ENOENT || base == -EOPNOTSUPP)
            base = opened;
    }
    if (base < 0)
        return base;
    int result = mkdirat(base, HOLDERS, 0755) < 0 && errno != EEXIST
                     ? -errno
                     : write_file(base, HOLDERS "/cgroup.procs", "0");
    if (result < 0) {
        pm_fd_close(base);
        return result;
    }
    pass_controllers_on(base);
    return base;
}
