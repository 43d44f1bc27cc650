#define _GNU_SOURCE
#include "include/pm_file.h"
#include "include/pm_packet.h"
#include "receive.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

typedef union {
    char bytes[CMSG_SPACE(PM_PACKET_FDS_MAX * sizeof(int))];
    struct cmsghdr align;
} rights_control;

static void attach_rights(struct msghdr *message, rights_control *control, const int *fds, size_t count) {
    memset(control->bytes, 0, CMSG_SPACE(count * sizeof(int))); /* the padding is copied, too */
    message->msg_control = control->bytes;
    message->msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
}

int pm_packet_send(int fd, const pm_packet *packet) {
    if (packet->count > PM_PACKET_PIECES_MAX || packet->fd_count > PM_PACKET_FDS_MAX)
        return -EINVAL;
    struct iovec vector[PM_PACKET_PIECES_MAX];
    for (size_t i = 0; i < packet->count; i++)
        vector[i] = (struct iovec){(void *)packet->pieces[i].base, packet->pieces[i].size};
    struct msghdr message = {.msg_iov = vector, .msg_iovlen = packet->count};
    rights_control control;
    if (packet->fd_count > 0)
        attach_rights(&message, &control, packet->fds, packet->fd_count);
    ssize_t sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? -errno : (int)sent;
}

/* recvmsg gives 0 for an empty packet as for the end; only the end hangs up. */
static int empty_or_closed(int fd) {
    struct pollfd state = {.fd = fd, .events = POLLRDHUP};
    bool closed = poll(&state, 1, 0) == 1 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
    return closed ? 0 : -EBADMSG;
}

/* What is wrong with a received packet, or its size. */
static int judge(const struct msghdr *message, ssize_t size, size_t taken, size_t fd_capacity) {
    if ((message->msg_flags & MSG_TRUNC) != 0)
        return -EMSGSIZE;
    if ((message->msg_flags & MSG_CTRUNC) != 0)
        return -EMFILE;
    return taken > fd_capacity ? -E2BIG : (int)size;
}

int pm_packet_receive(int fd, const pm_packet_space *space, size_t *fd_count) {
    int taken[PM_PACKET_FDS_MAX];
    received packet;
    *fd_count = 0;
    ssize_t size = receive_message(fd, space->buffer, space->capacity, &packet);
    /* The peer closed and left packets of ours unread. The kernel says so once, before the peer's own last
     * packets. */
    if (size == -ECONNRESET)
        size = receive_message(fd, space->buffer, space->capacity, &packet);
    if (size < 0)
        return (int)size;
    size_t count = receive_rights(&packet, taken);
    int result = size == 0 ? empty_or_closed(fd) : judge(&packet.message, size, count, space->fd_capacity);
    if (result > 0) {
        memcpy(space->fds, taken, count * sizeof(int));
        *fd_count = count;
        return result;
    }
    pm_fd_discard(taken, count);
    return result;
}
