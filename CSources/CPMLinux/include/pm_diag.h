/* Who is at the other end of a TCP connection within this machine: sock_diag(7), Linux 3.3 and later. */
#ifndef PM_DIAG_H
#define PM_DIAG_H

#include "pm_base.h"

PM_NONNULL_BEGIN

/* An address and a port of TCP. */
typedef struct {
    uint32_t family;     /* AF_INET or AF_INET6 */
    uint8_t address[16]; /* network byte order; the first four bytes with AF_INET */
    uint16_t port;       /* host byte order */
} pm_tcp_end;

/* Largest answer of the kernel that is looked at, bytes. */
#define PM_DIAG_ANSWER_MAX 1024u
/* Bytes of a question. */
#define PM_DIAG_QUESTION_SIZE 72u

/*
 * The user whose process holds the socket of `client`, in a connection of this network namespace from
 * `client` to `server`: *uid as this process's user namespace sees the user. 0 or -errno: -ENOENT   there is
 * no such connection, or no process holds that end of the connection any more -EPROTO   the kernel's answer
 * makes no sense -EAGAIN   the kernel has not answered -EAFNOSUPPORT, -EPROTONOSUPPORT   the kernel has no
 * netlink, or no inet_diag Never blocks: the kernel answers before sendto(2) returns.
 */
int pm_tcp_owner(const pm_tcp_end *client, const pm_tcp_end *server, uint32_t *uid);

/* The two halves of pm_tcp_owner that need no kernel. */

/* Writes the question for a connection to out[PM_DIAG_QUESTION_SIZE]. 0, or -EAFNOSUPPORT. */
int pm_diag_question(const pm_tcp_end *client, const pm_tcp_end *server, uint32_t sequence, uint8_t *out);
/* Reads the kernel's answer to that question; any bytes may be given. As pm_tcp_owner, without -EAGAIN. */
int pm_diag_answer(const uint8_t *question, const uint8_t *answer, size_t size, uint32_t *uid);

PM_NONNULL_END

#endif
