#define _GNU_SOURCE
#include "reexec.h"
#include "channel.h"
#include "cpmlinux.h"
#include "image.h"
#include "launch.h"
#include "leftovers.h"
#include "pmd.h"
#include "reap.h"
#include "text.h"
#include "watch.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long the trial and the wait for a quiet moment may take together. */
#define PATIENCE_NS (5u * (uint64_t)SECOND_NS)
/* What a program that is tried finds as its descriptor. */
#define TRIAL_FD 3
/* Most arguments that a holder passes on to its successor. */
#define ARGUMENTS_MAX 250

static void answer_failure(holder *h, pm_step step, int error) {
    const pm_failure body = {.step = step, .error = error};
    channel_reply(h, &(outgoing){PM_REEXEC_FAILED, 0, &body, sizeof body});
}

static void give_up(holder *h, pm_step step, int error) {
    reexec_cancel(h);
    answer_failure(h, step, error);
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

void reexec_asked(holder *h, const char *path) {
    const char *argv[ARGUMENTS_MAX + 3];
    launch_result result = {.failure = {.step = PM_STEP_REQUEST, .error = E2BIG}};
    if (h->phase != PHASE_SERVING || h->reexec.phase != REEXEC_NOT_ASKED || h->reexec.pid != 0) {
        answer_failure(h, PM_STEP_REQUEST, EBUSY);
        return;
    }
    memcpy(h->reexec.path, path, strlen(path) + 1);
    int image = image_write(h);
    if (image < 0) {
        answer_failure(h, PM_STEP_IMAGE, -image);
        return;
    }
    bool started = make_arguments(h, "--check", TRIAL_FD, argv) && launch_trial(argv, image, &result);
    pm_fd_close(image);
    if (!started) {
        answer_failure(h, result.failure.step, result.failure.error);
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
    if (h->reexec.pid != 0)
        kill(h->reexec.pid, SIGKILL);
}

/* Whether all that the holder knows is in an image: nothing is half sent, half judged or about to happen. */
static bool is_quiet(const holder *h) {
    const channel *c = &h->channel;
    return h->phase == PHASE_SERVING && c->fd >= 0 && c->is_attached && !c->is_broken && !c->is_blocked &&
           c->reply_size == 0 && c->first_report == 0 && !c->owes_stop && h->pmd.kill_at_ns == 0 &&
           !h->pmd.is_upgrading;
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
    execve(argv[0], (char *const *)argv, environ);
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
    int result = image_read(h, h->options.image_fd);
    image_set_cloexec(h, true);
    pm_fd_close(h->options.image_fd);
    return result;
}

/* What the program before had watched, and what died while nobody looked. */
static void look_after_children(holder *h) {
    for (record *r = table_next(&h->table, 0); r != NULL; r = table_after(&h->table, r))
        if (r->is_forgotten)
            leftovers_forget(h, r);
    reap_all(h);
    leftovers_judge(h);
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
