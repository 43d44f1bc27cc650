#define _GNU_SOURCE
#include "reexec.h"
#include "cpmlinux.h"
#include "errors.h"
#include "image.h"
#include "log.h"
#include "text.h"
#include "times.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long the trial and the wait for a quiet moment may take together. */
#define PATIENCE_NS (5u * (uint64_t)SECOND_NS)
/* What a program that is tried finds as its descriptor. */
#define TRIAL_FD 3
/* Most arguments that pm-init passes on to its successor. */
#define ARGUMENTS_MAX 250

static void give_up(pm_init *i, pm_spawn_failure failure) {
    log_line("cannot go on as ", i->reexec.path, ": ", pm_step_name(failure.step), ": ",
             failure_text(&failure), NULL);
    reexec_cancel(i);
    channel_refuse_reexec(&i->channel, failure);
}

/* The command line with another program and mode in front; the numbers lie in static memory. False: too long.
 */
static bool make_arguments(const pm_init *i, const char *mode, int fd, const char **argv) {
    static char number[12];
    text digits = text_in(number, sizeof number);
    text_add_number(&digits, (uint64_t)fd);
    argv[0] = i->reexec.path;
    argv[1] = mode;
    argv[2] = number;
    for (int at = 0; at < ARGUMENTS_MAX; at++) {
        argv[3 + at] = i->options.arguments[at];
        if (argv[3 + at] == NULL)
            return true;
    }
    return false;
}

/* Starts the trial of i->reexec.program. */
static bool try_program(pm_init *i, launch_result *out) {
    const char *argv[ARGUMENTS_MAX + 3];
    if (!make_arguments(i, "--check", TRIAL_FD, argv))
        return fail_step(&out->failure, PM_STEP_REQUEST, -E2BIG);
    int image = image_write(i);
    if (image < 0)
        return fail_step(&out->failure, PM_STEP_IMAGE, image);
    bool started = launch_trial(argv, image, i->reexec.program, out);
    pm_fd_close(image);
    return started;
}

void reexec_asked(pm_init *i, const char *path) {
    launch_result result;
    if (i->lifecycle.phase != PHASE_SERVING || i->reexec.phase != REEXEC_NOT_ASKED || i->reexec.pid != 0) {
        channel_refuse_reexec(&i->channel, failure_of(PM_STEP_REQUEST, -EBUSY));
        return;
    }
    memcpy(i->reexec.path, path, strlen(path) + 1);
    /* What is tried and what is executed is one file, whatever is installed under its name meanwhile. */
    i->reexec.program = open(path, O_PATH | O_CLOEXEC);
    if (i->reexec.program < 0) {
        give_up(i, failure_of(PM_STEP_EXEC, -errno));
        return;
    }
    if (!try_program(i, &result)) {
        give_up(i, result.failure);
        return;
    }
    i->reexec.phase = REEXEC_TRYING;
    i->reexec.pid = result.child.pid;
    i->reexec.give_up_at_ns = pm_clock_read(PM_CLOCK_MONOTONIC) + PATIENCE_NS;
}

void reexec_tried(pm_init *i, int wait_status) {
    i->reexec.pid = 0;
    if (i->reexec.phase != REEXEC_TRYING)
        return;
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
        i->reexec.phase = REEXEC_DUE;
    else
        give_up(i, failure_of(PM_STEP_TRIAL, -ENOEXEC));
}

void reexec_cancel(pm_init *i) {
    i->reexec.phase = REEXEC_NOT_ASKED;
    i->reexec.give_up_at_ns = 0;
    pm_fd_close(i->reexec.program);
    i->reexec.program = -1;
    if (i->reexec.pid != 0)
        kill(i->reexec.pid, SIGKILL);
}

/* Whether all that pm-init knows is in an image: nothing is half sent, half judged or about to happen. */
static bool is_quiet(const pm_init *i) {
    return i->lifecycle.phase == PHASE_SERVING && channel_is_quiet(&i->channel) && i->pmd.kill_at_ns == 0 &&
           i->pmd.end == PM_END_OWN;
}

/* Comes back only when the system refused. */
static void execute(pm_init *i) {
    const char *argv[ARGUMENTS_MAX + 3];
    int image = image_write(i);
    if (image < 0) {
        give_up(i, failure_of(PM_STEP_IMAGE, image));
        return;
    }
    make_arguments(i, "--resume", image, argv);
    image_set_cloexec(i, false);
    pm_fd_set_cloexec(image, false);
    /* Open over the exec, because an interpreter would have to open it; reexec_resume closes it. */
    syscall(SYS_execveat, i->reexec.program, "", argv, environ, AT_EMPTY_PATH);
    int result = -errno;
    image_set_cloexec(i, true);
    pm_fd_close(image);
    give_up(i, failure_of(PM_STEP_EXEC, result));
}

void reexec_tick(pm_init *i, uint64_t now_ns) {
    if (i->reexec.phase == REEXEC_DUE && is_quiet(i))
        execute(i);
    if (i->reexec.give_up_at_ns != 0 && now_ns >= i->reexec.give_up_at_ns)
        give_up(i, failure_of(i->reexec.phase == REEXEC_TRYING ? PM_STEP_TRIAL : PM_STEP_QUIET, -ETIMEDOUT));
}

int reexec_check(pm_init *i) {
    if (table_init(&i->lineage.table, UINT32_MAX) < 0 || image_read(i, i->options.image_fd) < 0)
        return 1;
    return i->options.program != NULL ? 0 : 1;
}
