#define _GNU_SOURCE
#include "executor.h"
#include "cgroup.h"
#include "channel.h"
#include "cpmlinux.h"
#include "discard.h"
#include "exec_request.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Reports that are read in one turn: a child writes two at most, and one that writes more waits. */
#define REPORTS_AT_ONCE 4

static bool fail(executor_start *start, pm_step step, int error) {
    start->failure = (pm_spawn_failure){.step = step, .error = error};
    return false;
}

void executor_open(holder *h) {
    char path[PATH_MAX + sizeof "pm-exec"];
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (size <= 0)
        return;
    path[size] = '\0';
    strcpy(strrchr(path, '/') + 1, "pm-exec");
    h->executor = open(path, O_PATH | O_CLOEXEC);
}

static void watch_no_more(holder *h, record *r) {
    if (r->report < 0)
        return;
    pm_epoll_remove(h->epoll, r->report);
    pm_fd_close(r->report);
    r->report = -1;
}

int executor_resume(holder *h, record *r) {
    return r->report < 0 ? 0
                         : pm_epoll_add(h->epoll, r->report, PM_EPOLL_IN,
                                        (uint64_t)EVENT_START << 32 | table_index(&h->table, r));
}

static bool open_report(holder *h, record *r, executor_start *out) {
    int read_end, result = pm_pipe_create(&read_end, &out->report);
    if (result < 0)
        return fail(out, PM_STEP_DESCRIPTORS, -result);
    r->report = read_end;
    result = fcntl(read_end, F_SETFL, O_NONBLOCK) < 0 ? -errno : executor_resume(h, r);
    return result == 0 || fail(out, PM_STEP_EXECUTOR, -result);
}

/* pm-exec's own descriptors follow the child's; the last one is the program, by which it is executed. */
static void fill_spawn(const holder *h, const child_source *source, executor_start *out) {
    const uint32_t count = source->body->child_fds;
    memcpy(out->fds, source->fds, count * sizeof *out->fds);
    out->fds[count] = out->request;
    out->fds[count + 1] = out->report;
    out->fds[count + 2] = h->executor;
    text program = text_in(out->program, sizeof out->program);
    text_add(&program, "/proc/self/fd/");
    text_add_number(&program, count + 2);
    text number = text_in(out->number, sizeof out->number);
    text_add_number(&number, count);
    out->argv[0] = "pm-exec";
    out->argv[1] = out->number;
    out->argv[2] = NULL;
    out->envp[0] = source->marker;
    out->envp[1] = NULL;
    out->spawn = (pm_spawn_request){
        .path = out->program,
        .argv = out->argv,
        .envp = out->envp,
        .fds = out->fds,
        .fd_count = count + 3,
        .flags = (source->body->flags & (PM_SPAWN_NEW_SESSION | PM_SPAWN_IN_CGROUP)) | PM_SPAWN_NEW_GROUP,
        .cgroup_fd = -1,
    };
}

bool executor_prepare(holder *h, record *r, const child_source *source, executor_start *out) {
    *out = (executor_start){.request = -1, .report = -1};
    if (h->executor < 0)
        executor_open(h);
    if (h->executor < 0)
        return fail(out, PM_STEP_EXECUTOR, errno);
    out->request = exec_request_write(source);
    if (out->request < 0)
        return fail(out, PM_STEP_EXECUTOR, -out->request);
    if (!open_report(h, r, out)) {
        executor_prepared(h, r, out, false);
        return false;
    }
    fill_spawn(h, source, out);
    return true;
}

void executor_prepared(holder *h, record *r, executor_start *start, bool started) {
    pm_fd_close(start->request);
    pm_fd_close(start->report);
    if (started)
        r->start = START_STEPS;
    else
        watch_no_more(h, r);
}

/* The child never ran its program: whatever state its process is in, it is ended. */
static void start_failed(holder *h, record *r, int step, int error) {
    r->start = START_FAILED;
    r->start_step = (uint8_t)(step > 0 && step <= UINT8_MAX ? step : PM_STEP_EXECUTOR);
    r->start_error = error;
    watch_no_more(h, r);
    if (r->phase == PM_CHILD_RUNNING)
        kill(r->pid, SIGKILL);
}

static void take_end(holder *h, record *r) {
    if (r->start == START_STEPS) {
        start_failed(h, r, PM_STEP_EXECUTOR, ECANCELED);
        return;
    }
    r->start = START_DONE;
    watch_no_more(h, r);
    channel_report(h, r, REPORT_STARTED);
}

/* Reads one report; false when there is none, or nothing more is to be read. */
static bool read_report(holder *h, record *r) {
    pm_spawn_report told;
    int64_t size = pm_fd_read(r->report, &told, sizeof told);
    if (size == -EAGAIN)
        return false;
    if (size == 0) {
        take_end(h, r);
    } else if (size != (int64_t)sizeof told) {
        start_failed(h, r, PM_STEP_EXECUTOR, EBADMSG);
    } else if (told.step != PM_STEP_NONE) {
        start_failed(h, r, (int)told.step, told.error);
    } else {
        r->start = START_EXEC;
        r->clamped = (uint8_t)told.clamped;
    }
    return r->report >= 0;
}

void executor_ready(holder *h, uint32_t index) {
    record *r = index < h->table.used ? &h->table.records[index] : NULL;
    /* The event may be older than the record: another in the same batch may have removed it. */
    if (r == NULL || r->id == 0)
        return;
    for (int i = 0; i < REPORTS_AT_ONCE && r->report >= 0; i++)
        if (!read_report(h, r))
            return;
}

static void let_go(holder *h, record *r) {
    discard(h, r->held, r->held_count);
    r->held_count = 0;
    if (r->cgroup[0] != '\0')
        cgroup_remove(h->cgroup, r->cgroup);
    r->cgroup[0] = '\0';
}

bool executor_reaped(holder *h, record *r) {
    executor_ready(h, table_index(&h->table, r));
    /* It is gone, so the end is certain, whoever else may have the other end of the pipe. */
    if (r->report >= 0)
        take_end(h, r);
    if (r->start != START_FAILED)
        return true;
    let_go(h, r);
    channel_report(h, r, REPORT_STARTED);
    return false;
}
