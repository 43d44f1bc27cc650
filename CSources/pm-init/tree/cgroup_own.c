/* The directory of one pm-init's children, below one that somebody has delegated: the user with PM_CGROUP, or
 * a service manager (systemd.resource-control(5), Delegate=). */
#define _GNU_SOURCE
#include "cgroup.h"
#include "lines.h"
#include "pm_file.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where pm-init itself goes: a cgroup that passes controllers on has no processes of its own (cgroups(7),
 * "no internal processes"). */
#define OWN_CGROUP "pm"

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

/* Gives -errno as it is, after closing fd. */
static int close_failed(int fd) {
    int error = errno;
    pm_fd_close(fd);
    return -error;
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
    return close_failed(fd);
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

/* Makes it if it is not there, and opens it: a descriptor or -errno. */
static int open_base(int directory, const char *name) {
    if (mkdirat(directory, name, 0755) < 0 && errno != EEXIST)
        return -errno;
    int base = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (base < 0)
        return -errno;
    if (faccessat(base, "cgroup.procs", W_OK, 0) < 0)
        return close_failed(base);
    pass_controllers_on(base);
    return base;
}

int cgroup_open_base(const char *directory, const char *name) {
    int parent = open_below(directory, "");
    if (parent < 0)
        return parent;
    int base = open_base(parent, name);
    pm_fd_close(parent);
    return base;
}

int cgroup_open_own(const char *name) {
    static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    char path[PATH_MAX];
    int own = -EOPNOTSUPP;
    if (!line_after("/proc/self/cgroup", "0::", path, sizeof path) || path[0] != '/')
        return own;
    for (int i = 0; i < 2 && own < 0; i++) {
        int opened = open_below(mounts[i], path);
        /* That one of the places does not exist says nothing about the other. */
        if (opened != -ENOENT || own == -EOPNOTSUPP)
            own = opened;
    }
    if (own < 0)
        return own;
    int result = mkdirat(own, OWN_CGROUP, 0755) < 0 && errno != EEXIST
                     ? -errno
                     : write_file(own, OWN_CGROUP "/cgroup.procs", "0");
    if (result == 0) {
        pass_controllers_on(own);
        result = open_base(own, name);
    }
    pm_fd_close(own);
    return result;
}

void cgroup_close_base(int base) {
    char link[64], path[PATH_MAX];
    text name = text_in(link, sizeof link);
    text_add(&name, "/proc/self/fd/");
    text_add_number(&name, (uint64_t)base);
    ssize_t size = readlink(link, path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    pm_fd_close(base);
    rmdir(path); /* what is still populated stays, for the next start */
}
