/* What a child in a sandbox sees and may write, told by the child itself. */
#define _GNU_SOURCE
#include "harness.h"
#include "sandboxing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void read_only_is_read_only_but_for_what_is_kept(void) {
    skip_without_namespaces();
    char path[128], kept[160], word[200];
    make_directory(path, "outer");
    snprintf(kept, sizeof kept, "%s/inner", path);
    sandbox *s = new_sandbox();
    add_mount(s, PM_MOUNT_READ_ONLY, path);
    add_mount(s, PM_MOUNT_KEPT_WRITABLE, kept);
    add_word(s, "+", path, "");
    add_word(s, "+", kept, "");
    const char *text = reported(&s->p);
    snprintf(word, sizeof word, "+%s", path);
    check_answer(text, word, "EROFS");
    snprintf(word, sizeof word, "+%s", kept);
    check_answer(text, word, "yes");
    snprintf(word, sizeof word, "%s/here", path); /* and here nothing changed */
    CHECK_EQUAL(mkdir(word, 0755), 0);
}

static void the_whole_system_can_be_read_only(void) {
    skip_without_namespaces();
    char path[128], word[200];
    make_directory(path, "mine");
    sandbox *s = new_sandbox();
    add_mount(s, PM_MOUNT_READ_ONLY, "/");
    add_mount(s, PM_MOUNT_KEPT_WRITABLE, path);
    add_word(s, "+", "/tmp", "");
    add_word(s, "+", path, "");
    const char *text = reported(&s->p);
    check_line(text, "+/tmp: EROFS");
    snprintf(word, sizeof word, "+%s", path);
    check_answer(text, word, "yes");
}

static void a_temporary_directory_is_empty_and_its_own(void) {
    skip_without_namespaces();
    char path[128], word[200];
    make_directory(path, "public");
    sandbox *s = new_sandbox();
    add_mount(s, PM_MOUNT_TEMPORARY, path);
    add_word(s, "+", path, "");
    add_word(s, "?", path, "/inner");
    const char *text = reported(&s->p);
    snprintf(word, sizeof word, "+%s", path);
    check_answer(text, word, "yes");
    snprintf(word, sizeof word, "?%s/inner", path);
    check_answer(text, word, "ENOENT");
    snprintf(word, sizeof word, "%s/inner", path);
    CHECK_EQUAL(access(word, F_OK), 0);
}

static void a_hidden_directory_shows_what_is_kept_alone(void) {
    skip_without_namespaces();
    char path[128], kept[160], word[200];
    make_directory(path, "home");
    snprintf(kept, sizeof kept, "%s/app", path);
    CHECK_EQUAL(mkdir(kept, 0755), 0);
    sandbox *s = new_sandbox();
    add_mount(s, PM_MOUNT_HIDDEN, path);
    add_mount(s, PM_MOUNT_KEPT, kept);
    add_word(s, "?", kept, "");
    add_word(s, "?", path, "/inner");
    add_word(s, "+", kept, "");
    add_word(s, "+", path, "");
    const char *text = reported(&s->p);
    snprintf(word, sizeof word, "?%s", kept);
    check_answer(text, word, "yes");
    snprintf(word, sizeof word, "?%s/inner", path);
    check_answer(text, word, "ENOENT");
    snprintf(word, sizeof word, "+%s", kept);
    check_answer(text, word, "EROFS");
    snprintf(word, sizeof word, "+%s", path);
    check_answer(text, word, "EROFS");
}

static void check_mount_failure(sandbox *s, pm_step step, int error) {
    pm_child child;
    pm_spawn_failure failure;
    s->p.fds[1] = 2;
    CHECK(!spawn(&s->p.request, &child, &failure));
    CHECK_TEXT(pm_step_name(failure.step), pm_step_name(step));
    CHECK_EQUAL(failure.error, error);
    CHECK_EQUAL(prctl(PR_GET_DUMPABLE), 1);
}

static void a_mount_that_fails_is_reported(void) {
    skip_without_namespaces();
    sandbox *s = new_sandbox();
    add_mount(s, PM_MOUNT_READ_ONLY, "/nowhere");
    check_mount_failure(s, PM_STEP_MOUNT, ENOENT);
    s = new_sandbox();
    add_mount(s, PM_MOUNT_KEPT, "/nowhere");
    check_mount_failure(s, PM_STEP_MOUNT, ENOENT);
    s = new_sandbox();
    add_mount(s, 'x', "/tmp");
    check_mount_failure(s, PM_STEP_MOUNT, EINVAL);
}

static void check_without_namespaces(void) {
    sandbox *s = new_sandbox();
    forbid(SYS_unshare, EPERM);
    check_mount_failure(s, PM_STEP_NAMESPACE, EPERM);
}

static void without_namespaces_nothing_is_started(void) {
    in_fork(check_without_namespaces);
}

static void check_without_filter(void) {
    sandbox *s = new_sandbox();
    s->p.request.flags = PM_SPAWN_FILTERED | PM_SPAWN_NO_NEW_PRIVS;
    forbid(SYS_seccomp, ENOSYS);
    check_mount_failure(s, PM_STEP_FILTER, ENOSYS);
    s->p.request.flags = PM_SPAWN_NO_CAPABILITIES;
    forbid(SYS_capset, EPERM);
    check_mount_failure(s, PM_STEP_CAPABILITIES, EPERM);
}

static void without_filter_or_capset_nothing_is_started(void) {
    in_fork(check_without_filter);
}

static void capabilities_are_gone_for_good(void) {
    if (geteuid() != 0)
        skip("only root has some to lose");
    prepared p;
    prepare(&p, -1, "report", NULL);
    p.request.flags = PM_SPAWN_NO_CAPABILITIES;
    const char *text = reported(&p);
    check_line(text, "CapEff:\t0000000000000000");
    check_line(text, "CapPrm:\t0000000000000000");
    check_line(text, "CapBnd:\t0000000000000000");
    check_line(text, "CapInh:\t0000000000000000");
}

static void the_filter_refuses_what_no_service_needs(void) {
    prepared p;
    prepare(&p, -1, "probe", "fork");
    static const char *const calls[] = {"thread", "ptrace", "mount", "unshare", "clone", "clone3", "uring"};
    for (int i = 0; i < 7; i++)
        p.argv[4 + i] = calls[i];
    p.request.flags = PM_SPAWN_FILTERED | PM_SPAWN_NO_NEW_PRIVS;
    const char *text = reported(&p);
    static const char *const lines[] = {"fork: yes",      "thread: yes",  "ptrace: EPERM",  "mount: EPERM",
                                        "unshare: EPERM", "clone: EPERM", "clone3: ENOSYS", "uring: EPERM"};
    for (int i = 0; i < 8; i++)
        check_line(text, lines[i]);
}

static void exact_limits_as_nobody(void) {
    if (geteuid() == 0)
        CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
    prctl(PR_SET_DUMPABLE, 1); /* as it is after an exec */
    struct rlimit now;
    getrlimit(RLIMIT_NOFILE, &now);
    const pm_rlimit more = {.resource = RLIMIT_NOFILE, .soft = now.rlim_max + 1, .hard = now.rlim_max + 1};
    sandbox *s = new_sandbox();
    s->p.request.flags = PM_SPAWN_EXACT;
    s->p.request.rlimits = &more;
    s->p.request.rlimit_count = 1;
    check_mount_failure(s, PM_STEP_LIMITS, EPERM);
    s->p.request.rlimit_count = 0;
    s->p.request.flags = PM_SPAWN_EXACT | PM_SPAWN_SET_NICE;
    s->p.request.nice = -20;
    check_mount_failure(s, PM_STEP_NICE, EACCES);
    s->p.request.flags = PM_SPAWN_EXACT | PM_SPAWN_SET_OOM_SCORE;
    s->p.request.oom_score_adj = -1000;
    check_mount_failure(s, PM_STEP_OOM_SCORE, EACCES);
}

static void exact_limits_fail_where_others_are_clamped(void) {
    in_fork(exact_limits_as_nobody);
}

static void the_pid_is_written_into_the_environment(void) {
    prepared p;
    char variable[32] = "LISTEN_PID=", line[48];
    prepare(&p, 2, "exit", "0");
    p.envp[2] = variable;
    p.request.listen_pid = variable + 11;
    pm_child child = spawn_or_fail(&p.request);
    wait_for(child.pid);
    snprintf(line, sizeof line, "LISTEN_PID=%d", (int)child.pid);
    CHECK_TEXT(variable, line);
    CHECK_TEXT(getenv("LISTEN_PID") == NULL ? "none" : "some", "none");
}

const test sandbox_tests[] = {
    {"sandbox: read-only is read-only, but for what is kept", read_only_is_read_only_but_for_what_is_kept},
    {"sandbox: the whole system can be read-only", the_whole_system_can_be_read_only},
    {"sandbox: a temporary directory is empty and its own", a_temporary_directory_is_empty_and_its_own},
    {"sandbox: a hidden directory shows what is kept alone", a_hidden_directory_shows_what_is_kept_alone},
    {"sandbox: a mount that fails is reported", a_mount_that_fails_is_reported},
    {"sandbox: without namespaces nothing is started", without_namespaces_nothing_is_started},
    {"sandbox: without filter or capset nothing is started", without_filter_or_capset_nothing_is_started},
    {"sandbox: capabilities are gone for good", capabilities_are_gone_for_good},
    {"sandbox: the filter refuses what no service needs", the_filter_refuses_what_no_service_needs},
    {"sandbox: exact limits fail where others are clamped", exact_limits_fail_where_others_are_clamped},
    {"sandbox: the pid is written into the environment", the_pid_is_written_into_the_environment},
    {NULL, NULL},
};
