/*
 * Descriptors that others send over unix sockets (unix(7), SCM_RIGHTS). Whoever takes them from the queue
 * without wanting them closes them, and the last close may block for hours: a lingering TCP connection, a
 * file of a FUSE server that does not answer. So it is the kernel that refuses them, and where it cannot, a
 * process of its own that takes them and ends: an ending process does not linger, and hangs alone.
 */
#define _GNU_SOURCE
#include "include/pm_file.h"
#include "include/pm_socket.h"
#include "receive.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of Linux 6.16, younger than most C libraries. */
#ifndef SO_PASSRIGHTS
#if defined(__hppa__)
#define SO_PASSRIGHTS 0x4051
#elif defined(__sparc__)
#define SO_PASSRIGHTS 0x005c
#else
#define SO_PASSRIGHTS 83
#endif
#endif

/* Messages that one process takes away: each brings at most PM_PACKET_FDS_MAX descriptors, and a process has
 * room for as many as its limit says. */
#define MESSAGES_AT_ONCE 3
/* Looks at the queue of a socket that is closed: more than one of the default size has messages. */
#define LOOKS_MAX 4096

/* Whether the kernel has refused SO_PASSRIGHTS. */
static atomic_bool is_kernel_old;

int pm_socket_refuse_rights(int fd) {
    int off = 0;
    if (setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof off) == 0)
        return 0;
    if (errno == ENOPROTOOPT)
        atomic_store_explicit(&is_kernel_old, true, memory_order_relaxed);
    return -errno;
}

bool receive_rights_are_refused(void) {
    return !atomic_load_explicit(&is_kernel_old, memory_order_relaxed);
}

/* In the process that ends: its descriptors are its own, so what it receives stays there. */
static void take_and_end(int fd, struct msghdr *message, int messages) {
    struct iovec *piece = message->msg_iov;
    const size_t size = piece->iov_len;
    if (fd != 0)
        dup2(fd, 0);
    syscall(SYS_close_range, 1, ~0u, 0);
    while (messages-- > 0) {
        piece->iov_len = size;
        message->msg_controllen = CMSG_SPACE(PM_PACKET_FDS_MAX * sizeof(int));
        if (recvmsg(0, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
            break;
    }
    _exit(0);
}

/*
 * Takes up to so many messages from the queue, of up to size bytes each, with the descriptors that come with
 * them. The process that does it is an orphan before this comes back, so nobody waits for its end.
 */
static void take_away(int fd, void *buffer, size_t size, int messages) {
    static _Thread_local union {
        char bytes[CMSG_SPACE(PM_PACKET_FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec piece = {.iov_base = buffer, .iov_len = size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes};
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = vfork();
    if (pid == 0) {
        if (vfork() == 0)
            take_and_end(fd, &message, messages);
        _exit(0);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

ssize_t receive_without_rights(int fd, struct msghdr *message) {
    const size_t size = message->msg_iov->iov_len;
    if (receive_rights_are_refused())
        return recvmsg(fd, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    ssize_t peeked = recvmsg(fd, message, MSG_DONTWAIT | MSG_PEEK);
    if (peeked < 0)
        return peeked;
    /* The same bytes again, now from the queue; a datagram is gone whatever its size. */
    struct iovec piece = {.iov_base = message->msg_iov->iov_base,
                          .iov_len = peeked > 0 ? (size_t)peeked : size};
    struct msghdr again = {.msg_iov = &piece, .msg_iovlen = 1};
    if ((message->msg_flags & MSG_CTRUNC) != 0)
        take_away(fd, piece.iov_base, piece.iov_len, 1);
    else
        recvmsg(fd, &again, MSG_DONTWAIT);
    return peeked;
}

int64_t pm_socket_read(int fd, void *buffer, size_t size) {
    struct iovec piece = {.iov_base = buffer, .iov_len = size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    ssize_t count;
    if (receive_rights_are_refused())
        return pm_fd_read(fd, buffer, size);
    do
        count = receive_without_rights(fd, &message);
    while (count < 0 && errno == EINTR);
    if (count < 0 && errno == ENOTSOCK)
        return pm_fd_read(fd, buffer, size);
    return count < 0 ? -errno : count;
}

void pm_socket_end(int fd) {
    char scratch[4096];
    int waiting = 0;
    shutdown(fd, SHUT_RDWR);
    for (int i = 0; i < LOOKS_MAX && !receive_rights_are_refused(); i++) {
        if (ioctl(fd, FIONREAD, &waiting) < 0 || waiting <= 0)
            return;
        struct iovec piece = {.iov_base = scratch, .iov_len = sizeof scratch};
        struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
        /* What brings no descriptors needs no process. */
        ssize_t peeked = recvmsg(fd, &message, MSG_DONTWAIT | MSG_PEEK);
        if (peeked <= 0)
            return;
        if ((message.msg_flags & MSG_CTRUNC) != 0)
            take_away(fd, scratch, sizeof scratch, MESSAGES_AT_ONCE);
        else
            recv(fd, scratch, (size_t)peeked, MSG_DONTWAIT);
    }
}

/* Keeps these descriptors and no others until the pipe's writers are gone, and ends with them. */
static void keep_and_end(const int *fds, size_t count, int pipe) {
    unsigned from = 0;
    char byte;
    for (size_t kept = 0; kept <= count; kept++) {
        unsigned next = ~0u;
        for (size_t i = 0; i <= count; i++) {
            unsigned fd = (unsigned)(i < count ? fds[i] : pipe);
            if (fd >= from && fd < next)
                next = fd;
        }
        if (next == ~0u)
            break;
        if (next > from)
            syscall(SYS_close_range, from, next - 1, 0);
        from = next + 1;
    }
    syscall(SYS_close_range, from, ~0u, 0);
    while (read(pipe, &byte, 1) < 0 && errno == EINTR) {
    }
    _exit(0);
}

static int close_apart(const int *fds, size_t count) {
    int ends[2];
    pid_t pid = -1;
    volatile long closer = 0; /* set by the process that shares this memory until it ends */
    const bool has_pipe = pipe2(ends, O_CLOEXEC) == 0;
    if (has_pipe) {
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        pid = vfork();
        if (pid == 0) {
            /* One that outlives the vfork has memory of its own. */
            closer = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
            if (closer == 0)
                keep_and_end(fds, count, ends[0]);
            _exit(0);
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    for (size_t i = 0; i < count; i++)
        pm_fd_close(fds[i]);
    if (has_pipe) {
        close(ends[0]);
        close(ends[1]);
    }
    return closer > 0 ? (int)closer : 0;
}

static int option(int fd, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &size) < 0 ? -1 : value;
}

/* A connected unix socket whose queue is empty closes nothing else. */
static bool is_empty_connection(int fd) {
    int waiting = -1;
    if (option(fd, SO_DOMAIN) != AF_UNIX || option(fd, SO_TYPE) != SOCK_STREAM ||
        option(fd, SO_ACCEPTCONN) != 0)
        return false;
    return option(fd, SO_PASSRIGHTS) == 0 || (ioctl(fd, FIONREAD, &waiting) == 0 && waiting == 0);
}

/* File systems whose files are closed without asking a server. */
static bool is_local(long type) {
    return type == TMPFS_MAGIC || type == EXT4_SUPER_MAGIC || type == XFS_SUPER_MAGIC ||
           type == BTRFS_SUPER_MAGIC;
}

/* Whether closing it never waits for anybody: pipes, memory, /dev/null and the like. */
static bool is_closed_at_once(int fd) {
    struct stat status;
    struct statfs system;
    if (fstat(fd, &status) < 0)
        return true; /* it is not open */
    switch (status.st_mode & S_IFMT) {
    case S_IFIFO: return true;
    case S_IFCHR: return major(status.st_rdev) == 1;
    case S_IFREG: return fstatfs(fd, &system) == 0 && is_local(system.f_type);
    case S_IFSOCK: return is_empty_connection(fd);
    default: return false;
    }
}

int pm_fd_discard(const int *fds, size_t count) {
    int apart[PM_PACKET_FDS_MAX];
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (fds[i] >= 0 && (kept == PM_PACKET_FDS_MAX || is_closed_at_once(fds[i])))
            close(fds[i]);
        else if (fds[i] >= 0)
            apart[kept++] = fds[i];
    return kept > 0 ? close_apart(apart, kept) : 0;
}
