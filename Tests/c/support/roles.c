#define _GNU_SOURCE
#include "roles.h"
#include "cpmlinux.h"
#include "harness.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void print_status_lines(void) {
    char line[512];
    FILE *status = fopen("/proc/self/status", "re");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "Sig", 3) == 0 || strncmp(line, "NoNewPrivs", 10) == 0 ||
            strncmp(line, "Uid", 3) == 0 || strncmp(line, "Gid", 3) == 0 || strncmp(line, "Groups", 6) == 0 ||
            strncmp(line, "Cap", 3) == 0 || strncmp(line, "Seccomp:", 8) == 0)
            printf("%s", line);
    if (status != NULL)
        fclose(status);
}

static void print_descriptors(void) {
    DIR *list = opendir("/proc/self/fd");
    struct dirent *entry;
    printf("fds=");
    while ((entry = readdir(list)) != NULL)
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(list))
            printf("%s ", entry->d_name);
    printf("\n");
    closedir(list);
}

/* Everything about itself that pm_spawn sets, one line each. */
static int report(int argc, char **argv) {
    char text[4096];
    print_descriptors();
    for (int i = 0; i < argc; i++)
        printf("arg=%s\n", argv[i]);
    for (char **e = environ; *e != NULL; e++)
        printf("env=%s\n", *e);
    printf("cwd=%s\n", getcwd(text, sizeof text));
    mode_t mask = umask(0);
    printf("umask=%03o\n", (unsigned)mask);
    printf("nice=%d\n", getpriority(PRIO_PROCESS, 0));
    printf("session=%s\n", getsid(0) == getpid() ? "own" : "other");
    printf("group=%s\n", getpgrp() == getpid() ? "own" : "other");
    struct stat errors;
    fstat(2, &errors);
    printf("stderr=%lu:%lu\n", (unsigned long)errors.st_dev, (unsigned long)errors.st_ino);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    printf("nofile=%llu %llu\n", (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
    getrlimit(RLIMIT_CORE, &limit);
    printf("core=%llu %llu\n", (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
    FILE *score = fopen("/proc/self/oom_score_adj", "re");
    if (score != NULL && fgets(text, sizeof text, score) != NULL)
        printf("oom=%s", text);
    print_status_lines();
    fflush(stdout);
    return 0;
}

/* Writes "<number>=<word>\n" for each descriptor 0 to argc-1, into the descriptor itself. */
static int tag(int argc, char **argv) {
    for (int fd = 0; fd < argc; fd++)
        dprintf(fd, "%d=%s\n", fd, argv[fd]);
    return 0;
}

static void wait_for_ever(void) {
    for (;;)
        pause();
}

static const char *farewell = "";

static void on_term(int signal) {
    (void)signal;
    if (write(1, farewell, strlen(farewell)) < 0)
        _exit(8);
    _exit(7);
}

/* Says "ready PID" on fd 1 and waits. "deaf": ignores SIGTERM; "exit WORD": says the word at SIGTERM, and
 * exits 7. */
static int wait_role(int argc, char **argv) {
    if (argc > 0 && strcmp(argv[0], "deaf") == 0)
        signal(SIGTERM, SIG_IGN);
    if (argc > 0 && strcmp(argv[0], "exit") == 0) {
        farewell = argc > 1 ? argv[1] : "";
        signal(SIGTERM, on_term);
    }
    dprintf(1, "ready %d\n", (int)getpid());
    wait_for_ever();
    return 0;
}

/* Ends with the status once fd 0 has a byte or its end. */
static int exit_role(int argc, char **argv) {
    char byte;
    while (read(0, &byte, 1) < 0) {
    }
    return argc > 0 ? atoi(argv[0]) : 0;
}

static void hide_environment(void) {
    char *const nothing[] = {NULL};
    execve("/proc/self/exe", (char *[]){"x", "--role", "wait", "deaf", NULL}, nothing);
    _exit(1);
}

/*
 * Leaves a process that has a session of its own and whose parent is gone; says its pid on fd 1. "stay": then
 * waits itself, else ends. "hurry": ends at once, while the process between may still be ending. "hide": the
 * leftover's environment is empty, so only its ancestry tells.
 */
static int escape(int argc, char **argv) {
    bool hides = argc > 1 && strcmp(argv[1], "hide") == 0;
    pid_t between = fork();
    if (between == 0) {
        setsid();
        if (fork() == 0) {
            if (hides)
                hide_environment();
            return wait_role(1, (char *[]){"deaf"});
        }
        _exit(0);
    }
    if (argc > 0 && strcmp(argv[0], "hurry") == 0)
        return 0;
    waitpid(between, NULL, 0); /* from here on nothing but the marker tells whose the escapee is */
    if (argc > 0 && strcmp(argv[0], "stay") == 0)
        wait_for_ever();
    return 0;
}

/* Stops whomever it may, without end, until its parent is gone. */
static int stopper(int argc, char **argv) {
    (void)argc, (void)argv;
    const pid_t parent = getppid();
    dprintf(1, "ready %d\n", (int)getpid());
    while (getppid() == parent)
        kill(-1, SIGSTOP);
    return 0;
}

/* A process in the same group that stays when the leader ends; says its pid on fd 1. */
static int group_mate(int argc, char **argv) {
    if (fork() == 0)
        return wait_role(argc, argv);
    return exit_role(0, NULL);
}

/* Leaves as many dead processes as argv[0] says to whoever inherits them. */
static int brood(int argc, char **argv) {
    for (int left = argc > 0 ? atoi(argv[0]) : 0; left > 0; left--)
        if (fork() == 0)
            _exit(0);
    return 0;
}

/* Forks a chain: each process forks the next one and ends after it. Nobody can kill it by chance, so it ends
 * by itself at a time when the test has long failed. */
static int chain(int argc, char **argv) {
    (void)argc, (void)argv;
    const uint64_t end = pm_clock_read(PM_CLOCK_MONOTONIC) + 2 * PATIENCE_MS * 1000000ull;
    dprintf(1, "ready %d\n", (int)getpid());
    while (pm_clock_read(PM_CLOCK_MONOTONIC) < end)
        if (fork() != 0)
            _exit(0);
        else
            sched_yield();
    return 0;
}

/* Hands descriptor 3, and 4 if told, to the test that listens at argv[0]; then does what the test writes: 'x'
 * and a byte: exit with it. The end of the connection ends it, too. */
static int fake_pmd(int argc, char **argv) {
    if (argc < 1)
        return 2;
    int socket = pm_socket_connect(argv[0]);
    if (socket < 0)
        return 3;
    pm_fd_set_nonblocking(socket, false);
    const char *status = getenv("PM_STATUS_FD");
    const int fds[] = {PM_CONTROL_FD, status != NULL ? atoi(status) : -1};
    int32_t pid = getpid();
    const pm_piece piece = {&pid, sizeof pid};
    if (pm_packet_send(socket, &(pm_packet){&piece, 1, fds, status != NULL ? 2 : 1}) < 0)
        return 4;
    close(PM_CONTROL_FD);
    if (status != NULL)
        close(atoi(status));
    char command[2];
    if (read(socket, command, 2) != 2)
        return 5;
    return (unsigned char)command[1];
}

int play_role(const char *name, int argc, char **argv) {
    static const struct {
        const char *name;
        int (*play)(int argc, char **argv);
    } roles[] = {
        {"report", report},    {"tag", tag},         {"wait", wait_role}, {"exit", exit_role},
        {"escape", escape},    {"mate", group_mate}, {"chain", chain},    {"pmd", fake_pmd},
        {"probe", play_probe}, {"stopper", stopper}, {"brood", brood},
    };
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (strcmp(roles[i].name, name) == 0)
            return roles[i].play(argc, argv);
    return 2;
}
