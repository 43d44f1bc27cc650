#define _GNU_SOURCE
#include "harness.h"
#include "spawning.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void gives_the_child_all_properties(void) {
    check_all_properties();
}

static void gives_the_exit_status_by_pidfd(void) {
    prepared p;
    int status;
    pm_usage usage;
    prepare(&p, 2, "exit", "42");
    p.request.flags = PM_SPAWN_WANT_PIDFD;
    pm_child child = spawn_or_fail(&p.request);
    CHECK(child.pidfd >= 0);
    CHECK((fcntl(child.pidfd, F_GETFD) & FD_CLOEXEC) != 0);
    wait_readable(child.pidfd);
    CHECK_EQUAL(pm_pidfd_reap(child.pidfd, &status, &usage), 0);
    CHECK_EQUAL(WEXITSTATUS(status), 42);
    CHECK(usage.max_rss_kb > 0);
    CHECK_EQUAL(pm_pidfd_reap(child.pidfd, &status, NULL), -ECHILD);
    close(child.pidfd);
}

static void gives_no_pidfd_when_none_is_wanted(void) {
    prepared p;
    prepare(&p, 2, "exit", "0");
    pm_child child = spawn_or_fail(&p.request);
    CHECK_EQUAL(child.pidfd, -1);
    wait_for(child.pid);
}

/* Each child descriptor is a duplicate of a file of its own; the text in it tells which one it got. */
static void check_tags(const int32_t *sources, int count, const char *const *words) {
    prepared p;
    prepare(&p, 2, "tag", NULL);
    for (int i = 0; i < count; i++) {
        p.fds[i] = sources[i];
        p.argv[3 + i] = words[i];
    }
    p.argv[3 + count] = NULL;
    p.request.fd_count = (uint32_t)count;
    CHECK_EQUAL(wait_for(spawn_or_fail(&p.request).pid), 0);
}

static int open_numbered(int number) {
    char path[96];
    snprintf(path, sizeof path, "%s/%d", scratch(), number);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    if (fd != number) {
        CHECK_EQUAL(dup3(fd, number, O_CLOEXEC), number);
        close(fd);
    }
    return number;
}

static void check_content(int number, const char *expected) {
    char path[96];
    snprintf(path, sizeof path, "%s/%d", scratch(), number);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK_TEXT(read_all(fd), expected);
    close(fd);
}

static void rotate_descriptors(void) {
    /* Sources 3 4 5 0 1 for targets 0 1 2 3 4: each target is another's source, one source lies beyond. */
    for (int i = 3; i <= 6; i++)
        open_numbered(i);
    int zero = open_numbered(0);
    const int32_t sources[] = {3, 4, 5, zero, 3};
    check_tags(sources, 5, (const char *const[]){"a", "b", "c", "d", "e"});
    check_content(3, "0=a\n4=e\n");
    check_content(4, "1=b\n");
    check_content(5, "2=c\n");
    check_content(0, "3=d\n");
    check_content(6, "");
}

static void places_overlapping_descriptors(void) {
    in_fork(rotate_descriptors);
}

static void swap_descriptors(void) {
    for (int i = 0; i <= 2; i++)
        open_numbered(i + 3);
    open_numbered(0);
    open_numbered(1);
    const int32_t sources[] = {1, 0};
    check_tags(sources, 2, (const char *const[]){"x", "y"});
    check_content(1, "0=x\n");
    check_content(0, "1=y\n");
}

static void swaps_two_descriptors(void) {
    in_fork(swap_descriptors);
}

static void keeps_a_descriptor_in_its_place(void) {
    prepared p;
    prepare(&p, -1, "report", NULL);
    p.fds[2] = 2; /* stays where it is, and must lose its close-on-exec flag for the child alone */
    fcntl(2, F_SETFD, FD_CLOEXEC);
    CHECK(strstr(reported(&p), "fds=0 1 2 \n") != NULL);
    CHECK((fcntl(2, F_GETFD) & FD_CLOEXEC) != 0);
    fcntl(2, F_SETFD, 0);
}

static void closes_everything_else(void) {
    prepared p;
    int leaked = open("/dev/null", O_RDWR); /* not close-on-exec, and far up */
    CHECK_EQUAL(dup2(leaked, 900), 900);
    prepare(&p, -1, "report", NULL);
    CHECK(strstr(reported(&p), "fds=0 1 2 \n") != NULL);
    close(900);
    close(leaked);
}

static void gives_a_child_no_descriptor_at_all(void) {
    prepared p;
    prepare(&p, 2, "exit", "0");
    p.request.fd_count = 0;
    p.argv[2] = "tag";
    p.argv[3] = NULL;
    CHECK_EQUAL(wait_for(spawn_or_fail(&p.request).pid), 0);
}

static void makes_dev_null_for_a_missing_source(void) {
    prepared p;
    char buffer[8];
    int read_end, write_end;
    CHECK_EQUAL(pm_pipe_create(&read_end, &write_end), 0);
    prepare(&p, write_end, "exit", "9"); /* reads the end of file from descriptor 0 at once */
    CHECK_EQUAL(WEXITSTATUS(wait_for(spawn_or_fail(&p.request).pid)), 9);
    close(write_end);
    CHECK_EQUAL(read(read_end, buffer, sizeof buffer), 0);
    close(read_end);
}

static void finds_a_program_by_the_childs_path(void) {
    char directory[80], program[96], forbidden[96], path[240];
    prepared p;
    snprintf(directory, sizeof directory, "%s/bin", scratch());
    snprintf(program, sizeof program, "%s/found", directory);
    snprintf(forbidden, sizeof forbidden, "%s/found", scratch());
    /* Missing in the first, there but not executable in the second, right in the third. */
    snprintf(path, sizeof path, "PATH=/nowhere:%s:%s:/bin", scratch(), directory);
    CHECK_EQUAL(mkdir(directory, 0755), 0);
    close(open(forbidden, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    CHECK_EQUAL(symlink(self_path, program), 0);
    prepare(&p, 2, "exit", "3");
    p.request.path = "found";
    p.envp[0] = path;
    CHECK_EQUAL(WEXITSTATUS(wait_for(spawn_or_fail(&p.request).pid)), 3);
}

static void finds_a_program_without_a_path(void) {
    prepared p;
    prepare(&p, 2, "exit", "0");
    p.request.path = "true";
    p.envp[0] = "NO=PATH";
    CHECK_EQUAL(wait_for(spawn_or_fail(&p.request).pid), 0);
}

static void makes_a_group_without_a_session(void) {
    prepared p;
    prepare(&p, -1, "report", NULL);
    p.request.flags = PM_SPAWN_NEW_GROUP;
    const char *text = reported(&p);
    CHECK(has_line(text, "group=own") && has_line(text, "session=other"));
}

static void changes_user_and_groups(void) {
    if (geteuid() != 0)
        skip("needs root");
    prepared p;
    const uint32_t groups[] = {1234, 1235};
    prepare(&p, -1, "report", NULL);
    p.request.flags = PM_SPAWN_SET_IDS;
    p.request.uid = 65534;
    p.request.gid = 65533;
    p.request.groups = groups;
    p.request.group_count = 2;
    const char *text = reported(&p);
    CHECK(has_line(text, "Uid:\t65534\t65534\t65534\t65534"));
    CHECK(has_line(text, "Gid:\t65533\t65533\t65533\t65533"));
    CHECK(has_line(text, "Groups:\t1234 1235 "));
    CHECK_EQUAL(geteuid(), 0);
}

static void stays_dumpable_after_a_change_of_user(void) {
    if (geteuid() != 0)
        skip("needs root");
    prepared p;
    prepare(&p, 2, "exit", "0");
    p.request.flags = PM_SPAWN_SET_IDS;
    p.request.uid = p.request.gid = 65534;
    wait_for(spawn_or_fail(&p.request).pid);
    CHECK_EQUAL(prctl(PR_GET_DUMPABLE), 1);
}

static void ask_for_too_many_files(void) {
    const struct rlimit low = {.rlim_cur = 64, .rlim_max = 64};
    const pm_rlimit limit = {.resource = RLIMIT_NOFILE, .soft = 1u << 31, .hard = 1u << 31};
    prepared p;
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &low), 0);
    prepare(&p, -1, "report", NULL);
    p.request.rlimits = &limit;
    p.request.rlimit_count = 1;
    CHECK(has_line(reported(&p), "nofile=64 64"));
    prepare(&p, 2, "exit", "0");
    p.request.rlimits = &limit;
    p.request.rlimit_count = 1;
    pm_child child = spawn_or_fail(&p.request);
    CHECK_EQUAL(child.clamped, PM_CLAMPED_LIMIT);
    wait_for(child.pid);
}

static void clamps_a_limit_that_it_may_not_raise(void) {
    in_fork(ask_for_too_many_files);
}

static void clamps_what_needs_a_privilege(void) {
    prepared p;
    prepare(&p, 2, "exit", "0");
    p.request.flags = PM_SPAWN_SET_NICE | PM_SPAWN_SET_OOM_SCORE;
    p.request.nice = -5;
    p.request.oom_score_adj = -500;
    pm_child child = spawn_or_fail(&p.request);
    wait_for(child.pid);
    if (geteuid() != 0)
        CHECK_EQUAL(child.clamped, PM_CLAMPED_NICE | PM_CLAMPED_OOM_SCORE);
    else
        CHECK_EQUAL(child.clamped & ~PM_CLAMPED_OOM_SCORE, 0);
}

static void *spawn_on_thread(void *unused) {
    (void)unused;
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, NULL);
    uint64_t mask = signal_mask();
    for (int i = 0; i < 50; i++) {
        prepared p;
        prepare(&p, 2, "exit", "0");
        CHECK_EQUAL(wait_for(spawn_or_fail(&p.request).pid), 0);
        CHECK(signal_mask() == mask);
    }
    return NULL;
}

static void spawns_on_several_threads(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, spawn_on_thread, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

static void names_every_step(void) {
    for (int step = PM_STEP_NONE; step <= PM_STEP_KEYRING; step++)
        CHECK(strcmp(pm_step_name((pm_step)step), "unknown") != 0);
    CHECK_TEXT(pm_step_name((pm_step)(PM_STEP_KEYRING + 1)), "unknown");
}

const test spawn_tests[] = {
    {"spawn gives the child all properties", gives_the_child_all_properties},
    {"spawn gives the exit status by pidfd", gives_the_exit_status_by_pidfd},
    {"spawn gives no pidfd when none is wanted", gives_no_pidfd_when_none_is_wanted},
    {"spawn places overlapping descriptors", places_overlapping_descriptors},
    {"spawn swaps two descriptors", swaps_two_descriptors},
    {"spawn keeps a descriptor in its place", keeps_a_descriptor_in_its_place},
    {"spawn closes everything else", closes_everything_else},
    {"spawn gives a child no descriptor at all", gives_a_child_no_descriptor_at_all},
    {"spawn makes /dev/null for a missing source", makes_dev_null_for_a_missing_source},
    {"spawn finds a program by the child's PATH", finds_a_program_by_the_childs_path},
    {"spawn finds a program without a PATH", finds_a_program_without_a_path},
    {"spawn makes a group without a session", makes_a_group_without_a_session},
    {"spawn changes user and groups", changes_user_and_groups},
    {"spawn stays dumpable after a change of user", stays_dumpable_after_a_change_of_user},
    {"spawn clamps a limit that it may not raise", clamps_a_limit_that_it_may_not_raise},
    {"spawn clamps what needs a privilege", clamps_what_needs_a_privilege},
    {"spawn works on several threads at once", spawns_on_several_threads},
    {"spawn names every step", names_every_step},
    {NULL, NULL},
};
