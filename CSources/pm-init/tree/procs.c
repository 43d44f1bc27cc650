#define _GNU_SOURCE
#include "procs.h"
#include "directory.h"
#include "mark.h"
#include "pm_file.h"
#include "proc_text.h"
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
    pid_list list = {.visit = visit, .context = context};
    int64_t size;
    while ((size = pm_fd_read(fd, batch, sizeof batch)) > 0)
        pid_list_take(&list, batch, (size_t)size);
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

static bool search_environment(int fd, marker_search *search) {
    char batch[4096];
    int64_t size;
    while ((size = pm_fd_read(fd, batch, sizeof batch)) > 0)
        if (marker_search_take(search, batch, (size_t)size))
            return true;
    return marker_search_end(search);
}

bool procs_marker(const identity *self, int32_t pid, uint64_t *id) {
    char path[64];
    if (mark_of(self, pid, id))
        return true;
    path_of(path, sizeof path, pid, "/environ");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    marker_search search = marker_search_for(self->marker, self->marker_size);
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
