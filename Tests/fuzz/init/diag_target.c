/*
 * The kernel's answer to the question whose process holds the other end of a TCP connection. An input is a
 * kind, the two ends of the connection (two ports and two addresses), and the answer: its bytes, or changes
 * to an answer that names the owner, each as a place and a byte.
 */
#define _GNU_SOURCE
#include "pm_diag.h"
#include "rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Bits of the kind. */
#define KIND_IPV6 1u
#define KIND_CHANGES 2u
#define KIND_MAPPED 4u /* IPv4 answered as an IPv6 socket does */

#define ENDS_SIZE 36u
#define SEQUENCE 7u
#define UID 4711u
#define ANSWER_SIZE (sizeof(struct nlmsghdr) + sizeof(struct inet_diag_msg))

typedef struct {
    uint8_t kind; /* KIND_ bits */
    pm_tcp_end client, server;
} connection;

const char *const target_name = "answers of sock_diag";

static size_t address_size(const pm_tcp_end *end) {
    return end->family == AF_INET ? 4 : 16;
}

static connection read_connection(const uint8_t *data) {
    const uint32_t family = (data[0] & KIND_IPV6) != 0 ? AF_INET6 : AF_INET;
    connection c = {.kind = data[0], .client.family = family, .server.family = family};
    c.client.port = (uint16_t)(data[1] << 8 | data[2]);
    c.server.port = (uint16_t)(data[3] << 8 | data[4]);
    memcpy(c.client.address, data + 5, address_size(&c.client));
    memcpy(c.server.address, data + 21, address_size(&c.server));
    return c;
}

/* Writes an address as the kernel does for a socket of the answer's family. */
static void write_address(uint8_t *out, const pm_tcp_end *end, bool is_mapped) {
    memset(out, 0, 16);
    if (is_mapped)
        out[10] = out[11] = 0xff;
    memcpy(is_mapped ? out + 12 : out, end->address, address_size(end));
}

static void write_answer(const connection *c, uint8_t *out) {
    const bool is_mapped = c->client.family == AF_INET && (c->kind & KIND_MAPPED) != 0;
    const struct nlmsghdr head = {
        .nlmsg_len = ANSWER_SIZE, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_seq = SEQUENCE};
    struct inet_diag_msg body = {.idiag_family = is_mapped ? AF_INET6 : (uint8_t)c->client.family,
                                 .idiag_state = TCP_ESTABLISHED,
                                 .idiag_uid = UID,
                                 .idiag_inode = 99};
    body.id.idiag_sport = htons(c->client.port);
    body.id.idiag_dport = htons(c->server.port);
    write_address((uint8_t *)body.id.idiag_src, &c->client, is_mapped);
    write_address((uint8_t *)body.id.idiag_dst, &c->server, is_mapped);
    memcpy(out, &head, sizeof head);
    memcpy(out + sizeof head, &body, sizeof body);
}

static bool is_end(const pm_tcp_end *end, uint8_t family, uint16_t port, const void *address) {
    const bool is_mapped = end->family == AF_INET && family == AF_INET6;
    uint8_t expected[16];
    write_address(expected, end, is_mapped);
    return port == htons(end->port) && (is_mapped || family == end->family) &&
           memcmp(address, expected, is_mapped ? 16 : address_size(end)) == 0;
}

/* An owner is named by a whole answer to this question alone, about a socket that a process holds. */
static void check_owner(const connection *c, const uint8_t *answer, size_t size, uint32_t uid) {
    struct nlmsghdr head;
    struct inet_diag_msg body;
    require(size >= ANSWER_SIZE, "an owner is named by a whole answer");
    memcpy(&head, answer, sizeof head);
    memcpy(&body, answer + sizeof head, sizeof body);
    require(head.nlmsg_seq == SEQUENCE && head.nlmsg_type == SOCK_DIAG_BY_FAMILY && head.nlmsg_len <= size &&
                head.nlmsg_len >= ANSWER_SIZE,
            "an owner is named by the answer to this question");
    require(uid == body.idiag_uid && body.idiag_inode != 0, "the owner is the one that the kernel names");
    require(body.idiag_state != TCP_LISTEN && body.idiag_state != TCP_TIME_WAIT &&
                body.idiag_state != TCP_CLOSE,
            "a listener and a socket that is closed own no connection");
    require(is_end(&c->client, body.idiag_family, body.id.idiag_sport, body.id.idiag_src) &&
                is_end(&c->server, body.idiag_family, body.id.idiag_dport, body.id.idiag_dst),
            "the owner is that of the client's end of this connection");
}

/* Memory of exactly the answer's size, so that a read beyond the answer is caught. */
static uint8_t *make_answer(const connection *c, const uint8_t *data, size_t *size) {
    if ((c->kind & KIND_CHANGES) == 0) {
        uint8_t *bytes = malloc(*size + (*size == 0));
        require(bytes != NULL, "there is memory");
        memcpy(bytes, data, *size);
        return bytes;
    }
    uint8_t *made = malloc(ANSWER_SIZE);
    require(made != NULL, "there is memory");
    write_answer(c, made);
    for (size_t i = 0; i + 1 < *size; i += 2)
        made[data[i] % ANSWER_SIZE] = data[i + 1];
    *size = ANSWER_SIZE;
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t question[PM_DIAG_QUESTION_SIZE];
    uint32_t uid = UINT32_MAX;
    if (size < 1 + ENDS_SIZE)
        return 0;
    const connection c = read_connection(data);
    require(pm_diag_question(&c.client, &c.server, SEQUENCE, question) == 0, "a question is written");
    size_t answer_size = size - 1 - ENDS_SIZE;
    const bool is_unchanged = (c.kind & KIND_CHANGES) != 0 && answer_size < 2;
    uint8_t *answer = make_answer(&c, data + 1 + ENDS_SIZE, &answer_size);
    const int result = pm_diag_answer(question, answer, answer_size, &uid);
    require(result <= 0 && result > -4096, "the result is 0 or an errno");
    require(!is_unchanged || (result == 0 && uid == UID), "a plain answer names the owner");
    if (result == 0)
        check_owner(&c, answer, answer_size, uid);
    else
        require(uid == UINT32_MAX, "without an answer nobody is the owner");
    free(answer);
    return 0;
}
