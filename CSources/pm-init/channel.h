/*
 * The sending half of the control socket. Nothing queues: an answer that the socket does not take waits alone
 * and stops reading; a report is a flag in its record until it is sent.
 */
#ifndef CHANNEL_H
#define CHANNEL_H

#include "holder.h"
#include "pm_spawn.h"

/* Takes over the socket to a new pmd. 0 or -errno, fd then still the caller's. */
int channel_open(holder *h, int fd);
/* Forgets the connection; the records stay for the next. */
void channel_close(holder *h);
/* Sends nothing any more, so that what pmd sent before it left can be read to its end without waiting. */
void channel_break(holder *h);
/* Neither reads nor sends any more; pmd sees the end only when pm-init ends. */
void channel_mute(holder *h);
/* A message to send; the body is borrowed for the call. */
typedef struct {
    uint32_t type; /* a pm_message_type */
    uint64_t id;
    const void *body;
    size_t size; /* of the body, bytes */
} outgoing;

/* Answers a request. The caller reads no request while channel.is_blocked, so at most one answer waits. */
void channel_reply(holder *h, const outgoing *answer);
/* PM_REEXEC_FAILED. It comes when the program that is tried has ended, not when it is asked for, so it waits
 * beside an answer and not in its place. */
void channel_refuse_reexec(holder *h, pm_step step, int error);
/* Begins to hand everything over, HELLO first. */
void channel_hand_over(holder *h);
/* Flags a report; it goes out with channel_pump, unless the hand-over will tell it. */
void channel_report(holder *h, record *r, uint8_t report);
/* Sends what is due until all is sent or the socket is full, and watches the socket accordingly. */
void channel_pump(holder *h);
/* Takes a record that is about to be removed out of the list of reports. */
void channel_unqueue(holder *h, record *r);

#endif
