/*
 * Messages to the notify socket, sent as any local process can send them. An input is the number of
 * descriptors that come along, the room of the reader, and the message.
 */
#define _GNU_SOURCE
#include "pm_socket.h"
#include "rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 3u
#define ROOM_STEP 16u
/* Longer messages do not fit a socket's buffer. */
#define MESSAGE_MAX 8192u

const char *const target_name = "notify socket";

static int receiver = -1, sender = -1;

static void open_sockets(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof address;
    receiver = pm_notify_socket();
    require(receiver >= 0, "a notify socket is made");
    /* Without a path the kernel chooses an abstract name (unix(7), autobind). */
    require(bind(receiver, (struct sockaddr *)&address, sizeof address.sun_family) == 0, "it is bound");
    require(getsockname(receiver, (struct sockaddr *)&address, &length) == 0, "it has a name");
    sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    require(sender >= 0 && connect(sender, (struct sockaddr *)&address, length) == 0, "a sender reaches it");
}

static ssize_t send_message(const uint8_t *data, size_t size, size_t descriptors) {
    union {
        char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control = {.bytes = {0}};
    struct iovec piece = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (descriptors > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(descriptors * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(descriptors * sizeof(int));
        for (size_t i = 0; i < descriptors; i++)
            memcpy(CMSG_DATA(head) + i * sizeof(int), &sender, sizeof sender);
    }
    return sendmsg(sender, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The lowest number that is free: it moves when a descriptor stays open. */
static int lowest_free(void) {
    const int found = fcntl(receiver, F_DUPFD_CLOEXEC, 0);
    require(found >= 0, "a descriptor is free");
    close(found);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (receiver < 0)
        open_sockets();
    if (size < 2 || size - 2 > MESSAGE_MAX)
        return 0;
    const size_t descriptors = data[0] % (DESCRIPTORS_MAX + 1), room = data[1] * ROOM_STEP, length = size - 2;
    const int before = lowest_free();
    uint8_t *buffer = malloc(room + (room == 0));
    pm_peer peer = {.pid = -1};
    require(buffer != NULL, "there is memory");
    const ssize_t sent = send_message(data + 2, length, descriptors);
    /* A kernel that refuses descriptors for the receiver tells the sender. */
    require(sent == (ssize_t)length || (descriptors > 0 && sent < 0), "a message is sent");
    const int got = pm_notify_receive(receiver, buffer, room, &peer);
    if (sent < 0) {
        require(got == -EAGAIN, "a message that was refused does not arrive");
    } else if (length > room) {
        require(got == -EMSGSIZE, "a message that does not fit is refused");
    } else {
        require(got == (int)length && memcmp(buffer, data + 2, length) == 0,
                "a message arrives as it was sent");
        require(peer.pid == getpid() && peer.uid == geteuid() && peer.gid == getegid(),
                "the sender is the one that the kernel names");
    }
    require(pm_notify_receive(receiver, buffer, room, &peer) == -EAGAIN, "a message arrives once");
    require(lowest_free() == before, "no descriptor stays open");
    free(buffer);
    return 0;
}
