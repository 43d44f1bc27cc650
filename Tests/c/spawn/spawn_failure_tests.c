#define _GNU_SOURCE
#include "harness.h"
#include "spawning.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Spawning fails so, and leaves mask, descriptors and children as they were. */
static void check_failure(const pm_spawn_request *request, pm_step step, int error) {
    pm_child child;
    pm_spawn_failure failure;
    sigset_t some;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR1);
    sigprocmask(SIG_SETMASK, &some, NULL);
    uint64_t mask = signal_mask();
    CHECK(!spawn(request, &child, &failure));
    CHECK(signal_mask() == mask);
    CHECK_TEXT(pm_step_name(failure.step), pm_step_name(step));
    CHECK_EQUAL(failure.error, error);
    CHECK_EQUAL(child.pid, -1);
    CHECK_EQUAL(child.pidfd, -1);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void refuses_a_bad_request(void) {
    prepared p;
    prepare(&p, 2, "exit", NULL);
    p.request.path = NULL;
    check_failure(&p.request, PM_STEP_REQUEST, EINVAL);
    p.request.path = "";
    check_failure(&p.request, PM_STEP_REQUEST, EINVAL);
    p.request.path = self_path;
    p.request.fd_count = PM_SPAWN_FDS_MAX + 1;
    check_failure(&p.request, PM_STEP_REQUEST, EINVAL);
}

static void reports_a_missing_program(void) {
    prepared p;
    prepare(&p, 2, "exit", NULL);
    p.request.path = "/nowhere/program";
    check_failure(&p.request, PM_STEP_EXEC, ENOENT);
    p.request.path = "no-such-program";
    check_failure(&p.request, PM_STEP_EXEC, ENOENT);
    p.envp[0] = "PATH=";
    check_failure(&p.request, PM_STEP_EXEC, ENOENT);
}

static const char *make_file(const char *name, mode_t mode, const char *content) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", scratch(), name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK_EQUAL(write(fd, content, strlen(content)), (int)strlen(content));
    fchmod(fd, mode);
    close(fd);
    return path;
}

static void tells_forbidden_from_missing(void) {
    prepared p;
    char path[160];
    prepare(&p, 2, "exit", NULL);
    p.request.path = make_file("plain", 0644, "text");
    check_failure(&p.request, PM_STEP_EXEC, EACCES);
    snprintf(path, sizeof path, "PATH=/bin:%s:/nowhere", scratch());
    p.request.path = "plain";
    p.envp[0] = path;
    check_failure(&p.request, PM_STEP_EXEC, EACCES);
}

static void reports_a_file_of_no_known_format(void) {
    prepared p;
    char path[160];
    prepare(&p, 2, "exit", NULL);
    p.request.path = make_file("garbage", 0755, "no format at all");
    check_failure(&p.request, PM_STEP_EXEC, ENOEXEC);
    snprintf(path, sizeof path, "PATH=%s", scratch());
    p.request.path = "garbage"; /* also by PATH no shell is asked */
    p.envp[0] = path;
    check_failure(&p.request, PM_STEP_EXEC, ENOEXEC);
}

static void tells_a_missing_directory_from_a_missing_program(void) {
    prepared p;
    prepare(&p, 2, "exit", NULL);
    p.request.cwd = "/nowhere";
    check_failure(&p.request, PM_STEP_DIRECTORY, ENOENT);
}

static void reports_a_closed_source(void) {
    prepared p;
    prepare(&p, 777, "exit", NULL);
    check_failure(&p.request, PM_STEP_DESCRIPTORS, EBADF);
    p.fds[1] = -2;
    check_failure(&p.request, PM_STEP_DESCRIPTORS, EBADF);
}

static void reports_an_impossible_limit(void) {
    prepared p;
    const pm_rlimit limit = {.resource = RLIMIT_CORE, .soft = 10, .hard = 5};
    prepare(&p, 2, "exit", NULL);
    p.request.rlimits = &limit;
    p.request.rlimit_count = 1;
    check_failure(&p.request, PM_STEP_LIMITS, EINVAL);
}

static void reports_an_impossible_oom_score(void) {
    prepared p;
    prepare(&p, 2, "exit", NULL);
    p.request.flags = PM_SPAWN_SET_OOM_SCORE;
    p.request.oom_score_adj = 5000;
    check_failure(&p.request, PM_STEP_OOM_SCORE, EINVAL);
}

static void reports_missing_privileges_for_ids(void) {
    if (geteuid() == 0)
        skip("root may");
    prepared p;
    prepare(&p, 2, "exit", NULL);
    p.request.flags = PM_SPAWN_SET_IDS;
    check_failure(&p.request, PM_STEP_GROUPS, EPERM);
}

static void reports_a_bad_cgroup(void) {
    prepared p;
    prepare(&p, 2, "exit", NULL);
    p.request.flags = PM_SPAWN_IN_CGROUP;
    p.request.cgroup_fd = 999;
    check_failure(&p.request, PM_STEP_CLONE, EBADF);
}

/* Runs one case in a fork, with a system call that fails. */
static void check_forced(int number, int error, const pm_spawn_request *request, pm_step step) {
    pid_t pid = fork();
    if (pid == 0) {
        forbid(number, error);
        check_failure(request, step, error);
        _exit(0);
    }
    int status = wait_for(pid);
    if (status != 0)
        fail_at(__FILE__, __LINE__, "case of system call %d", number);
}

static void reports_each_step(void) {
    prepared p;
    const pm_rlimit limit = {.resource = RLIMIT_CORE};
    prepare(&p, 1, "exit", NULL);
    p.fds[0] = 0;
    p.fds[1] = 2; /* 2 onto 1, so something has to be placed */
    p.request.flags = PM_SPAWN_NEW_SESSION | PM_SPAWN_SET_NICE | PM_SPAWN_NO_NEW_PRIVS |
                      PM_SPAWN_SET_OOM_SCORE | PM_SPAWN_SET_UMASK;
    p.request.rlimits = &limit;
    p.request.rlimit_count = 1;
    check_forced(SYS_clone3, ENOMEM, &p.request, PM_STEP_CLONE);
    check_forced(SYS_mmap, ENOMEM, &p.request, PM_STEP_STACK);
    check_forced(SYS_setsid, EPERM, &p.request, PM_STEP_SESSION);
    check_forced(SYS_openat, EIO, &p.request, PM_STEP_OOM_SCORE);
    check_forced(SYS_setpriority, EINVAL, &p.request, PM_STEP_NICE);
    check_forced(SYS_dup3, EMFILE, &p.request, PM_STEP_DESCRIPTORS);
    check_forced(SYS_prlimit64, EINVAL, &p.request, PM_STEP_LIMITS);
    check_forced(SYS_rt_sigaction, EINVAL, &p.request, PM_STEP_SIGNALS);
    check_forced(SYS_execve, E2BIG, &p.request, PM_STEP_EXEC);
}

static void reports_the_steps_of_ids(void) {
    if (geteuid() != 0)
        skip("needs root");
    prepared p;
    prepare(&p, 1, "exit", NULL);
    p.request.flags = PM_SPAWN_SET_IDS;
    check_forced(SYS_setgroups, EPERM, &p.request, PM_STEP_GROUPS);
    check_forced(SYS_setresgid, EPERM, &p.request, PM_STEP_GROUPS);
    check_forced(SYS_setresuid, EAGAIN, &p.request, PM_STEP_USER);
}

static void use_up_descriptors(void) {
    const struct rlimit low = {.rlim_cur = 40, .rlim_max = 40};
    prepared p;
    prepare(&p, 1, "exit", NULL);
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &low), 0);
    while (dup(0) >= 0) {
    }
    p.request.flags = PM_SPAWN_WANT_PIDFD;
    check_failure(&p.request, PM_STEP_CLONE, EMFILE);
}

static void run_out_of_processes(void) {
    prepared p;
    prepare(&p, 1, "exit", NULL);
    if (geteuid() == 0)
        CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    CHECK_EQUAL(setrlimit(RLIMIT_NPROC, &none), 0);
    check_failure(&p.request, PM_STEP_CLONE, EAGAIN);
}

static void reports_a_full_descriptor_table(void) {
    in_fork(use_up_descriptors);
}

static void reports_the_process_limit(void) {
    in_fork(run_out_of_processes);
}

static void leaks_nothing_over_many_failures(void) {
    prepared p;
    prepare(&p, 2, "exit", NULL);
    p.request.path = "/nowhere/program";
    p.request.flags = PM_SPAWN_WANT_PIDFD;
    int before = open_descriptors();
    for (int i = 0; i < 300; i++)
        check_failure(&p.request, PM_STEP_EXEC, ENOENT);
    CHECK_EQUAL(open_descriptors(), before);
}

static void tells_which_failures_are_permanent(void) {
    static const struct {
        pm_step step;
        int error;
        bool is_permanent;
    } cases[] = {
        {PM_STEP_EXEC, E2BIG, true},          {PM_STEP_EXEC, ENOEXEC, true},
        {PM_STEP_EXEC, EINVAL, true},         {PM_STEP_EXEC, ENOENT, false},
        {PM_STEP_EXEC, EACCES, false},        {PM_STEP_EXEC, ETXTBSY, false},
        {PM_STEP_EXEC, ENOMEM, false},        {PM_STEP_REQUEST, EBADMSG, true},
        {PM_STEP_REQUEST, EMSGSIZE, true},    {PM_STEP_USER, EINVAL, true},
        {PM_STEP_USER, EAGAIN, false},        {PM_STEP_CLONE, EAGAIN, false},
        {PM_STEP_DESCRIPTORS, EMFILE, false}, {PM_STEP_EXECUTOR, EBADMSG, false},
        {PM_STEP_TABLE, ENFILE, false},       {PM_STEP_TABLE, EINVAL, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (pm_step_is_permanent(cases[i].step, cases[i].error) != cases[i].is_permanent)
            fail_at(__FILE__, __LINE__, "%s: %s", pm_step_name(cases[i].step), strerror(cases[i].error));
}

const test spawn_failure_tests[] = {
    {"spawn tells which failures are permanent", tells_which_failures_are_permanent},
    {"spawn refuses a bad request", refuses_a_bad_request},
    {"spawn reports a missing program", reports_a_missing_program},
    {"spawn tells forbidden from missing", tells_forbidden_from_missing},
    {"spawn reports a file of no known format", reports_a_file_of_no_known_format},
    {"spawn tells a missing directory from a missing program",
     tells_a_missing_directory_from_a_missing_program},
    {"spawn reports a closed source", reports_a_closed_source},
    {"spawn reports an impossible limit", reports_an_impossible_limit},
    {"spawn reports an impossible oom_score_adj", reports_an_impossible_oom_score},
    {"spawn reports missing privileges for ids", reports_missing_privileges_for_ids},
    {"spawn reports a bad cgroup", reports_a_bad_cgroup},
    {"spawn reports each step with its error", reports_each_step},
    {"spawn reports the steps of changing ids", reports_the_steps_of_ids},
    {"spawn reports a full descriptor table", reports_a_full_descriptor_table},
    {"spawn reports the process limit", reports_the_process_limit},
    {"spawn leaks nothing over many failures", leaks_nothing_over_many_failures},
    {NULL, NULL},
};
