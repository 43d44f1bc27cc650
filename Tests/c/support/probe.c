/* The role "probe": what a child in a sandbox can do, told by the child itself. */
#define _GNU_SOURCE
#include "roles.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int try_write(const char *directory) {
    char path[256];
    snprintf(path, sizeof path, "%s/probe-%d", directory, (int)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    unlink(path);
    return close(fd);
}

static void *do_nothing(void *context) {
    return context;
}

static int try_thread(void) {
    pthread_t thread;
    int error = pthread_create(&thread, NULL, do_nothing, NULL);
    if (error == 0)
        return pthread_join(thread, NULL);
    errno = error;
    return -1;
}

static int try_fork(void) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid < 0 ? -1 : waitpid(pid, NULL, 0);
}

/* A file that is there is opened for writing, and not changed. */
static int try_open(const char *path) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 ? -1 : close(fd);
}

/* Whether there is a byte in a file, or an entry in a directory. */
static int try_read(const char *path) {
    char bytes[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t size = read(fd, bytes, 1);
    if (size < 0 && errno == EISDIR)
        size = syscall(SYS_getdents64, fd, bytes, sizeof bytes) > 48 ? 1 : 0; /* more than "." and ".." */
    close(fd);
    errno = ENODATA;
    return size > 0 ? 0 : -1;
}

/* Moves a file from one directory to another. */
static int try_move(const char *directory) {
    char from[256], to[256], file[300], other[300];
    snprintf(from, sizeof from, "%s/from-%d", directory, (int)getpid());
    snprintf(to, sizeof to, "%s/to-%d", directory, (int)getpid());
    snprintf(file, sizeof file, "%s/file", from);
    snprintf(other, sizeof other, "%s/file", to);
    if (mkdir(from, 0700) < 0 || mkdir(to, 0700) < 0 || mknod(file, S_IFREG | 0600, 0) < 0)
        return -1;
    int result = rename(file, other);
    unlink(other);
    rmdir(from);
    rmdir(to);
    return result;
}

/* The key of the description in the session keyring, or in what that has links to. */
static int try_key(const char *description) {
    long key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", description, 0);
    return key < 0 ? -1 : 0;
}

/* A pseudo-terminal. */
static int try_terminal(void) {
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname(fd) == NULL ? -1 : access(ptsname(fd), R_OK);
    close(fd);
    return result;
}

static int try_call(const char *name) {
    if (name[0] == '#')
        return syscall(atol(name + 1), -1, -1, -1, -1, -1, -1) < 0 ? -1 : 0;
    if (strcmp(name, "terminal") == 0)
        return try_terminal();
    if (strcmp(name, "fork") == 0)
        return try_fork();
    if (strcmp(name, "thread") == 0)
        return try_thread();
    if (strcmp(name, "ptrace") == 0)
        return (int)ptrace(PTRACE_TRACEME, 0, 0, 0);
    if (strcmp(name, "mount") == 0)
        return mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
    if (strcmp(name, "unshare") == 0)
        return unshare(CLONE_NEWUSER);
    if (strcmp(name, "clone") == 0)
        return (int)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
    if (strcmp(name, "clone3") == 0)
        return (int)syscall(435, NULL, 0);
    if (strcmp(name, "uring") == 0)
        return (int)syscall(425, 1, NULL);
    errno = EINVAL;
    return -1;
}

int play_probe(int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        errno = 0;
        int result = argv[i][0] == '+'   ? try_write(argv[i] + 1)
                     : argv[i][0] == '?' ? access(argv[i] + 1, F_OK)
                     : argv[i][0] == '>' ? try_open(argv[i] + 1)
                     : argv[i][0] == '<' ? try_read(argv[i] + 1)
                     : argv[i][0] == '%' ? try_move(argv[i] + 1)
                     : argv[i][0] == '@' ? try_key(argv[i] + 1)
                                         : try_call(argv[i]);
        printf("%s: %s\n", argv[i], result >= 0 ? "yes" : strerrorname_np(errno));
    }
    fflush(stdout);
    return 0;
}
