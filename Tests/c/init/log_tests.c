/* What pm-init says in its log: why it ends, why pmd is started again, why a channel broke. */
#define _GNU_SOURCE
#include "harness.h"
#include "rig.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static message m;

/* Makes a file the log of the pm-init that is started next; gives its path. */
static const char *log_to_file(void) {
    static char path[256];
    snprintf(path, sizeof path, "%s/log", scratch());
    rig_errors = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    CHECK(rig_errors >= 0);
    return path;
}

static const char *content(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    const char *text = read_all(fd);
    close(fd);
    return text;
}

static void check_says(const char *path, const char *words) {
    const char *text = content(path);
    if (strstr(text, words) == NULL)
        fail_at(__FILE__, __LINE__, "the log does not say \"%s\" but \"%s\"", words, text);
}

static void check_silent_about(const char *path, const char *words) {
    const char *text = content(path);
    if (strstr(text, words) != NULL)
        fail_at(__FILE__, __LINE__, "the log says \"%s\": \"%s\"", words, text);
}

static void says_why_pmd_is_started_again(void) {
    rig r;
    const char *log = log_to_file();
    rig_serve(&r, NULL);
    rig_end_pmd(&r, 3);
    rig_next_pmd(&r);
    check_says(log, "Z pm-init: pmd ended with status 3; it is started again at once\n");
    rig_kill_pmd(&r);
    rig_next_pmd(&r);
    check_says(log, "pm-init: pmd was ended by signal 9 before it served; it is started again ");
    rig_hello(&r, &m);
    CHECK_EQUAL(rig_stop(&r), 0);
    close(rig_errors);
}

static void a_planned_upgrade_is_no_news(void) {
    rig r;
    const pm_bye bye = {.reason = PM_BYE_UPGRADE};
    const char *log = log_to_file();
    rig_serve(&r, NULL);
    send_message(&r, &(outgoing){PM_BYE, 0, &bye, sizeof bye});
    rig_end_pmd(&r, 0);
    rig_next_pmd(&r);
    CHECK_EQUAL(rig_hello(&r, &m), 0);
    CHECK_EQUAL(r.last_end, PM_END_UPGRADE);
    CHECK_TEXT(content(log), "");
    CHECK_EQUAL(rig_stop(&r), 0);
    close(rig_errors);
}

static void says_that_pmd_ran_on_without_its_channel(void) {
    rig r;
    const char *log = log_to_file();
    rig_serve(&r, NULL);
    close(r.control);
    r.control = -1;
    wait_gone(r.pmd);
    rig_next_pmd(&r);
    check_says(log, "because it ran on without its connection to pm-init");
    rig_hello(&r, &m);
    CHECK_EQUAL(r.last_end, PM_END_LOST);
    CHECK_EQUAL(rig_stop(&r), 0);
    close(rig_errors);
}

static void says_why_it_ends(void) {
    rig r;
    const char *log = log_to_file();
    rig_serve(&r, NULL);
    kill(r.init, SIGTERM);
    expect(&r, PM_STOP_REQUESTED, 0, &m);
    check_says(log, "pm-init: asks pmd to stop all services: it was asked to by a signal\n");
    CHECK_EQUAL(rig_stop(&r), 0);
    check_says(log, "pm-init: ends: pmd has stopped all services\n");
    close(rig_errors);
}

static void says_that_it_stops_without_pmd(void) {
    rig r;
    const char *log = log_to_file();
    rig_serve(&r, NULL);
    spawn_child(&r, 1, &(child_spec){.role = "wait"});
    kill(r.init, SIGTERM);
    expect(&r, PM_STOP_REQUESTED, 0, &m);
    rig_kill_pmd(&r);
    CHECK_EQUAL(rig_wait(&r), 0);
    check_says(log,
               "pm-init: stops all services without pmd: pmd ended before it had stopped all services\n");
    check_says(log, "pm-init: ends: all services are stopped\n");
    check_silent_about(log, "started again");
    close(rig_errors);
}

static void says_why_it_cannot_start(void) {
    rig r;
    const char *log = log_to_file();
    rig_launch(&r, NULL, "/nonexistent/pmd");
    CHECK_EQUAL(rig_wait(&r), 1);
    check_says(log, "pm-init: cannot start /nonexistent/pmd: exec: No such file or directory\n");
    check_says(log, "pm-init: ends: pmd cannot be started\n");
    close(rig_errors);
}

/* Standard error is a pipe that nobody reads and that is full. */
static void a_log_that_nobody_reads_holds_nothing_up(void) {
    rig r;
    int ends[2];
    char rubbish[4096];
    memset(rubbish, 'x', sizeof rubbish);
    CHECK(pipe2(ends, O_CLOEXEC) == 0 && fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    while (write(ends[1], rubbish, sizeof rubbish) > 0) {
    }
    while (write(ends[1], rubbish, 1) > 0) {
    }
    CHECK(fcntl(ends[1], F_SETFL, 0) == 0);
    rig_errors = ends[1];
    rig_serve(&r, NULL);
    rig_kill_pmd(&r);
    rig_next_pmd(&r);
    rig_hello(&r, &m);
    CHECK_EQUAL(rig_stop(&r), 0);
    CHECK((fcntl(ends[1], F_GETFL) & O_NONBLOCK) == 0); /* what others share is as it was */
    close(ends[0]);
    close(ends[1]);
}

const test log_tests[] = {
    {"log: why pmd is started again", says_why_pmd_is_started_again},
    {"log: a planned upgrade is no news", a_planned_upgrade_is_no_news},
    {"log: pmd ran on without its channel", says_that_pmd_ran_on_without_its_channel},
    {"log: why pm-init ends", says_why_it_ends},
    {"log: it stops without pmd", says_that_it_stops_without_pmd},
    {"log: why it cannot start", says_why_it_cannot_start},
    {"log: one that nobody reads holds nothing up", a_log_that_nobody_reads_holds_nothing_up},
    {NULL, NULL},
};
