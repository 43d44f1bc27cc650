/* In place of what starts, signals and ends processes. */
#define _GNU_SOURCE
#include "errors.h"
#include "exec_request.h"
#include "image.h"
#include "lifecycle.h"
#include "pm_file.h"
#include "pm_spawn.h"
#include "reexec.h"
#include "requests_target.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

int stand_in_kill_result;

#define REPORTS_MAX 128

static struct {
    int32_t pid;
    int fd;
} reports[REPORTS_MAX];

/* A free place is one whose pid is 0. */
static size_t find_report(int32_t pid) {
    size_t at = 0;
    while (at < REPORTS_MAX && reports[at].pid != pid)
        at++;
    return at;
}

int stand_in_report(int32_t pid) {
    size_t at = find_report(pid);
    return at < REPORTS_MAX ? reports[at].fd : -1;
}

int stand_in_take_report(int32_t pid) {
    size_t at = find_report(pid);
    if (at == REPORTS_MAX)
        return -1;
    reports[at].pid = 0;
    return reports[at].fd;
}

/* What pm-init asks pm-exec for is what pm-exec reads. */
static void check_executor(const pm_spawn_request *request, int32_t pid) {
    static exec_request read;
    pm_spawn_failure failure;
    const uint32_t count = request->fd_count - 3;
    require(request->fd_count >= 3 && (request->flags & PM_SPAWN_APART) == 0, "pm-exec itself is plain");
    require(exec_request_read(&read, request->fds[count], request->envp[0], &failure),
            "pm-exec understands pm-init");
    require(read.child.spawn.fd_count == count && child_is_apart(&read.head.body), "it needs pm-exec");
    check_child(&read.child.spawn, "PM_MARKER=fuzz-");
    exec_request_end(&read);
    size_t vacant = find_report(0);
    require(vacant < REPORTS_MAX, "there are not more children");
    reports[vacant].pid = pid;
    reports[vacant].fd = fcntl(request->fds[count + 1], F_DUPFD_CLOEXEC, 0);
}

/* Reads all that a child would get, and starts none. A path that begins with "!" cannot be started. */
bool pm_spawn(const pm_spawn_request *request, pm_child *child, pm_spawn_failure *failure) {
    static int32_t last_pid = 1 << 22; /* more than pid_max: nobody's */
    check_child(request, "PM_MARKER=fuzz-");
    for (uint32_t i = 0; i < request->fd_count; i++)
        require(fcntl(request->fds[i], F_GETFD) >= 0, "a child's descriptor is open");
    require((request->flags & (PM_SPAWN_NEW_GROUP | PM_SPAWN_NEW_SESSION)) != 0, "a child leads a group");
    if (request->path[0] == '!') {
        *failure = (pm_spawn_failure){.step = PM_STEP_EXEC, .error = ENOENT};
        return false;
    }
    *child = (pm_child){.pid = ++last_pid, .pidfd = -1};
    if (strcmp(request->argv[0], "pm-exec") == 0 && strncmp(request->path, "/proc/self/fd/", 14) == 0)
        check_executor(request, child->pid);
    return true;
}

/* pm-init's sources are compiled with this for kill. */
int stand_in_kill(int32_t pid, int signal) {
    require(pid != 0 && pid != -1, "a signal is for one process or group");
    require(signal >= 0 && signal <= 64, "a signal has a number");
    errno = ESRCH;
    return stand_in_kill_result;
}

void tree_signal(lineage *l, record *r, int signal, pm_tree *out) {
    require(table_find(&l->table, r->id) == r && signal >= 0 && signal <= 64, "a tree is a record's");
    *out = (pm_tree){.survivors = stand_in_kill_result == 0};
}

void pmd_expect_end(pmd *p) {
    (void)p;
}

void lifecycle_notice_hand_over(pm_init *i) {
    (void)i;
}

void lifecycle_pmd_stopped(pm_init *i, int exit_status) {
    i->lifecycle.phase = PHASE_ENDING;
    i->lifecycle.exit_status = exit_status;
}

/* What two pm-inits know of a child. */
static bool is_same(const record *a, const record *b) {
    return a->pid == b->pid && a->state == b->state && a->wait_status == b->wait_status &&
           a->held_count == b->held_count &&
           memcmp(a->held, b->held, sizeof a->held[0] * a->held_count) == 0 && a->blob_size == b->blob_size &&
           memcmp(a->blob, b->blob, a->blob_size) == 0 && strcmp(a->cgroup, b->cgroup) == 0 &&
           a->report == b->report && a->start_step == b->start_step && a->start_error == b->start_error &&
           a->clamped == b->clamped;
}

/* Instead of executing anything: another pm-init reads the image, and knows the same. */
void reexec_asked(pm_init *i, const char *path) {
    static pm_init other;
    table *t = &i->lineage.table, *read = &other.lineage.table;
    require(path[0] != '\0' && strlen(path) < PM_PROGRAM_MAX, "a path ends");
    int image = image_write(i);
    require(image >= 0, "an image is written");
    pm_init_begin(&other);
    require(table_init(read, UINT32_MAX) == 0 && image_read(&other, image) == 0, "an image is read");
    require(read->count == t->count && read->unsettled == t->unsettled, "an image has every child");
    for (record *r = table_next(t, 0); r != NULL; r = table_after(t, r))
        require(r->state == CHILD_FORGOTTEN || is_same(r, table_find(read, r->id)),
                "an image has all of a child");
    munmap(read->records, read->capacity * sizeof(record));
    munmap(read->by_id, 2 * (size_t)read->capacity * sizeof(uint32_t));
    pm_fd_close(image);
    channel_refuse_reexec(&i->channel, failure_of(PM_STEP_TRIAL, -ENOEXEC));
}
