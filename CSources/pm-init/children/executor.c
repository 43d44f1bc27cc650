#define _GNU_SOURCE
#include "executor.h"
#include "cgroup.h"
#include "cpmlinux.h"
#include "errors.h"
#include "events.h"
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

int executor_open(executor *x) {
    char path[PATH_MAX + sizeof "pm-exec"];
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (size <= 0)
        return size < 0 ? -errno : -ENOENT;
    path[size] = '\0';
    strcpy(strrchr(path, '/') + 1, "pm-exec");
    x->program = open(path, O_PATH | O_CLOEXEC);
    return x->program < 0 ? -errno : 0;
}

static void watch_no_more(executor *x, record *r) {
    if (r->report < 0)
        return;
    pm_epoll_remove(x->epoll, r->report);
    pm_fd_close(r->report);
    r->report = -1;
}

int executor_resume(executor *x, record *r) {
    return r->report < 0 ? 0
                         : pm_epoll_add(x->epoll, r->report, PM_EPOLL_IN,
                                        event_data(EVENT_START, table_index(&x->lineage->table, r)));
}

static bool open_report(executor *x, record *r, executor_start *out) {
    int read_end, result = pm_pipe_create(&read_end, &out->report);
    if (result < 0)
        return fail_step(&out->failure, PM_STEP_DESCRIPTORS, result);
    r->report = read_end;
    result = fcntl(read_end, F_SETFL, O_NONBLOCK) < 0 ? -errno : executor_resume(x, r);
    return result == 0 || fail_step(&out->failure, PM_STEP_EXECUTOR, result);
}

/* pm-exec's own descriptors follow the child's; the last one is the program, by which it is executed. */
static void fill_spawn(const executor *x, const child_source *source, executor_start *out) {
    const uint32_t count = source->body->child_fds;
    memcpy(out->fds, source->fds, count * sizeof *out->fds);
    out->fds[count] = out->request;
    out->fds[count + 1] = out->report;
    out->fds[count + 2] = x->program;
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

bool executor_prepare(executor *x, record *r, const child_source *source, executor_start *out) {
    *out = (executor_start){.request = -1, .report = -1};
    int result = x->program < 0 ? executor_open(x) : 0;
    if (result < 0)
        return fail_step(&out->failure, PM_STEP_EXECUTOR, result);
    out->request = exec_request_write(source);
    if (out->request < 0)
        return fail_step(&out->failure, PM_STEP_EXECUTOR, out->request);
    if (!open_report(x, r, out)) {
        executor_prepared(x, r, out, false);
        return false;
    }
    fill_spawn(x, source, out);
    return true;
}

void executor_prepared(executor *x, record *r, executor_start *start, bool started) {
    pm_fd_close(start->request);
    pm_fd_close(start->report);
    if (started)
        table_set_state(&x->lineage->table, r, CHILD_PREPARING);
    else
        watch_no_more(x, r);
}

/* The child never ran its program. */
static void start_failed(executor *x, record *r, const pm_spawn_report *told) {
    const bool is_step = told->step > 0 && told->step <= UINT8_MAX;
    r->start_step = (uint8_t)(is_step ? told->step : PM_STEP_EXECUTOR);
    r->start_error = told->error;
    table_set_state(&x->lineage->table, r, CHILD_FAILING);
    watch_no_more(x, r);
}

static void take_end(executor *x, record *r) {
    if (r->state == CHILD_PREPARING) {
        start_failed(x, r, &(pm_spawn_report){.step = PM_STEP_EXECUTOR, .error = ECANCELED});
        return;
    }
    table_set_state(&x->lineage->table, r, CHILD_RUNNING);
    watch_no_more(x, r);
    channel_report(x->channel, r, REPORT_STARTED);
}

/* Reads one report; false when there is none, or nothing more is to be read. */
static bool read_report(executor *x, record *r) {
    pm_spawn_report told;
    int64_t size = pm_fd_read(r->report, &told, sizeof told);
    if (size == -EAGAIN)
        return false;
    if (size == 0) {
        take_end(x, r);
    } else if (size != (int64_t)sizeof told) {
        start_failed(x, r, &(pm_spawn_report){.step = PM_STEP_EXECUTOR, .error = EBADMSG});
    } else if (told.step != PM_STEP_NONE) {
        start_failed(x, r, &told);
    } else {
        table_set_state(&x->lineage->table, r, CHILD_EXECUTING);
        r->clamped = (uint8_t)told.clamped;
    }
    return r->report >= 0;
}

static void read_reports(executor *x, record *r) {
    for (int i = 0; i < REPORTS_AT_ONCE && r->report >= 0; i++)
        if (!read_report(x, r))
            return;
}

void executor_ready(executor *x, uint32_t index) {
    const table *t = &x->lineage->table;
    record *r = index < t->used ? &t->records[index] : NULL;
    /* The event may be older than the record: another in the same batch may have removed it. */
    if (r == NULL || r->id == 0 || r->report < 0)
        return;
    read_reports(x, r);
    /* Whatever state its process is in, it is ended. */
    if (r->state == CHILD_FAILING)
        kill(r->pid, SIGKILL);
}

static void let_go(executor *x, record *r) {
    discard(&x->lineage->closers, r->held, r->held_count);
    r->held_count = 0;
    if (r->cgroup[0] != '\0')
        cgroup_remove(x->lineage->cgroup, r->cgroup);
    r->cgroup[0] = '\0';
}

bool executor_reaped(executor *x, record *r) {
    read_reports(x, r);
    /* It is gone, so the end is certain, whoever else may have the other end of the pipe. */
    if (r->report >= 0)
        take_end(x, r);
    if (r->state != CHILD_FAILING)
        return true;
    table_set_state(&x->lineage->table, r, CHILD_FAILED);
    let_go(x, r);
    channel_report(x->channel, r, REPORT_STARTED);
    return false;
}
