/*
 * pm-init starts and reaps the children, keeps their descriptors, and keeps a pmd running that
 * decides about them. Signals: SIGTERM and SIGINT stop all (a second one without pmd, a third one at
 * once); all others but SIGKILL are blocked and mean nothing, for a stray SIGHUP must not take the services
 * along.
 */
#define _GNU_SOURCE
#include "cgroup.h"
#include "cpmlinux.h"
#include "executor.h"
#include "loop.h"
#include "manager.h"
#include "mark.h"
#include "pmd.h"
#include "reexec.h"
#include "status.h"
#include "text.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* sysexits(3), as the command line of pm documents them. */
#define EXIT_USAGE 64
#define EXIT_SYSTEM 71
#define EXIT_RUNNING 75

static void complain(const char *message) {
    pm_fd_write(STDERR_FILENO, "pm-init: ", 9);
    pm_fd_write(STDERR_FILENO, message, strlen(message));
    pm_fd_write(STDERR_FILENO, "\n", 1);
}

/* Reports to the launcher and on the standard error. Gives the exit status. */
static int give_up(holder *h, int code, const char *what, int error) {
    char buffer[PATH_MAX];
    text message = text_in(buffer, sizeof buffer);
    text_add(&message, what);
    const char *reason = error != 0 ? strerrordesc_np(error) : NULL;
    text_add(&message, reason != NULL ? ": " : "");
    text_add(&message, reason != NULL ? reason : "");
    complain(message.start);
    status_fail(h, code, message.start);
    return code;
}

/* 0, 1 and 2 are open, or what we open next would be taken for them; of the rest only sockets of a service
 * manager and the status descriptor stay. */
static void tidy_descriptors(holder *h) {
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    pm_fd_close(fd);
    int status = h->options.status_fd, first = manager_take_sockets(h);
    if (status >= first && pm_fd_set_cloexec(status, true) == 0) {
        pm_fd_close_range((unsigned)first, (unsigned)status - 1);
        pm_fd_close_range((unsigned)status + 1, UINT32_MAX);
        h->status_fd = status;
    } else {
        pm_fd_close_range((unsigned)first, UINT32_MAX);
    }
}

/* 0 or an errno. The lock lives as long as this process and tells that there is one. */
static int take_lock(holder *h) {
    if (h->options.lock == NULL)
        return 0;
    h->lock = open(h->options.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (h->lock < 0)
        return errno;
    /* A mask of who started this must not keep the owner, who is not always root, from opening it again. */
    struct stat status;
    if (fstat(h->lock, &status) == 0 && (status.st_mode & 0700) == 0)
        fchmod(h->lock, 0600);
    int result = -pm_lock_exclusive(h->lock);
    /* What an earlier pm-init had to say. */
    if (result == 0 && ftruncate(h->lock, 0) < 0)
        return errno;
    return result;
}

static void raise_open_files(holder *h) {
    getrlimit(RLIMIT_NOFILE, &h->open_files);
    struct rlimit raised = {.rlim_cur = h->open_files.rlim_max, .rlim_max = h->open_files.rlim_max};
    setrlimit(RLIMIT_NOFILE, &raised);
}

/* "PM_MARKER=<token>-"; without a token one that no other holder has: pid and start time. */
static void make_marker(holder *h) {
    text marker = text_in(h->marker, sizeof h->marker);
    text_add(&marker, "PM_MARKER=");
    if (h->options.token != NULL) {
        text_add(&marker, h->options.token);
    } else {
        text_add_number(&marker, (uint64_t)h->pid);
        text_add(&marker, ".");
        text_add_number(&marker, h->start_ticks);
    }
    text_add(&marker, "-");
    h->marker_size = marker.size;
}

/* Everything is blocked, also what nobody reads: a signal may end the services only where that was decided.
 */
static int open_signals(holder *h) {
    static const int read[] = {SIGCHLD, SIGTERM, SIGINT};
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    /* An inherited SIG_IGN for SIGCHLD would make the kernel reap our children. */
    signal(SIGCHLD, SIG_DFL);
    h->signals = pm_signalfd_create(read, 3);
    return h->signals < 0 ? h->signals
                          : pm_epoll_add(h->epoll, h->signals, PM_EPOLL_IN, (uint64_t)EVENT_SIGNAL << 32);
}

/* 0 or an errno. */
static int set_up(holder *h) {
    pm_process self;
    if (pm_process_read(h->pid, &self) == 0)
        h->start_ticks = self.start_ticks;
    make_marker(h);
    mark_begin(h);
    raise_open_files(h);
    executor_open(h);
    manager_find(h);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    h->epoll = pm_epoll_create();
    if (h->epoll < 0)
        return -h->epoll;
    int error = -open_signals(h);
    if (error != 0)
        return error;
    uint64_t most = h->open_files.rlim_max < 1u << 20 ? h->open_files.rlim_max : 1u << 20;
    return -table_init(&h->table, (uint32_t)most);
}

/* "pm-<token>": no other holder has this name, and the next one with this token has it again. */
static void name_base(const holder *h, char *buffer, size_t capacity) {
    text name = text_in(buffer, capacity);
    const size_t prefix = strlen("PM_MARKER=");
    text_add(&name, "pm-");
    text_add(&name, h->marker + prefix);
    if (name.size > 0)
        buffer[name.size - 1] = '\0'; /* the '-' that ends the marker */
}

/* What is wrong with the base directory, for the user. */
static const char *explain_cgroup(const holder *h, int error) {
    static char buffer[PATH_MAX];
    if (error != EBUSY)
        return h->options.cgroup;
    text message = text_in(buffer, sizeof buffer);
    text_add(&message, "processes that are none of this daemon's services are in its cgroup below ");
    text_add(&message, h->options.cgroup);
    text_add(&message, ": move or end them, or name another directory in PM_CGROUP");
    return buffer;
}

/* 0 or an errno. Others that live there are not ours to end. */
static int open_cgroup(holder *h) {
    char name[TOKEN_MAX + 16];
    name_base(h, name, sizeof name);
    h->cgroup = cgroup_open_base(h->options.cgroup, name);
    return h->cgroup < 0 ? -h->cgroup : -cgroup_sweep(h->cgroup);
}

/* Without it children are kept together in another way (tree.h), so that is said once and nothing fails. */
static void open_own_cgroup(holder *h) {
    char buffer[200], name[TOKEN_MAX + 16];
    text message = text_in(buffer, sizeof buffer);
    name_base(h, name, sizeof name);
    h->cgroup = cgroup_open_own(name);
    int error = h->cgroup < 0 ? -h->cgroup : -cgroup_sweep(h->cgroup);
    if (error == 0)
        return;
    text_add(&message, "services get no cgroups, because this process's own is not delegated: ");
    text_add(&message, strerrordesc_np(error));
    complain(message.start);
    pm_fd_close(h->cgroup);
    h->cgroup = -1;
}

/* pmd finds there what its children use. A duplicate under a name, which a hand-over gives to each pmd. */
static void publish_cgroup(holder *h) {
    named_fd *vacant = NULL;
    for (uint32_t i = 0; i < PM_NAMED_MAX; i++) {
        named_fd *named = &h->named[i];
        if (named->fd >= 0 && strcmp(named->name, PM_CGROUP_NAME) == 0)
            return; /* the program before has done it */
        if (named->fd < 0 && vacant == NULL)
            vacant = named;
    }
    if (h->cgroup < 0 || vacant == NULL)
        return;
    text name = text_in(vacant->name, sizeof vacant->name);
    text_add(&name, PM_CGROUP_NAME);
    vacant->fd = fcntl(h->cgroup, F_DUPFD_CLOEXEC, 0); /* without one pmd goes by /proc */
}

/* 0 or an errno. Whatever a killed predecessor left is ended before anything is started. */
static int clear_the_ground(holder *h) {
    int error = 0;
    if (h->options.is_cgroup_own)
        open_own_cgroup(h);
    else if (h->options.cgroup != NULL)
        error = open_cgroup(h);
    if (error == 0 && h->options.token != NULL)
        tree_kill_predecessors(h);
    return error;
}

/*
 * Unmaps the program's text, which comes back page by page as it is used: most of a static program is only
 * needed to start. That halves the resident memory.
 */
static void drop_start_pages(void) {
    extern char __executable_start[], etext[];
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = (uintptr_t)__executable_start & ~(page - 1);
    madvise((void *)start, ((uintptr_t)etext - start) & ~(page - 1), MADV_DONTNEED);
}

/* A pm-init of its own. 0, or the exit status when it cannot be. */
static int begin(holder *h) {
    int error = take_lock(h);
    if (error == EWOULDBLOCK)
        return give_up(h, EXIT_RUNNING, "already running", 0);
    if (error != 0)
        return give_up(h, EXIT_SYSTEM, h->options.lock, error);
    error = set_up(h);
    if (error != 0)
        return give_up(h, EXIT_SYSTEM, "set-up", error);
    error = clear_the_ground(h);
    if (error != 0)
        return give_up(h, EXIT_SYSTEM, explain_cgroup(h, error), error == EBUSY ? 0 : error);
    publish_cgroup(h);
    pmd_start(h);
    return 0;
}

/* The successor of the program that this process ran before. 0, or the exit status when it cannot be. */
static int resume(holder *h) {
    int error = set_up(h);
    if (error == 0)
        error = -reexec_resume(h);
    if (error == 0)
        publish_cgroup(h);
    if (error == 0)
        error = -reexec_finish(h);
    return error == 0 ? 0 : give_up(h, EXIT_SYSTEM, "taking over from the program before", error);
}

/* Without arguments, as in an image whose entry point is pm-init: pm knows what belongs on the command line,
 * and puts this program with it in its place. Comes back only when there is no pm. */
static void become_pm(void) {
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size <= 0)
        return;
    path[size] = '\0';
    /* PREFIX/lib/pm/pm-init belongs to PREFIX/bin/pm. */
    for (int i = 0; i < 3; i++)
        if (strrchr(path, '/') != NULL)
            *strrchr(path, '/') = '\0';
    text name = {.start = path, .size = strlen(path), .capacity = sizeof path};
    text_add(&name, "/bin/pm");
    execv(path, (char *const[]){"pm", "start", "pm", "--foreground", NULL});
}

int main(int argc, char **argv) {
    if (argc == 1)
        become_pm();
    static holder h = {.status_fd = -1,
                       .lock = -1,
                       .cgroup = -1,
                       .executor = -1,
                       .reexec = {.program = -1},
                       .channel = {.fd = -1},
                       .watched = {.epoll = -1, .page = -1}};
    h.pid = getpid();
    for (int i = 0; i < (int)PM_NAMED_MAX; i++)
        h.named[i].fd = -1;
    const char *wrong = options_parse(argc, argv, &h.options);
    if (h.options.mode == OPTIONS_BEGIN)
        tidy_descriptors(&h);
    if (wrong != NULL)
        return give_up(&h, EXIT_USAGE, wrong, 0);
    if (h.options.mode == OPTIONS_CHECK)
        return reexec_check(&h);
    int status = h.options.mode == OPTIONS_RESUME ? resume(&h) : begin(&h);
    if (status != 0)
        return status;
    drop_start_pages();
    status = loop_run(&h);
    if (h.cgroup >= 0)
        cgroup_close_base(h.cgroup);
    return status;
}
