#define _GNU_SOURCE
#include "include/pm_diag.h"
#include "include/pm_file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

typedef struct {
    struct nlmsghdr head;
    struct inet_diag_req_v2 body;
} question;

_Static_assert(sizeof(question) == PM_DIAG_QUESTION_SIZE, "pm_diag.h says how long a question is");

static void place(uint32_t *out, const pm_tcp_end *end) {
    memcpy(out, end->address, end->family == AF_INET ? 4 : 16);
}

int pm_diag_question(const pm_tcp_end *client, const pm_tcp_end *server, uint32_t sequence, uint8_t *out) {
    if (client->family != server->family || (client->family != AF_INET && client->family != AF_INET6))
        return -EAFNOSUPPORT;
    question q = {
        .head = {.nlmsg_len = sizeof q,
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST,
                 .nlmsg_seq = sequence},
        .body = {.sdiag_family = (uint8_t)client->family,
                 .sdiag_protocol = IPPROTO_TCP,
                 .idiag_states = ~0u,
                 .id = {.idiag_sport = htons(client->port),
                        .idiag_dport = htons(server->port),
                        .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
    };
    place(q.body.id.idiag_src, client);
    place(q.body.id.idiag_dst, server);
    memcpy(out, &q, sizeof q);
    return 0;
}

/* A socket that its process has closed has no owner: the kernel then gives inode 0, and root or who it was as
 * the user. The lookup also finds a listener of the same port, which is nobody's end of this connection. */
static bool is_held(const struct inet_diag_msg *found) {
    if (found->idiag_inode == 0)
        return false;
    switch (found->idiag_state) {
    case TCP_ESTABLISHED:
    case TCP_CLOSE_WAIT:
    case TCP_FIN_WAIT1: /* it has sent all that it wants to send, and still reads */
    case TCP_FIN_WAIT2: return true;
    default: return false;
    }
}

/* The bytes of an IPv4 address within IPv6 (RFC 4291, 2.5.5.2): the kernel answers so for such sockets. */
static bool is_same_address(const question *q, const uint32_t *asked, const struct inet_diag_msg *found,
                            const uint32_t *given) {
    const uint32_t mapped[3] = {0, 0, htonl(0xffff)};
    if (found->idiag_family == q->body.sdiag_family)
        return memcmp(asked, given, found->idiag_family == AF_INET ? 4 : 16) == 0;
    return q->body.sdiag_family == AF_INET && found->idiag_family == AF_INET6 &&
           memcmp(mapped, given, sizeof mapped) == 0 && asked[0] == given[3];
}

static bool is_asked_for(const question *q, const struct inet_diag_msg *found) {
    const struct inet_diag_sockid *asked = &q->body.id, *given = &found->id;
    return asked->idiag_sport == given->idiag_sport && asked->idiag_dport == given->idiag_dport &&
           is_same_address(q, asked->idiag_src, found, given->idiag_src) &&
           is_same_address(q, asked->idiag_dst, found, given->idiag_dst);
}

static int refusal(const uint8_t *answer, size_t size) {
    struct nlmsgerr error;
    if (size < sizeof(struct nlmsghdr) + sizeof error.error)
        return -EPROTO;
    memcpy(&error.error, answer + sizeof(struct nlmsghdr), sizeof error.error);
    return error.error < 0 && error.error > -4096 ? error.error : -EPROTO;
}

int pm_diag_answer(const uint8_t *asked, const uint8_t *answer, size_t size, uint32_t *uid) {
    question q;
    struct nlmsghdr head;
    struct inet_diag_msg found;
    memcpy(&q, asked, sizeof q);
    if (size < sizeof head)
        return -EPROTO;
    memcpy(&head, answer, sizeof head);
    if (head.nlmsg_seq != q.head.nlmsg_seq || head.nlmsg_len > size || head.nlmsg_len < sizeof head)
        return -EPROTO;
    if (head.nlmsg_type == NLMSG_ERROR)
        return refusal(answer, head.nlmsg_len);
    if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY || head.nlmsg_len < sizeof head + sizeof found)
        return -EPROTO;
    memcpy(&found, answer + sizeof head, sizeof found);
    /* A listener is answered with its own ends, so state comes first. */
    if (!is_held(&found))
        return -ENOENT;
    if (!is_asked_for(&q, &found))
        return -EPROTO;
    *uid = found.idiag_uid;
    return 0;
}

static int ask(int fd, const uint8_t *q, uint32_t *uid) {
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    uint8_t answer[PM_DIAG_ANSWER_MAX];
    struct sockaddr_nl sender;
    socklen_t length = sizeof sender;
    if (sendto(fd, q, PM_DIAG_QUESTION_SIZE, MSG_DONTWAIT, (const struct sockaddr *)&kernel, sizeof kernel) <
        0)
        return -errno;
    ssize_t size = recvfrom(fd, answer, sizeof answer, MSG_DONTWAIT, (struct sockaddr *)&sender, &length);
    if (size < 0)
        return -errno;
    /* Another process may send to a netlink socket too; only the kernel has port 0. */
    if (length != sizeof sender || sender.nl_pid != 0)
        return -EPROTO;
    return pm_diag_answer(q, answer, (size_t)size, uid);
}

int pm_tcp_owner(const pm_tcp_end *client, const pm_tcp_end *server, uint32_t *uid) {
    static atomic_uint last;
    uint8_t q[PM_DIAG_QUESTION_SIZE];
    int result = pm_diag_question(client, server, atomic_fetch_add(&last, 1u) + 1u, q);
    if (result < 0)
        return result;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    if (fd < 0)
        return -errno;
    result = ask(fd, q, uid);
    pm_fd_close(fd);
    return result;
}
