/* Unix sockets: making, accepting, who is at the other end, notification messages. */
#ifndef PM_SOCKET_H
#define PM_SOCKET_H

#include "pm_base.h"

PM_NONNULL_BEGIN

typedef enum PM_CLOSED {
    PM_SOCKET_STREAM = 0,
    PM_SOCKET_DATAGRAM = 1,
    PM_SOCKET_SEQPACKET = 2,
} pm_socket_kind;

/* The process at the other end, as the kernel saw it: at connect(2) for a stream, per message for a datagram.
 */
typedef struct {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
} pm_peer;

/* Longest path that fits sockaddr_un, bytes, without terminator. */
#define PM_SOCKET_PATH_MAX 107u

/* A connected pair of unix sockets, blocking as made, both owned by the caller. 0 or -errno. */
int pm_socket_pair(pm_socket_kind kind, int *first, int *second);
/* A non-blocking stream listener bound to path, which must not exist; owned by the caller. -ENAMETOOLONG when
 * path is longer than PM_SOCKET_PATH_MAX. The caller sets umask or mode. */
int pm_socket_listen(const char *path, int backlog);
/* A non-blocking stream connected to path, owned by the caller, or -errno: -ECONNREFUSED when nobody listens,
 * -EAGAIN when the backlog is full. */
int pm_socket_connect(const char *path);
/* Accepts a connection as a non-blocking descriptor, owned by the caller, or -errno (-EAGAIN: none waits). */
int pm_socket_accept(int listener);
/*
 * No descriptors come with what this unix socket receives: the kernel refuses to send them (SO_PASSRIGHTS,
 * Linux 6.16; EPERM for the sender), so none is ever closed by who reads or closes the socket. Closing what
 * somebody else has sent may block for hours (SO_LINGER, FUSE). Connections inherit it from their listener. 0
 * or -errno: -ENOPROTOOPT where the kernel does not have it; pm_socket_read helps there.
 */
int pm_socket_refuse_rights(int fd);
/*
 * Reads from a unix socket that refuses descriptors: as pm_fd_read. Where the kernel cannot refuse them,
 * those that come along go to a process of their own, and are closed there. Of another kind of descriptor it
 * reads as well.
 */
int64_t pm_socket_read(int fd, void *buffer, size_t size);
/* Ends a connection for all who hold it (SHUT_RDWR), and empties its queue, so that closing it closes nothing
 * that others have sent. */
void pm_socket_end(int fd);
/* Who connected (SO_PEERCRED). 0 or -errno. */
int pm_socket_peer(int fd, pm_peer *out);

/*
 * A non-blocking datagram socket for messages of sd_notify(3), not bound yet, owned by the caller, or -errno.
 * Senders' credentials are on; descriptors are refused.
 */
int pm_notify_socket(void);
/*
 * Receives one message: its length in bytes (0: an empty message), or -errno; -EAGAIN when none waits,
 * -EMSGSIZE when it was longer than capacity (and is gone). Descriptors that come along are refused, or
 * closed elsewhere (FDSTORE is not kept).
 */
int pm_notify_receive(int fd, void *buffer, size_t capacity, pm_peer *sender);

PM_NONNULL_END

#endif
