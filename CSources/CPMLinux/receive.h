/* Receiving one message with its ancillary data (recvmsg(2), unix(7)): for the files of this library alone.
 */
#ifndef PM_RECEIVE_H
#define PM_RECEIVE_H

#include "include/pm_packet.h"

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

PM_NONNULL_BEGIN

/* Room for credentials and for the most descriptors that the kernel sends, so descriptors are only lost at
 * the process's limit. It points into itself: not to be copied. */
typedef struct {
    struct msghdr message;
    struct iovec piece;
    union {
        char bytes[CMSG_SPACE(PM_PACKET_FDS_MAX * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr align;
    } control;
} received;

/* Receives into buffer without blocking; descriptors that come along are close-on-exec. The bytes that came,
 * or -errno. */
ssize_t receive_message(int fd, void *buffer, size_t capacity, received *out);
/* Copies the message's descriptors, which the caller owns then, to fds[PM_PACKET_FDS_MAX]; gives their
 * number. */
size_t receive_rights(received *from, int *fds);
/* Whether the kernel keeps descriptors from sockets that were told to refuse them. */
bool receive_rights_are_refused(void);
/*
 * recvmsg(2) without blocking, for a message whose control has no room for descriptors: none is ever closed
 * by this process. The bytes that came, or -1 with errno.
 */
ssize_t receive_without_rights(int fd, struct msghdr *message);

PM_NONNULL_END

#endif
