#define _GNU_SOURCE
#include "spawning.h"
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void prepare(prepared *p, int output, const char *role, const char *argument) {
    *p = (prepared){
        .argv = {"c-tests", "--role", role, argument},
        .envp = {"PATH=/usr/bin:/bin", "GREETING=hello"},
        .fds = {PM_SPAWN_FD_NULL, output, 2},
    };
    p->request = (pm_spawn_request){
        .path = self_path,
        .argv = p->argv,
        .envp = p->envp,
        .fds = p->fds,
        .fd_count = 3,
        .cgroup_fd = -1,
    };
}
bool spawn(const pm_spawn_request *request, pm_child *child, pm_spawn_failure *failure) {
    int read_end, write_end;
    pm_spawn_report report = {.step = PM_STEP_CLONE};
    if ((request->flags & PM_SPAWN_APART) == 0)
        return pm_spawn(request, child, failure);
    CHECK_EQUAL(pm_pipe_create(&read_end, &write_end), 0);
    pid_t pid = fork();
    if (pid == 0) {
        pm_spawn_execute(request, write_end, failure);
        _exit(127);
    }
    close(write_end);
    while (pm_fd_read(read_end, &report, sizeof report) == sizeof report && report.step == PM_STEP_NONE) {
    }
    close(read_end);
    *failure = (pm_spawn_failure){.step = report.step, .error = report.error};
    *child = (pm_child){.pid = -1, .pidfd = -1};
    if (failure->step != PM_STEP_NONE) {
        wait_for(pid);
        return false;
    }
    *child = (pm_child){.pid = pid, .pidfd = -1, .clamped = report.clamped};
    return true;
}

pm_child spawn_or_fail(const pm_spawn_request *request) {
    pm_child child;
    pm_spawn_failure failure;
    if (!spawn(request, &child, &failure))
        fail_at(__FILE__, __LINE__, "%s: %s", pm_step_name(failure.step), strerror(failure.error));
    CHECK_EQUAL(failure.step, PM_STEP_NONE);
    return child;
}

const char *reported(prepared *p) {
    int read_end, write_end;
    CHECK_EQUAL(pm_pipe_create(&read_end, &write_end), 0);
    p->fds[1] = write_end;
    pm_child child = spawn_or_fail(&p->request);
    close(write_end);
    const char *text = read_all(read_end);
    close(read_end);
    CHECK_EQUAL(wait_for(child.pid), 0);
    return text;
}

void in_fork(void (*run)(void)) {
    pid_t pid = fork();
    if (pid == 0) {
        run();
        _exit(0);
    }
    CHECK_EQUAL(wait_for(pid), 0);
}

bool has_line(const char *text, const char *line) {
    size_t length = strlen(line);
    for (const char *at = text; (at = strstr(at, line)) != NULL; at++)
        if ((at == text || at[-1] == '\n') && (at[length] == '\n' || at[length] == '\0'))
            return true;
    return false;
}

uint64_t signal_mask(void) {
    uint64_t mask = 0;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof mask);
    return mask;
}

#define CHECK_LINE(text, line)                                                                               \
    do {                                                                                                     \
        if (!has_line(text, line))                                                                           \
            fail_at(__FILE__, __LINE__, "no \"%s\" in:\n%s", line, text);                                    \
    } while (0)

static const pm_rlimit limits[] = {{.resource = RLIMIT_NOFILE, .soft = 100, .hard = 200},
                                   {.resource = RLIMIT_CORE, .soft = 0, .hard = 0}};

static int nicer(void) {
    int now = getpriority(PRIO_PROCESS, 0);
    return now < 19 ? now + 1 : 19;
}

/* Asks for every property that a child can be given. */
static void ask_for_all(prepared *p) {
    prepare(p, -1, "report", "one argument");
    p->argv[4] = "";
    p->argv[5] = "three";
    p->request.cwd = scratch();
    p->request.rlimits = limits;
    p->request.rlimit_count = 2;
    p->request.umask = 027;
    p->request.nice = nicer();
    p->request.oom_score_adj = 321;
    p->request.flags = PM_SPAWN_NEW_SESSION | PM_SPAWN_SET_UMASK | PM_SPAWN_SET_NICE |
                       PM_SPAWN_SET_OOM_SCORE | PM_SPAWN_NO_NEW_PRIVS;
}

void check_all_properties(void) {
    prepared p;
    ask_for_all(&p);
    sigset_t blocked;
    sigfillset(&blocked);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    uint64_t mask = signal_mask();
    const char *text = reported(&p);
    CHECK(signal_mask() == mask);
    char cwd[80], nice_line[24];
    snprintf(cwd, sizeof cwd, "cwd=%s", scratch());
    snprintf(nice_line, sizeof nice_line, "nice=%d", nicer());
    const char *const lines[] = {"fds=0 1 2 ",
                                 "arg=one argument",
                                 "arg=",
                                 "arg=three",
                                 "env=PATH=/usr/bin:/bin",
                                 "env=GREETING=hello",
                                 cwd,
                                 "umask=027",
                                 nice_line,
                                 "session=own",
                                 "group=own",
                                 "nofile=100 200",
                                 "core=0 0",
                                 "oom=321",
                                 "NoNewPrivs:\t1",
                                 "SigBlk:\t0000000000000000",
                                 "SigIgn:\t0000000000000000"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        CHECK_LINE(text, lines[i]);
    CHECK(strstr(text, "env=PATH") != NULL && strstr(strstr(text, "env=GREETING") + 1, "env=") == NULL);
}
