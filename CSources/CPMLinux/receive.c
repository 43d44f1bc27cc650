#define _GNU_SOURCE
#include "receive.h"

#include <errno.h>
#include <string.h>

ssize_t receive_message(int fd, void *buffer, size_t capacity, received *out) {
    out->piece = (struct iovec){.iov_base = buffer, .iov_len = capacity};
    out->message = (struct msghdr){
        .msg_iov = &out->piece,
        .msg_iovlen = 1,
        .msg_control = out->control.bytes,
        .msg_controllen = sizeof out->control.bytes,
    };
    ssize_t size = recvmsg(fd, &out->message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    return size < 0 ? -errno : size;
}

size_t receive_rights(received *from, int *fds) {
    size_t count = 0;
    struct msghdr *message = &from->message;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds + count, CMSG_DATA(c), n * sizeof(int));
        count += n;
    }
    return count;
}
