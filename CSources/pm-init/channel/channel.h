/*
 * The sending half of the control socket. Nothing queues: an answer that the socket does not take waits alone
 * and stops reading; a report is a flag in its record until it is sent.
 */
#ifndef CHANNEL_H
#define CHANNEL_H

#include "named_fds.h"
#include "pm_spawn.h"
#include "table.h"

typedef enum {
    CHANNEL_CLOSED,       /* between two pmds */
    CHANNEL_OPEN,         /* pmd has not asked for the hand-over */
    CHANNEL_HANDING_OVER, /* HELLO was answered, HANDED_OVER was not sent yet */
    CHANNEL_ATTACHED,     /* HANDED_OVER was sent */
    CHANNEL_DRAINING,     /* it was attached, and pmd reads no more; what pmd sent before is still handled */
    CHANNEL_LOST,         /* pmd reads no more, and was never attached: nothing but a goodbye counts */
} channel_state;

/* Whether the socket takes what is to be sent. Nothing is read unless it does. */
typedef enum {
    FLOW_OPEN,
    FLOW_FULL,    /* it is full: epoll tells when it takes more */
    FLOW_REFUSED, /* the kernel had no memory, or no room for descriptors in flight: until retry_at_ns */
} channel_flow;

/* What is to be sent apart from answers and reports; bits of channel.owed. */
#define OWED_STOP 1u    /* PM_STOP_REQUESTED */
#define OWED_REFUSAL 2u /* PM_REEXEC_FAILED, with `refusal` */

/* The control socket to the pmd of the moment. The first three are set once, and borrowed. */
typedef struct {
    int epoll;
    table *table;
    const named_fds *named;
    int fd; /* owned; -1: closed */
    channel_state state;
    channel_flow flow;
    uint64_t hand_overs;   /* that were completed, on this connection and those before */
    uint8_t owed;          /* OWED_* */
    int broken_by;         /* the result that broke it; 0: it did not break, or pmd closed its end */
    uint32_t watched;      /* PM_EPOLL_* that epoll reports */
    uint32_t hand_over_at; /* next record, then next named descriptor, that is handed over */
    uint32_t reply_size;   /* an answer that waits, in bytes; 0: none */
    uint64_t retry_at_ns;  /* monotonic; with FLOW_REFUSED */
    uint32_t first_report; /* list of records with reports, index + 1 */
    uint32_t last_report;
    pm_failure refusal;
    _Alignas(8) uint8_t reply[128];
} channel;

/* A message to send; the body is borrowed for the call. */
typedef struct {
    uint32_t type; /* a pm_message_type */
    uint64_t id;
    const void *body;
    size_t size; /* of the body, bytes */
} outgoing;

/* Takes over the socket to a new pmd. 0 or -errno, fd then still the caller's. */
int channel_open(channel *c, int fd);
/* Takes over the socket to a pmd that was attached by the program before. 0 or -errno. */
int channel_reopen(channel *c, int fd);
/* Forgets the connection; the records stay for the next. */
void channel_close(channel *c);
/* Sends nothing any more, so that what pmd sent before it left can be read to its end without waiting.
 * `result` says why: -errno, or 0 when pmd has closed its end. */
void channel_break(channel *c, int result);
/* Neither reads nor sends any more; pmd sees the end only when pm-init ends. */
void channel_mute(channel *c);
/* Whether pmd has taken everything over on this connection. */
bool channel_has_attached(const channel *c);
/* Whether all that was to be sent is sent, and pmd reads. */
bool channel_is_quiet(const channel *c);

/* Answers a request. The caller reads no request while the flow is not FLOW_OPEN, so at most one answer
 * waits. */
void channel_reply(channel *c, const outgoing *answer);
/* PM_REEXEC_FAILED. It comes when the program that is tried has ended, not when it is asked for, so it waits
 * beside an answer and not in its place. */
void channel_refuse_reexec(channel *c, pm_spawn_failure failure);
/* PM_STOP_REQUESTED, as soon as pmd is attached. */
void channel_ask_to_stop(channel *c);
/* Begins to hand everything over, with a HELLO that says this of pm-init; the children are counted here. */
void channel_hand_over(channel *c, pm_hello hello);
/* Flags a report; it goes out with channel_pump, unless the hand-over will tell it. */
void channel_report(channel *c, record *r, uint8_t report);
/* Sends what is due until all is sent or the socket is full, and watches the socket accordingly. */
void channel_pump(channel *c);
/* Takes a record that is about to be removed out of the list of reports. */
void channel_unqueue(channel *c, record *r);

#endif
