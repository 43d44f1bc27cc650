#define _GNU_SOURCE
#include "procs.h"
#include "directory.h"
#include "mark.h"
#include "pm_file.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    procs_visitor *visit;
    void *context;
} pid_visit;

static void visit_name(void *context, const directory_entry *entry) {
    const pid_visit *v = context;
    uint64_t pid;
    if (text_to_number(entry->name, INT32_MAX, &pid))
        v->visit(v->context, (int32_t)pid, entry->inode);
}

/* "/proc/<pid>" and what follows. */
static text path_of(char *buffer, size_t capacity, int32_t pid, const char *rest) {
    text name = text_in(buffer, capacity);
    text_add(&name, "/proc/");
    text_add_number(&name, (uint64_t)pid);
    text_add(&name, rest);
    return name;
}

uint64_t procs_inode(int32_t pid) {
    char path[64];
    struct stat status;
    path_of(path, sizeof path, pid, "");
    return pid > 0 && stat(path, &status) == 0 ? status.st_ino : 0;
}

bool procs_each(procs_visitor *visit, void *context) {
    int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    pid_visit all = {.visit = visit, .context = context};
    bool is_read = fd >= 0 && directory_each(fd, visit_name, &all);
    pm_fd_close(fd);
    return is_read;
}

static int open_children(void) {
    char path[64];
    text name = text_in(path, sizeof path);
    text_add(&name, "/proc/self/task/");
    text_add_number(&name, (uint64_t)getpid());
    text_add(&name, "/children");
    return open(path, O_RDONLY | O_CLOEXEC);
}

static void visit_child(void *context, int32_t pid) {
    const pid_visit *v = context;
    v->visit(v->context, pid, procs_inode(pid));
}

bool procs_each_listed(int fd, void (*visit)(void *context, int32_t pid), void *context) {
    char batch[4096];
    uint64_t pid = 0;
    int64_t size;
    while ((size = pm_fd_read(fd, batch, sizeof batch)) > 0)
        for (int64_t i = 0; i < size; i++) {
            if (batch[i] >= '0' && batch[i] <= '9') {
                /* What is too large to be one stays too large. */
                pid = pid > INT32_MAX ? pid : pid * 10 + (uint64_t)(batch[i] - '0');
            } else {
                if (pid > 0 && pid <= INT32_MAX)
                    visit(context, (int32_t)pid);
                pid = 0;
            }
        }
    return size == 0;
}

bool procs_each_child(procs_visitor *visit, void *context) {
    int fd = open_children();
    if (fd < 0)
        return procs_each(visit, context);
    pid_visit children = {.visit = visit, .context = context};
    bool is_read = procs_each_listed(fd, visit_child, &children);
    pm_fd_close(fd);
    return is_read;
}

/* A search for "PM_MARKER=<token>-<number>" at the start of an environment string, byte by byte. */
typedef struct {
    const char *prefix;
    size_t prefix_size;
    size_t matched;
    bool is_skipping; /* to the end of a string that is not the marker */
    bool has_digit;
    uint64_t id;
} marker_search;

/* True once the marker is complete. */
static bool search_byte(marker_search *s, char byte) {
    if (byte == '\0') {
        if (!s->is_skipping && s->has_digit)
            return true;
        *s = (marker_search){.prefix = s->prefix, .prefix_size = s->prefix_size};
    } else if (s->is_skipping) {
        return false;
    } else if (s->matched < s->prefix_size) {
        s->is_skipping = byte != s->prefix[s->matched++];
    } else if (byte >= '0' && byte <= '9') {
        s->has_digit = true;
        s->is_skipping = s->id > (UINT64_MAX - 9) / 10; /* no id is so large, and none is cut to another */
        s->id = s->id * 10 + (uint64_t)(byte - '0');
    } else {
        s->is_skipping = true;
    }
    return false;
}

static bool search_environment(int fd, marker_search *search) {
    char batch[4096];
    int64_t size;
    while ((size = pm_fd_read(fd, batch, sizeof batch)) > 0)
        for (int64_t i = 0; i < size; i++)
            if (search_byte(search, batch[i]))
                return true;
    /* A program that overwrote its arguments may have cut the last terminator off. */
    return search_byte(search, '\0');
}

bool procs_marker(const holder *h, int32_t pid, uint64_t *id) {
    char path[64];
    if (mark_of(h, pid, id))
        return true;
    path_of(path, sizeof path, pid, "/environ");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    marker_search search = {.prefix = h->marker, .prefix_size = h->marker_size};
    bool found = search_environment(fd, &search);
    pm_fd_close(fd);
    *id = search.id;
    return found;
}

static bool is_same(const pm_process *seen) {
    pm_process now;
    return pm_process_read(seen->pid, &now) == 0 && now.start_ticks == seen->start_ticks;
}

int procs_signal(const pm_process *seen, int signal) {
    int pidfd = pm_pidfd_open(seen->pid);
    /* Absent, or refused by a seccomp filter: then the moment between look and signal has to be short enough.
     */
    if (pidfd == -ENOSYS || pidfd == -EPERM)
        return is_same(seen) && kill(seen->pid, signal) == 0 ? 0 : -ESRCH;
    if (pidfd < 0)
        return pidfd;
    /* The pidfd names the process that has the pid now; the start time tells whether it is the one we saw. */
    int result = is_same(seen) ? pm_pidfd_signal(pidfd, signal) : -ESRCH;
    pm_fd_close(pidfd);
    return result;
}
