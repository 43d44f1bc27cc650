#define _GNU_SOURCE
#include "cgroup.h"
#include "control.h"
#include "directory.h"
#include "lines.h"
#include "pm_file.h"
#include "proc_text.h"
#include "procs.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE (PM_CGROUP_MAX + 32u)
/* How deep below a child's cgroup what it made itself is removed. */
#define DEPTH_MAX 8
/* How long the start waits for a killed cgroup to empty, milliseconds. */
#define SWEEP_WAIT_MS 2000

static int open_file(int base, const char *path, const char *file, int flags) {
    char buffer[PATH_SIZE];
    text name = text_in(buffer, sizeof buffer);
    text_add(&name, path);
    text_add(&name, "/");
    text_add(&name, file);
    int fd = openat(base, buffer, flags | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

static bool is_component(const char *start, size_t length) {
    return length > 0 && !(length == 1 && start[0] == '.') && !(length == 2 && memcmp(start, "..", 2) == 0);
}

static bool is_inside(const char *path) {
    for (;;) {
        size_t length = strcspn(path, "/");
        if (!is_component(path, length))
            return false;
        if (path[length] == '\0')
            return true;
        path += length + 1;
    }
}

/* mkdir -p. */
static int make_directories(int base, const char *path) {
    char buffer[PATH_SIZE];
    text name = text_in(buffer, sizeof buffer);
    text_add(&name, path);
    for (char *slash = strchr(buffer, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL)
            *slash = '\0';
        if (mkdirat(base, buffer, 0755) < 0 && errno != EEXIST)
            return -errno;
        if (slash == NULL)
            return 0;
        *slash = '/';
    }
}

int cgroup_create(int base, const char *path) {
    if (!is_inside(path))
        return -EINVAL;
    int made = make_directories(base, path);
    if (made < 0)
        return made;
    if (cgroup_is_populated(base, path))
        return -EBUSY;
    int fd = openat(base, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

static bool says_populated(int events) {
    char content[256];
    int64_t size = pread(events, content, sizeof content - 1, 0);
    content[size > 0 ? size : 0] = '\0';
    return strstr(content, "populated 1") != NULL;
}

bool cgroup_is_populated(int base, const char *path) {
    int fd = cgroup_open_events(base, path);
    bool populated = fd >= 0 && says_populated(fd);
    pm_fd_close(fd);
    return populated;
}

int cgroup_open_events(int base, const char *path) {
    return open_file(base, path, "cgroup.events", O_RDONLY);
}

int cgroup_kill(int base, const char *path) {
    int fd = open_file(base, path, "cgroup.kill", O_WRONLY);
    if (fd < 0)
        return fd;
    int64_t written = pm_fd_write(fd, "1", 1);
    pm_fd_close(fd);
    return written < 0 ? (int)written : 0;
}

/* A directory on the way down, of which what is below is removed. */
typedef struct {
    int fd;
    int depth;
} removal;

static void remove_below(int directory, const char *name, int depth);

static void remove_entry(void *context, const directory_entry *entry) {
    const removal *r = context;
    if (entry->is_directory)
        remove_below(r->fd, entry->name, r->depth);
}

/* Depth first; what is populated stays. */
static void remove_below(int directory, const char *name, int depth) {
    removal r = {.fd = -1, .depth = depth + 1};
    if (depth < DEPTH_MAX)
        r.fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (r.fd >= 0)
        directory_each(r.fd, remove_entry, &r);
    pm_fd_close(r.fd);
    unlinkat(directory, name, AT_REMOVEDIR);
}

int cgroup_remove(int base, const char *path) {
    char buffer[PATH_SIZE];
    text name = text_in(buffer, sizeof buffer);
    text_add(&name, path);
    if (unlinkat(base, buffer, AT_REMOVEDIR) < 0 && errno != ENOENT) {
        if (cgroup_is_populated(base, path))
            return -EBUSY;
        remove_below(base, buffer, 0);
    }
    for (char *slash; (slash = strrchr(buffer, '/')) != NULL;) {
        *slash = '\0';
        if (unlinkat(base, buffer, AT_REMOVEDIR) < 0)
            break; /* a sibling lives there */
    }
    return 0;
}

bool cgroup_each(int base, const char *path, void (*visit)(void *, int32_t), void *context) {
    int fd = open_file(base, path, "cgroup.procs", O_RDONLY);
    bool is_read = fd >= 0 && procs_each_listed(fd, visit, context);
    pm_fd_close(fd);
    return is_read;
}

/* Where the base directory is seen: its last name, which is missing in paths where it is the root. */
static const char *name_of(int base, char *buffer, size_t capacity) {
    char link[64];
    text name = text_in(link, sizeof link);
    text_add(&name, "/proc/self/fd/");
    text_add_number(&name, (uint64_t)base);
    ssize_t size = readlink(link, buffer, capacity - 1);
    buffer[size > 0 ? size : 0] = '\0';
    const char *slash = strrchr(buffer, '/');
    return slash != NULL ? slash : "";
}

bool cgroup_holds(int base, const char *path, int32_t pid) {
    char file[64], line[PATH_MAX], buffer[PATH_MAX];
    text name = text_in(file, sizeof file);
    text_add(&name, "/proc/");
    text_add_number(&name, (uint64_t)pid);
    text_add(&name, "/cgroup");
    /* Those of version 1 may come before it, with any length. */
    return line_after(file, "0::", line, sizeof line) &&
           cgroup_line_holds(line, name_of(base, buffer, sizeof buffer), path);
}

static void sweep_one(int base, const char *name) {
    int events = cgroup_open_events(base, name);
    if (events < 0)
        return;
    cgroup_kill(base, name);
    struct pollfd change = {.fd = events, .events = POLLPRI};
    while (says_populated(events) && poll(&change, 1, SWEEP_WAIT_MS) > 0) {
    }
    pm_fd_close(events);
    remove_below(base, name, 0);
}

typedef struct {
    int base;
    bool has_others;
} sweep;

static void sweep_entry(void *context, const directory_entry *entry) {
    sweep *s = context;
    if (!entry->is_directory || strlen(entry->name) >= PM_CGROUP_MAX)
        return;
    if (strncmp(entry->name, PM_CGROUP_PREFIX, sizeof PM_CGROUP_PREFIX - 1) == 0)
        sweep_one(s->base, entry->name);
    else
        s->has_others |= cgroup_is_populated(s->base, entry->name);
}

static void note_somebody(void *found, int32_t pid) {
    (void)pid;
    *(bool *)found = true;
}

int cgroup_sweep(int base) {
    sweep s = {.base = base};
    int fd = openat(base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    bool is_read =
        directory_each(fd, sweep_entry, &s) && cgroup_each(base, ".", note_somebody, &s.has_others);
    pm_fd_close(fd);
    return !is_read ? -EIO : s.has_others ? -EBUSY : 0;
}
