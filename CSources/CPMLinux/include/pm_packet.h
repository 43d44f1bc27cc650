/* Packets with descriptors over a SOCK_SEQPACKET unix socket (SCM_RIGHTS, unix(7)). */
#ifndef PM_PACKET_H
#define PM_PACKET_H

#include "pm_base.h"

PM_NONNULL_BEGIN

/* Most descriptors in one packet; the kernel's SCM_MAX_FD. */
#define PM_PACKET_FDS_MAX 253u
/* Most pieces of one packet. */
#define PM_PACKET_PIECES_MAX 8u

/* A part of a packet to send; the caller keeps the memory. */
typedef struct {
    const void *PM_NULLABLE base;
    size_t size;
} pm_piece;

/* A packet to send; the caller keeps all of it. */
typedef struct {
    const pm_piece *pieces;
    size_t count;
    const int *PM_NULLABLE fds; /* duplicates of these go along */
    size_t fd_count;
} pm_packet;

/* Where a packet is received to. */
typedef struct {
    void *buffer;
    size_t capacity; /* bytes */
    int *fds;
    size_t fd_capacity;
} pm_packet_space;

/*
 * Sends the pieces as one packet with duplicates of the descriptors; the caller keeps its own. Never blocks,
 * raises no SIGPIPE. Gives the bytes sent, or -errno: -EAGAIN when the peer's queue is full, -EPIPE when it
 * is gone, -ETOOMANYREFS when too many descriptors of this user are in flight, -EINVAL for too many pieces or
 * descriptors.
 */
int pm_packet_send(int fd, const pm_packet *packet);
/*
 * Receives one packet, never blocks. Gives its bytes and, in fds[0..<*fd_count], its descriptors, which the
 * caller owns and which are close-on-exec. 0: the peer closed, and sent nothing more before that, whether it
 * read our packets or not. Else -errno with no descriptor left open:
 *   -EAGAIN    nothing waits
 *   -EMSGSIZE  the packet was longer than `capacity`
 *   -EMFILE    descriptors were lost, for this process may open no more
 *   -E2BIG     more descriptors than fd_capacity
 *   -EBADMSG   an empty packet
 * With -EMSGSIZE, -EMFILE and -E2BIG the first bytes of the packet are in `buffer`, so its header can be
 * read.
 */
int pm_packet_receive(int fd, const pm_packet_space *space, size_t *fd_count);

PM_NONNULL_END

#endif
