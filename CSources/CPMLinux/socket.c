#define _GNU_SOURCE
#include "include/pm_file.h"
#include "include/pm_socket.h"
#include "receive.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

_Static_assert(PM_SOCKET_PATH_MAX + 1 == sizeof((struct sockaddr_un *)0)->sun_path, "sun_path");

int pm_socket_pair(pm_socket_kind kind, int *first, int *second) {
    static const int types[] = {
        [PM_SOCKET_STREAM] = SOCK_STREAM,
        [PM_SOCKET_DATAGRAM] = SOCK_DGRAM,
        [PM_SOCKET_SEQPACKET] = SOCK_SEQPACKET,
    };
    int ends[2];
    if (socketpair(AF_UNIX, types[kind] | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    *first = ends[0];
    *second = ends[1];
    return 0;
}

static int unix_address(const char *path, struct sockaddr_un *out) {
    size_t length = strlen(path);
    if (length == 0)
        return -EINVAL;
    if (length > PM_SOCKET_PATH_MAX)
        return -ENAMETOOLONG;
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out->sun_path, path, length);
    return 0;
}

static int unix_socket(int type) {
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    pm_socket_refuse_rights(fd); /* where the kernel cannot, reading takes care */
    return fd;
}

/* Gives -errno as it stands, after closing fd. */
static int close_failed(int fd) {
    int error = errno;
    pm_fd_close(fd);
    return -error;
}

int pm_socket_listen(const char *path, int backlog) {
    struct sockaddr_un address;
    int bad = unix_address(path, &address);
    if (bad < 0)
        return bad;
    int fd = unix_socket(SOCK_STREAM);
    if (fd < 0)
        return fd;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, backlog) < 0)
        return close_failed(fd);
    return fd;
}

int pm_socket_connect(const char *path) {
    struct sockaddr_un address;
    int bad = unix_address(path, &address);
    if (bad < 0)
        return bad;
    int fd = unix_socket(SOCK_STREAM);
    if (fd < 0)
        return fd;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return close_failed(fd);
    return fd;
}

int pm_socket_accept(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return -errno;
    pm_socket_refuse_rights(fd); /* of a listener that another program made */
    return fd;
}

int pm_socket_peer(int fd, pm_peer *out) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return -errno;
    *out = (pm_peer){.pid = peer.pid, .uid = peer.uid, .gid = peer.gid};
    return 0;
}

int pm_notify_socket(void) {
    int fd = unix_socket(SOCK_DGRAM);
    if (fd < 0)
        return fd;
    int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0 ? close_failed(fd) : fd;
}

/* Takes the sender out of the ancillary data; false when the kernel did not say. */
static bool take_sender(struct msghdr *message, pm_peer *sender) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
            continue;
        struct ucred peer;
        memcpy(&peer, CMSG_DATA(c), sizeof peer);
        *sender = (pm_peer){.pid = peer.pid, .uid = peer.uid, .gid = peer.gid};
        return true;
    }
    return false;
}

int pm_notify_receive(int fd, void *buffer, size_t capacity, pm_peer *sender) {
    /* Room for the sender and for no descriptor. */
    union {
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr align;
    } control;
    struct iovec piece = {.iov_base = buffer, .iov_len = capacity};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t size = receive_without_rights(fd, &message);
    if (size < 0)
        return -errno;
    if ((message.msg_flags & MSG_TRUNC) != 0)
        return -EMSGSIZE;
    return take_sender(&message, sender) ? (int)size : -EBADMSG;
}
