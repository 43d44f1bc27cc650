/*
 * pm-init starts and reaps the children, keeps their descriptors, and keeps a pmd running that
 * decides about them. Signals: SIGTERM and SIGINT stop all (a second one without pmd, a third one at
 * once); all others but SIGKILL are blocked and mean nothing, for a stray SIGHUP must not take the services
 * along.
 */
#define _GNU_SOURCE
#include "cgroup.h"
#include "cpmlinux.h"
#include "errors.h"
#include "events.h"
#include "lifecycle.h"
#include "log.h"
#include "loop.h"
#include "mark.h"
#include "reexec.h"
#include "resume.h"
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

/* Reports to the launcher and in the log. Gives the exit status. */
static int give_up(pm_init *i, int code, const char *what, int result) {
    char buffer[PATH_MAX];
    text message = text_in(buffer, sizeof buffer);
    text_add(&message, what);
    text_add(&message, result < 0 ? ": " : "");
    text_add(&message, result < 0 ? error_text(result) : "");
    log_line("cannot start: ", message.start, NULL);
    status_fail(&i->status_fd, code, message.start);
    return code;
}

/* 0, 1 and 2 are open, or what we open next would be taken for them; of the rest only sockets of a service
 * manager and the status descriptor stay. */
static void tidy_descriptors(pm_init *i) {
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    pm_fd_close(fd);
    int status = i->options.status_fd, first = manager_take_sockets(&i->named, getpid());
    if (status >= first && pm_fd_set_cloexec(status, true) == 0) {
        pm_fd_close_range((unsigned)first, (unsigned)status - 1);
        pm_fd_close_range((unsigned)status + 1, UINT32_MAX);
        i->status_fd = status;
    } else {
        pm_fd_close_range((unsigned)first, UINT32_MAX);
    }
}

/* 0 or -errno. The lock lives as long as this process and tells that there is one. */
static int take_lock(pm_init *i) {
    if (i->options.lock == NULL)
        return 0;
    const int lock = i->note.lock = open(i->options.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0)
        return -errno;
    /* A mask of who started this must not keep the owner, who is not always root, from opening it again. */
    struct stat status;
    if (fstat(lock, &status) == 0 && (status.st_mode & 0700) == 0)
        fchmod(lock, 0600);
    const int result = pm_lock_exclusive(lock);
    if (result < 0)
        return result;
    /* What an earlier pm-init had to say. */
    return ftruncate(lock, 0) < 0 ? -errno : 0;
}

static void raise_open_files(struct rlimit *found) {
    getrlimit(RLIMIT_NOFILE, found);
    struct rlimit raised = {.rlim_cur = found->rlim_max, .rlim_max = found->rlim_max};
    setrlimit(RLIMIT_NOFILE, &raised);
}

/* Everything is blocked, also what nobody reads: a signal may end the services only where that was decided.
 */
static int open_signals(pm_init *i) {
    static const int read[] = {SIGCHLD, SIGTERM, SIGINT};
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    /* An inherited SIG_IGN for SIGCHLD would make the kernel reap our children. */
    signal(SIGCHLD, SIG_DFL);
    i->signals = pm_signalfd_create(read, 3);
    return i->signals < 0 ? i->signals
                          : pm_epoll_add(i->epoll, i->signals, PM_EPOLL_IN, event_data(EVENT_SIGNAL, 0));
}

/* 0 or -errno. */
static int set_up(pm_init *i) {
    identity_find(&i->lineage.self, i->options.token);
    mark_begin(&i->lineage.self);
    raise_open_files(&i->launcher.open_files);
    executor_open(&i->executor); /* where there is none, the start that needs it says so */
    manager_find(&i->manager, i->lineage.self.pid);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int result = pm_init_connect(i);
    if (result == 0)
        result = open_signals(i);
    if (result < 0)
        return result;
    const rlim_t most = 1u << 20, files = i->launcher.open_files.rlim_max;
    return table_init(&i->lineage.table, (uint32_t)(files < most ? files : most));
}

/* What is wrong with the base directory, for the user. */
static const char *explain_cgroup(const pm_init *i, int result) {
    static char buffer[PATH_MAX];
    if (result != -EBUSY)
        return i->options.cgroup;
    text message = text_in(buffer, sizeof buffer);
    text_add(&message, "processes that are none of this daemon's services are in its cgroup below ");
    text_add(&message, i->options.cgroup);
    text_add(&message, ": move or end them, or name another directory in PM_CGROUP");
    return buffer;
}

/* The base directory's name; one that is opened is also cleared of what an earlier pm-init left. 0 or -errno.
 * Others that live there are not ours to end. */
static int open_cgroup(pm_init *i) {
    char name[TOKEN_MAX + 16];
    identity_name(&i->lineage.self, name, sizeof name);
    const int base =
        i->options.is_cgroup_own ? cgroup_open_own(name) : cgroup_open_base(i->options.cgroup, name);
    i->lineage.cgroup = base;
    return base < 0 ? base : cgroup_sweep(base);
}

/* Without one's own cgroup children are kept together in another way (tree.h), so that is said once and
 * nothing fails. */
static int open_own_cgroup(pm_init *i) {
    const int result = open_cgroup(i);
    if (result == 0)
        return 0;
    log_line("services get no cgroups, because this process's own is not delegated: ", error_text(result),
             NULL);
    pm_fd_close(i->lineage.cgroup);
    i->lineage.cgroup = -1;
    return 0;
}

/* pmd finds there what its children use. A duplicate under a name, which a hand-over gives to each pmd. */
static void publish_cgroup(pm_init *i) {
    if (i->lineage.cgroup < 0 || named_find(&i->named, PM_CGROUP_NAME) != NULL)
        return; /* there is none, or the program before has done it */
    named_fd *place = named_place(&i->named, PM_CGROUP_NAME);
    if (place != NULL)
        place->fd = fcntl(i->lineage.cgroup, F_DUPFD_CLOEXEC, 0); /* without one pmd goes by /proc */
}

/* 0 or -errno. Whatever a killed predecessor left is ended before anything is started. */
static int clear_the_ground(pm_init *i) {
    int result = 0;
    if (i->options.is_cgroup_own)
        result = open_own_cgroup(i);
    else if (i->options.cgroup != NULL)
        result = open_cgroup(i);
    if (result == 0 && i->options.token != NULL)
        tree_kill_predecessors(&i->lineage);
    return result;
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
static int start_fresh(pm_init *i) {
    int result = take_lock(i);
    if (result == -EWOULDBLOCK)
        return give_up(i, EXIT_RUNNING, "already running", 0);
    if (result < 0)
        return give_up(i, EXIT_SYSTEM, i->options.lock, result);
    result = set_up(i);
    if (result < 0)
        return give_up(i, EXIT_SYSTEM, "set-up", result);
    result = clear_the_ground(i);
    if (result < 0)
        return give_up(i, EXIT_SYSTEM, explain_cgroup(i, result), result == -EBUSY ? 0 : result);
    publish_cgroup(i);
    lifecycle_start_pmd(i);
    return 0;
}

/* The successor of the program that this process ran before. 0, or the exit status when it cannot be. */
static int resume(pm_init *i) {
    int result = set_up(i);
    if (result == 0)
        result = resume_state(i);
    if (result == 0)
        publish_cgroup(i);
    if (result == 0)
        result = resume_service(i);
    return result == 0 ? 0 : give_up(i, EXIT_SYSTEM, "taking over from the program before", result);
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
    for (int part = 0; part < 3; part++)
        if (strrchr(path, '/') != NULL)
            *strrchr(path, '/') = '\0';
    text name = {.start = path, .size = strlen(path), .capacity = sizeof path};
    text_add(&name, "/bin/pm");
    execv(path, (char *const[]){"pm", "start", "pm", "--foreground", NULL});
}

int main(int argc, char **argv) {
    if (argc == 1)
        become_pm();
    static pm_init i;
    pm_init_begin(&i);
    const char *wrong = options_parse(argc, argv, &i.options);
    if (i.options.mode == OPTIONS_BEGIN)
        tidy_descriptors(&i);
    log_open();
    if (wrong != NULL)
        return give_up(&i, EXIT_USAGE, wrong, 0);
    if (i.options.mode == OPTIONS_CHECK)
        return reexec_check(&i);
    int status = i.options.mode == OPTIONS_RESUME ? resume(&i) : start_fresh(&i);
    if (status != 0)
        return status;
    drop_start_pages();
    status = loop_run(&i);
    if (i.lineage.cgroup >= 0)
        cgroup_close_base(i.lineage.cgroup);
    return status;
}
