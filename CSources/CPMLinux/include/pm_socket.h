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
/* Who connected (SO_PEERCRED). 0 or -errno. */
int pm_socket_peer(int fd, pm_peer *out);

/* Room for the name that pm_notify_bind gives, terminator included. */
#define PM_NOTIFY_NAME_SIZE 16u
/*
 * A non-blocking datagram socket bound to an abstract name that the kernel chose (unix(7), autobind), owned
 * by the caller, or -errno. The name, "@" and five digits as NOTIFY_SOCKET wants it, goes to
 * name[PM_NOTIFY_NAME_SIZE]. Senders' credentials are on.
 */
int pm_notify_bind(char *name);
/*
 * Receives one message: its length in bytes (0: an empty message), or -errno; -EAGAIN when none waits,
 * -EMSGSIZE when it was longer than capacity (and is gone). Descriptors that came along are closed (FDSTORE
 * is not kept).
 */
int pm_notify_receive(int fd, void *buffer, size_t capacity, pm_peer *sender);

PM_NONNULL_END

#endif
