/* The start of pm-init, of pmd, and of a child. */
#define _GNU_SOURCE
#include "harness.h"
#include "rig.h"
#include "spawning.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void init_starts_pmd_and_ends_with_its_goodbye(void) {
    rig r;
    rig_serve(&r, NULL);
    const pm_bye bye = {.reason = PM_BYE_STOPPED, .status = 9};
    send_message(&r, &(outgoing){PM_BYE, 0, &bye, sizeof bye});
    rig_end_pmd(&r, 0);
    CHECK_EQUAL(rig_wait(&r), 9);
}

static void init_passes_a_bad_start_on(void) {
    rig r;
    rig_start(&r, NULL);
    close(r.pmd_status);
    r.pmd_status = -1;
    rig_end_pmd(&r, 65);
    CHECK_TEXT(read_all(r.status), "E 65 pmd ended while starting\n");
    CHECK_EQUAL(rig_wait(&r), 65);
}

static void init_passes_a_crash_at_the_start_on(void) {
    rig r;
    rig_start(&r, NULL);
    close(r.pmd_status);
    r.pmd_status = -1;
    rig_kill_pmd(&r);
    CHECK_TEXT(read_all(r.status), "E 137 pmd was ended by signal 9\n");
    CHECK_EQUAL(rig_wait(&r), 137);
}

static void init_reports_a_missing_pmd(void) {
    rig r;
    rig_launch(&r, NULL, "/nowhere/pmd");
    CHECK_TEXT(read_all(r.status), "E 1 cannot start /nowhere/pmd: exec: No such file or directory\n");
    CHECK_EQUAL(rig_wait(&r), 1);
}

static void init_refuses_a_second_one(void) {
    rig first, second;
    char lock[96];
    snprintf(lock, sizeof lock, "%s/lock", scratch());
    const char *const options[] = {"--lock", lock, NULL};
    rig_serve(&first, options);
    rig_launch(&second, options, NULL);
    CHECK_TEXT(read_all(second.status), "E 75 already running\n");
    CHECK_EQUAL(rig_wait(&second), 75);
    CHECK_EQUAL(rig_stop(&first), 0);
    rig_serve(&second, options);
    CHECK_EQUAL(rig_stop(&second), 0);
}

static void init_names_a_lock_that_it_cannot_have(void) {
    rig r;
    rig_launch(&r, (const char *const[]){"--lock", "/nowhere/lock", NULL}, NULL);
    CHECK_TEXT(read_all(r.status), "E 71 /nowhere/lock: No such file or directory\n");
    CHECK_EQUAL(rig_wait(&r), 71);
}

static int run_with(const char *const *argv) {
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 2);
        execv(init_path, (char *const *)argv);
        _exit(99);
    }
    return WEXITSTATUS(wait_for(pid));
}

static void init_refuses_a_wrong_command_line(void) {
    CHECK_EQUAL(run_with((const char *const[]){"pm-init", NULL}), 64);
    CHECK_EQUAL(run_with((const char *const[]){"pm-init", "--", NULL}), 64);
    CHECK_EQUAL(run_with((const char *const[]){"pm-init", "--grace", "soon", "--", "true", NULL}), 64);
    CHECK_EQUAL(run_with((const char *const[]){"pm-init", "--marker", "a=b", "--", "true", NULL}), 64);
    CHECK_EQUAL(run_with((const char *const[]){"pm-init", "--nothing", "x", "--", "true", NULL}), 64);
    CHECK_EQUAL(run_with((const char *const[]){"pm-init", "--lock", NULL}), 64);
}

static void status_descriptor_goes_to_the_first_pmd_alone(void) {
    rig r;
    rig_serve(&r, NULL);
    CHECK_EQUAL(write(r.pmd_status, "L\n", 2), 2);
    close(r.pmd_status);
    r.pmd_status = -1;
    /* pm-init has closed its own at the hand-over, so this ends. */
    CHECK_TEXT(read_all(r.status), "L\n");
    rig_kill_pmd(&r);
    rig_next_pmd(&r);
    CHECK_EQUAL(r.pmd_status, -1);
    CHECK_EQUAL(rig_hello(&r, NULL), 0);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void child_gets_what_was_asked_for(void) {
    if (is_slow())
        skip("valgrind changes the limit on open files");
    rig r;
    message m;
    int write_end, read_end = make_pipe(&write_end);
    struct rlimit files = {.rlim_cur = 300, .rlim_max = 2000};
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &files), 0);
    rig_serve(&r, (const char *const[]){"--marker", "token-x", NULL});
    spawn_child(&r, 77, &(child_spec){.role = "report", .argument = {"word"}, .output = write_end});
    close(write_end);
    const char *text = read_all(read_end);
    const char *const lines[] = {"fds=0 1 2 ",
                                 "arg=word",
                                 "env=PM_MARKER=token-x-77",
                                 "session=own",
                                 "nofile=300 2000",
                                 "SigBlk:\t0000000000000000",
                                 "SigIgn:\t0000000000000000"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!has_line(text, lines[i]))
            fail_at(__FILE__, __LINE__, "no \"%s\" in:\n%s", lines[i], text);
    CHECK(strstr(text, "stale") == NULL);
    close(read_end);
    expect(&r, PM_EXITED, 77, &m);
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* What a child of a pm-init with the limit 300 on open files says of its own limits. */
static const char *reported_limits(const pm_rlimit *limit) {
    rig r;
    message m;
    int write_end, read_end = make_pipe(&write_end);
    const struct rlimit files = {.rlim_cur = 300, .rlim_max = 2000};
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &files), 0);
    rig_serve(&r, NULL);
    spawn_child(&r, 1, &(child_spec){.role = "report", .output = write_end, .limit = *limit});
    close(write_end);
    const char *text = read_all(read_end);
    close(read_end);
    expect(&r, PM_EXITED, 1, &m);
    CHECK_EQUAL(rig_stop(&r), 0);
    return text;
}

static void limits_of_the_request_come_before_inits_own(void) {
    if (is_slow())
        skip("valgrind changes the limit on open files");
    const char *text = reported_limits(&(pm_rlimit){.resource = RLIMIT_NOFILE, .soft = 50, .hard = 60});
    CHECK(has_line(text, "nofile=50 60"));
    text = reported_limits(&(pm_rlimit){.resource = RLIMIT_CORE, .soft = 0, .hard = 0});
    CHECK(has_line(text, "nofile=300 2000") && has_line(text, "core=0 0"));
}

static void failed_spawn_names_the_step_and_closes_what_was_held(void) {
    rig r;
    message m;
    int write_end, read_end = make_pipe(&write_end);
    rig_serve(&r, NULL);
    send_spawn(&r, 5,
               &(child_spec){.role = "x", .path = "/nowhere/program", .held = {write_end}, .held_count = 1});
    close(write_end);
    expect(&r, PM_SPAWN_FAILED, 5, &m);
    CHECK_EQUAL(m.failure.step, PM_STEP_EXEC);
    CHECK_EQUAL(m.failure.error, ENOENT);
    CHECK_TEXT(read_all(read_end), "");
    close(read_end);
    /* The id is free again. */
    spawn_child(&r, 5, &(child_spec){.role = "wait"});
    send_spawn(&r, 5, &(child_spec){.role = "wait"});
    expect(&r, PM_SPAWN_FAILED, 5, &m);
    CHECK(m.failure.step == PM_STEP_TABLE && m.failure.error == EEXIST);
    send_spawn(&r, 0, &(child_spec){.role = "wait"});
    expect(&r, PM_SPAWN_FAILED, 0, &m);
    CHECK(m.failure.step == PM_STEP_TABLE && m.failure.error == EINVAL);
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* A spawn whose strings, with a 200 KB environment variable, are in a memfd that has only `size` bytes of
 * them. */
static void send_spawn_in_memfd(rig *r, uint64_t id, int output, size_t missing) {
    size_t big = 120 * 1024, size = 0;
    char *strings = calloc(1, big + 4096);
    const char *const words[] = {self_path, "", "c-tests", "--role", "report", "PATH=/bin"};
    for (size_t i = 0; i < 6; i++, size++)
        size += (size_t)sprintf(strings + size, "%s", words[i]);
    memset(strings + size, 'B', big);
    strings[size + 1] = '=';
    size += big + 1;
    int file = pm_memfd_create("strings");
    CHECK_EQUAL(pm_fd_write(file, strings, size - missing), size - missing);
    struct {
        pm_message header;
        pm_spawn_message body;
    } packet = {
        .header = {.type = PM_SPAWN, .id = id, .size = sizeof packet},
        .body = {.flags = PM_SPAWN_STRINGS_IN_FD,
                 .child_fds = 3,
                 .argc = 3,
                 .envc = 2,
                 .strings_size = (uint32_t)size},
    };
    const int fds[] = {0, output, 2, file};
    send_raw(r, &(raw_packet){&packet, sizeof packet, fds, 4});
    close(file);
    free(strings);
}

static void strings_may_come_in_a_memfd(void) {
    rig r;
    message m;
    int write_end, read_end = make_pipe(&write_end);
    rig_serve(&r, NULL);
    send_spawn_in_memfd(&r, 1, write_end, 0);
    send_spawn_in_memfd(&r, 2, write_end, 1);
    close(write_end);
    expect(&r, PM_SPAWNED, 1, &m);
    const char *at = strstr(read_all(read_end), "env=B=");
    CHECK(at != NULL);
    receive(&r, &m);
    if (m.header.type == PM_EXITED)
        receive(&r, &m);
    CHECK(m.header.type == PM_SPAWN_FAILED && m.header.id == 2);
    CHECK(m.failure.step == PM_STEP_REQUEST && m.failure.error == EBADMSG);
    close(read_end);
    rig_stop(&r);
}

static void check_next_init_ends(const char *hide) {
    rig r, next;
    int write_end, read_end = make_pipe(&write_end);
    char token[32]; /* no other run of this test has it */
    snprintf(token, sizeof token, "sweep.%d", (int)getpid());
    const char *const options[] = {"--marker", token, NULL};
    rig_serve(&r, options);
    spawn_child(&r, 1, &(child_spec){.role = "escape", .argument = {"stay", hide}, .output = write_end});
    close(write_end);
    pid_t escaped = read_ready(read_end);
    kill(r.init, SIGKILL);
    CHECK_EQUAL(rig_wait(&r), -SIGKILL);
    CHECK_EQUAL(kill(escaped, 0), 0);
    rig_start(&next, options);
    /* All that had the write end is gone before the new pmd begins. */
    char byte;
    CHECK_EQUAL(fcntl(read_end, F_SETFL, O_NONBLOCK), 0);
    CHECK_EQUAL(read(read_end, &byte, 1), 0);
    close(read_end);
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    rig_hello(&next, NULL);
    CHECK_EQUAL(rig_stop(&next), 0);
}

static void next_init_ends_what_a_killed_one_left(void) {
    check_next_init_ends(NULL);
}

static void next_init_ends_who_hides_its_environment(void) {
    check_next_init_ends("hide");
}

const test launch_tests[] = {
    {"init starts pmd and ends with its goodbye", init_starts_pmd_and_ends_with_its_goodbye},
    {"init passes a bad start on", init_passes_a_bad_start_on},
    {"init passes a crash at the start on", init_passes_a_crash_at_the_start_on},
    {"init reports a missing pmd", init_reports_a_missing_pmd},
    {"init refuses a second one", init_refuses_a_second_one},
    {"init names a lock that it cannot have", init_names_a_lock_that_it_cannot_have},
    {"init refuses a wrong command line", init_refuses_a_wrong_command_line},
    {"init gives the status descriptor to the first pmd alone",
     status_descriptor_goes_to_the_first_pmd_alone},
    {"init gives a child what was asked for", child_gets_what_was_asked_for},
    {"init puts the limits of the request before its own", limits_of_the_request_come_before_inits_own},
    {"init names the step of a failed spawn and closes what was held",
     failed_spawn_names_the_step_and_closes_what_was_held},
    {"init takes strings from a memfd", strings_may_come_in_a_memfd},
    {"init ends what a killed predecessor left", next_init_ends_what_a_killed_one_left},
    {"init ends what a killed predecessor left without environment",
     next_init_ends_who_hides_its_environment},
    {NULL, NULL},
};
