#define _GNU_SOURCE
#include "harness.h"
#include "cpmlinux.h"
#include "roles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_SKIPPED 77

const char *self_path, *init_path;
static char scratch_path[64];

const char *__asan_default_options(void);

/* What AddressSanitizer, where it is built in, asks each program for. Roles run without the environment that
 * names its options, and in a sandbox where the leak checker cannot trace. */
const char *__asan_default_options(void) {
    return "detect_leaks=0";
}

void fail_at(const char *file, int line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("    %s:%d: ", file, line);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    fflush(stdout);
    _exit(1);
}

void skip(const char *reason) {
    printf("    skipped: %s\n", reason);
    fflush(stdout);
    _exit(EXIT_SKIPPED);
}

const char *scratch(void) {
    return scratch_path;
}

bool is_slow(void) {
    return getenv("PM_TEST_SLOW") != NULL;
}

int open_descriptors(void) {
    DIR *list = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    return count - 3; /* ".", ".." and the list */
}

void wait_readable(int fd) {
    struct pollfd state = {.fd = fd, .events = POLLIN};
    if (poll(&state, 1, PATIENCE_MS) != 1)
        fail_at(__FILE__, __LINE__, "descriptor %d stayed silent", fd);
}

const char *read_all(int fd) {
    static char text[65536];
    size_t size = 0;
    ssize_t n = 1;
    while (n > 0 && size < sizeof text - 1) {
        wait_readable(fd);
        n = read(fd, text + size, sizeof text - 1 - size);
        size += n > 0 ? (size_t)n : 0;
    }
    text[size] = '\0';
    return text;
}

void wait_gone(pid_t pid) {
    int pidfd = pm_pidfd_open(pid);
    if (pidfd < 0)
        return; /* it is gone, or (under valgrind) cannot be waited for so */
    wait_readable(pidfd);
    close(pidfd);
}

int wait_for(pid_t pid) {
    int status = 0;
    wait_gone(pid);
    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    return status;
}

void forbid(int syscall_number, int error) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)syscall_number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = 4, .filter = code};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        skip("no seccomp filters here");
}

void forbid_option(int option) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setsockopt, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)option, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOPROTOOPT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = 6, .filter = code};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        skip("no seccomp filters here");
}

int lingering_socket(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const struct linger hour = {.l_onoff = 1, .l_linger = 3600};
    const int small = 4096;
    static char bytes[65536];
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    CHECK(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 1) == 0 &&
          getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(fd, (struct sockaddr *)&address, size) == 0);
    CHECK(accept4(listener, NULL, NULL, SOCK_CLOEXEC) >= 0);
    while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
    CHECK_EQUAL(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hour, sizeof hour), 0);
    return fd;
}

int notify_socket(int *sender) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", scratch());
    int fd = pm_notify_socket();
    *sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && *sender >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
          connect(*sender, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk) {
    (void)info, (void)type, (void)walk;
    return remove(path);
}

/* Ends whoever a test left behind; they are our children, for we are a subreaper. Gives how many there were.
 */
static int clear_away(void) {
    int count = 0;
    for (;;) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0)
            return count;
        if (pid > 0)
            continue;
        DIR *list = opendir("/proc");
        struct dirent *entry;
        pm_process process;
        while ((entry = readdir(list)) != NULL)
            if (pm_process_read(atoi(entry->d_name), &process) == 0 && process.parent == getpid() &&
                process.state != 'Z')
                count += kill(process.pid, SIGKILL) == 0;
        closedir(list);
    }
}

static int run_in_child(const test *t) {
    int before = open_descriptors();
    pid_t pid = fork();
    if (pid == 0) {
        t->run();
        if (open_descriptors() != before)
            fail_at(t->name, 0, "left %d descriptors open", open_descriptors() - before);
        if (waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD)
            fail_at(t->name, 0, "left a child");
        _exit(0);
    }
    int pidfd = pm_pidfd_open(pid);
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    if (pidfd >= 0 && poll(&end, 1, 2 * PATIENCE_MS) != 1) {
        printf("    took too long\n");
        kill(pid, SIGKILL);
    }
    pm_fd_close(pidfd);
    int status;
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        printf("    ended by signal %d\n", WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

typedef struct {
    int passed, failed, skipped;
} tally;

static void run_test(const test *t, tally *sum) {
    snprintf(scratch_path, sizeof scratch_path, "/tmp/pm-test.XXXXXX");
    if (mkdtemp(scratch_path) == NULL)
        fail_at(t->name, 0, "no scratch directory");
    int result = run_in_child(t);
    int left = clear_away();
    if (result == 0 && left > 0) {
        printf("    left %d processes\n", left);
        result = 1;
    }
    nftw(scratch_path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    sum->passed += result == 0;
    sum->skipped += result == EXIT_SKIPPED;
    sum->failed += result != 0 && result != EXIT_SKIPPED;
    printf("%s %s\n", result == 0 ? "ok  " : result == EXIT_SKIPPED ? "skip" : "FAIL", t->name);
    fflush(stdout);
}

static void run_tables(const char *filter, tally *sum) {
    const test *const tables[] = {
        shim_tests,      process_tests,  spawn_tests,    spawn_failure_tests, spawn_fallback_tests,
        launch_tests,    watch_tests,    reexec_tests,   manager_tests,       init_tests,
        adoption_tests,  stop_tests,     tree_tests,     hostile_tests,       cgroup_tests,
        journal_tests,   sandbox_tests,  rights_tests,   confine_tests,       diag_tests,
        pid_tests,       executor_tests, starting_tests, restart_tests,       hang_tests,
        stop_plan_tests, state_tests,    log_tests};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const test *t = tables[i]; t->name != NULL; t++)
            if (filter == NULL || strstr(t->name, filter) != NULL)
                run_test(t, sum);
}

/* Becomes another user and starts anew, for a process that changed its ids may not look into its own /proc.
 */
static int run_as(char **argv, unsigned id) {
    if (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 || setresuid(id, id, id) < 0) {
        perror("cannot become another user");
        return 1;
    }
    argv[2] = argv[0];
    execv(self_path, argv + 2);
    return 1;
}

/* c-tests [--as UID] PM-INIT [PART OF A NAME] */
int main(int argc, char **argv) {
    static char own_path[4096];
    if (readlink("/proc/self/exe", own_path, sizeof own_path - 1) < 0)
        return 1;
    self_path = own_path;
    if (argc > 2 && strcmp(argv[1], "--role") == 0)
        return play_role(argv[2], argc - 3, argv + 3);
    if (argc > 3 && strcmp(argv[1], "--as") == 0)
        return run_as(argv, (unsigned)atoi(argv[2]));
    init_path = argc > 1 ? argv[1] : "pm-init";
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    tally sum = {0};
    run_tables(argc > 2 ? argv[2] : NULL, &sum);
    if (sum.skipped > 0)
        printf("%d skipped\n", sum.skipped);
    printf("%d passed, %d failed\n", sum.passed, sum.failed);
    return sum.failed == 0 ? 0 : 1;
}
