#define _GNU_SOURCE
#include "reexec.h"
#include "channel.h"
#include "cpmlinux.h"
#include "executor.h"
#include "image.h"
#include "launch.h"
#include "orphans.h"
#include "pmd.h"
#include "reap.h"
#include "text.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long the trial and the wait for a quiet moment may take together. */
#define PATIENCE_NS (5u * (uint64_t)SECOND_NS)
/* What a program that is tried finds as its descriptor. */
#define TRIAL_FD 3
/* Most arguments that pm-init passes on to its successor. */
#define ARGUMENTS_MAX 250

static void give_up(holder *h, pm_step step, int error) {
    reexec_cancel(h);
    channel_refuse_reexec(h, step, error);
}

/* The command line with another program and mode in front; the numbers lie in static memory. False: too long.
 */
static bool make_arguments(const holder *h, const char *mode, int fd, const char **argv) {
    static char number[12];
    text digits = text_in(number, sizeof number);
    text_add_number(&digits, (uint64_t)fd);
    argv[0] = h->reexec.path;
    argv[1] = mode;
    argv[2] = number;
    for (int i = 0; i < ARGUMENTS_MAX; i++) {
        argv[3 + i] = h->options.arguments[i];
        if (argv[3 + i] == NULL)
            return true;
    }
    return false;
}

/* Starts the trial of h->reexec.program. */
static bool try_program(holder *h, launch_result *out) {
    const char *argv[ARGUMENTS_MAX + 3];
    out->failure = (pm_spawn_failure){.step = PM_STEP_REQUEST, .error = E2BIG};
    if (!make_arguments(h, "--check", TRIAL_FD, argv))
        return false;
    int image = image_write(h);
    out->failure = (pm_spawn_failure){.step = PM_STEP_IMAGE, .error = -image};
    bool started = image >= 0 && launch_trial(argv, image, h->reexec.program, out);
    pm_fd_close(image);
    return started;
}

void reexec_asked(holder *h, const char *path) {
    launch_result result;
    if (h->phase != PHASE_SERVING || h->reexec.phase != REEXEC_NOT_ASKED || h->reexec.pid != 0) {
        channel_refuse_reexec(h, PM_STEP_REQUEST, EBUSY);
        return;
    }
    memcpy(h->reexec.path, path, strlen(path) + 1);
    /* What is tried and what is executed is one file, whatever is installed under its name meanwhile. */
    h->reexec.program = open(path, O_PATH | O_CLOEXEC);
    if (h->reexec.program < 0) {
        give_up(h, PM_STEP_EXEC, errno);
        return;
    }
    if (!try_program(h, &result)) {
        give_up(h, result.failure.step, result.failure.error);
        return;
    }
    h->reexec.phase = REEXEC_TRYING;
    h->reexec.pid = result.child.pid;
    h->reexec.give_up_at_ns = pm_clock_read(PM_CLOCK_MONOTONIC) + PATIENCE_NS;
}

void reexec_tried(holder *h, int wait_status) {
    h->reexec.pid = 0;
    if (h->reexec.phase != REEXEC_TRYING)
        return;
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
        h->reexec.phase = REEXEC_DUE;
    else
        give_up(h, PM_STEP_TRIAL, ENOEXEC);
}

void reexec_cancel(holder *h) {
    h->reexec.phase = REEXEC_NOT_ASKED;
    h->reexec.give_up_at_ns = 0;
    pm_fd_close(h->reexec.program);
    h->reexec.program = -1;
    if (h->reexec.pid != 0)
        kill(h->reexec.pid, SIGKILL);
}

/* Whether all that pm-init knows is in an image: nothing is half sent, half judged or about to happen. */
static bool is_quiet(const holder *h) {
    const channel *c = &h->channel;
    return h->phase == PHASE_SERVING && c->fd >= 0 && c->is_attached && !c->is_broken && !c->is_blocked &&
           c->reply_size == 0 && c->first_report == 0 && !c->owes_stop && !c->owes_refusal &&
           h->pmd.kill_at_ns == 0 && !h->pmd.is_upgrading;
}

/* Comes back only when the system refused. */
static void execute(holder *h) {
    const char *argv[ARGUMENTS_MAX + 3];
    int image = image_write(h);
    if (image < 0) {
        give_up(h, PM_STEP_IMAGE, -image);
        return;
    }
    make_arguments(h, "--resume", image, argv);
    image_set_cloexec(h, false);
    pm_fd_set_cloexec(image, false);
    /* Open over the exec, because an interpreter would have to open it; reexec_resume closes it. */
    syscall(SYS_execveat, h->reexec.program, "", argv, environ, AT_EMPTY_PATH);
    int error = errno;
    image_set_cloexec(h, true);
    pm_fd_close(image);
    give_up(h, PM_STEP_EXEC, error);
}

void reexec_tick(holder *h, uint64_t now_ns) {
    if (h->reexec.phase == REEXEC_DUE && is_quiet(h))
        execute(h);
    if (h->reexec.give_up_at_ns != 0 && now_ns >= h->reexec.give_up_at_ns)
        give_up(h, h->reexec.phase == REEXEC_TRYING ? PM_STEP_TRIAL : PM_STEP_QUIET, ETIMEDOUT);
}

int reexec_check(holder *h) {
    if (table_init(&h->table, UINT32_MAX) < 0 || image_read(h, h->options.image_fd) < 0)
        return 1;
    return h->options.program != NULL ? 0 : 1;
}

int reexec_resume(holder *h) {
    /* It was executed by a descriptor, whose number would be its name. */
    prctl(PR_SET_NAME, "pm-init");
    int result = image_read(h, h->options.image_fd);
    image_set_cloexec(h, true);
    pm_fd_close(h->options.image_fd);
    pm_fd_close(h->reexec.program);
    h->reexec.program = -1;
    return result;
}

/* What the program before had watched, and what died while nobody looked. */
static void look_after_children(holder *h) {
    for (record *r = table_next(&h->table, 0); r != NULL; r = table_after(&h->table, r)) {
        executor_resume(h, r); /* without it the child's end still tells */
        if (r->is_forgotten)
            orphans_forget(h, r);
    }
    reap_all(h);
    orphans_judge(h);
}

int reexec_finish(holder *h) {
    int epoll = h->watched.epoll, page = h->watched.page;
    h->watched = (watched_loop){.epoll = -1, .page = -1};
    bool is_understood = !h->channel.is_broken;
    int result = channel_open(h, h->channel.fd);
    if (result < 0)
        return result;
    if (epoll >= 0)
        watch_begin(h, epoll, page);
    if (is_understood) {
        h->channel.is_attached = true;
        channel_reply(h, &(outgoing){PM_REEXECED, 0, "", 0});
    } else {
        channel_close(h);
        pmd_expect_end(h);
    }
    look_after_children(h);
    return 0;
}
