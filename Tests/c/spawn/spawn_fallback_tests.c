/* The ways around clone3 and close_range, forced by a seccomp filter that denies them. */
#define _GNU_SOURCE
#include "harness.h"
#include "spawning.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void deny_clone3(int error) {
    forbid(SYS_clone3, error);
    struct clone_args args = {0};
    CHECK(syscall(SYS_clone3, &args, sizeof args) == -1 && errno == error);
}

static void check_failing_spawn(const char *path, const char *cwd, pm_step step, int error) {
    prepared p;
    pm_child child;
    pm_spawn_failure failure;
    prepare(&p, 2, "exit", NULL);
    p.request.path = path;
    p.request.cwd = cwd;
    p.request.flags = PM_SPAWN_WANT_PIDFD;
    uint64_t mask = signal_mask();
    int before = open_descriptors();
    CHECK(!pm_spawn(&p.request, &child, &failure));
    CHECK_EQUAL(failure.step, step);
    CHECK_EQUAL(failure.error, error);
    CHECK(signal_mask() == mask);
    CHECK_EQUAL(open_descriptors(), before);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void check_pidfd(void) {
    prepared p;
    int status;
    prepare(&p, 2, "exit", "21");
    p.request.flags = PM_SPAWN_WANT_PIDFD;
    pm_child child = spawn_or_fail(&p.request);
    wait_readable(child.pidfd);
    CHECK_EQUAL(pm_pidfd_reap(child.pidfd, &status, NULL), 0);
    CHECK_EQUAL(WEXITSTATUS(status), 21);
    close(child.pidfd);
}

static void check_fallback(int error) {
    deny_clone3(error);
    check_pidfd();
    check_failing_spawn("/nowhere/program", NULL, PM_STEP_EXEC, ENOENT);
    check_failing_spawn(self_path, "/nowhere", PM_STEP_DIRECTORY, ENOENT);
    check_all_properties();
}

static void works_without_clone3(void) {
    check_fallback(ENOSYS);
}

static void works_where_clone3_is_forbidden(void) {
    check_fallback(EPERM);
}

static void reports_a_missing_pidfd(void) {
    deny_clone3(ENOSYS);
    forbid(SYS_pidfd_open, EMFILE);
    prepared p;
    pm_child child;
    pm_spawn_failure failure;
    prepare(&p, PM_SPAWN_FD_NULL, "wait", NULL);
    p.request.flags = PM_SPAWN_WANT_PIDFD;
    uint64_t mask = signal_mask();
    CHECK(!pm_spawn(&p.request, &child, &failure));
    CHECK(failure.step == PM_STEP_PIDFD && failure.error == EMFILE);
    CHECK(signal_mask() == mask);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void reports_a_bad_cgroup_without_clone3(void) {
    deny_clone3(ENOSYS);
    prepared p;
    pm_child child;
    pm_spawn_failure failure;
    prepare(&p, 2, "exit", NULL);
    p.request.flags = PM_SPAWN_IN_CGROUP;
    p.request.cgroup_fd = 999;
    CHECK(!pm_spawn(&p.request, &child, &failure));
    CHECK(failure.step == PM_STEP_CGROUP && failure.error == EBADF);
}

static void closes_everything_else_without_close_range(void) {
    forbid(SYS_close_range, ENOSYS);
    prepared p;
    int opened[300];
    for (int i = 0; i < 300; i++) /* more than one listing of /proc/self/fd */
        opened[i] = open("/dev/null", O_RDWR);
    prepare(&p, -1, "report", NULL);
    CHECK(strstr(reported(&p), "fds=0 1 2 \n") != NULL);
    for (int i = 0; i < 300; i++)
        close(opened[i]);
}

const test spawn_fallback_tests[] = {
    {"spawn works without clone3", works_without_clone3},
    {"spawn works where clone3 is forbidden", works_where_clone3_is_forbidden},
    {"spawn without clone3 ends a child for which there is no pidfd", reports_a_missing_pidfd},
    {"spawn without clone3 reports a bad cgroup", reports_a_bad_cgroup_without_clone3},
    {"spawn closes everything else without close_range", closes_everything_else_without_close_range},
    {NULL, NULL},
};
