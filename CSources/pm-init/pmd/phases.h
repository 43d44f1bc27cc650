/* Through what pm-init goes from its start to its end: a decision out of what happened. */
#ifndef PHASES_H
#define PHASES_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    PHASE_SERVING,    /* pmd decides */
    PHASE_STOP_ASKED, /* pmd was told to stop all, and may take its time until a deadline */
    PHASE_STOPPING,   /* pm-init itself stops the children, in order, without pmd */
    PHASE_ENDING,     /* what is left is killed, until a deadline */
    PHASE_DONE,
} phase;

typedef enum {
    EVENT_STOP_SIGNAL, /* SIGTERM or SIGINT */
    EVENT_PMD_STOPPED, /* pmd has stopped all and said so (PM_BYE_STOPPED) */
    EVENT_PMD_ENDED,   /* without having said so */
    EVENT_NO_PMD,      /* there is none, and no sense in starting another */
    EVENT_DEADLINE,    /* of the phase */
    EVENT_ALL_STOPPED, /* each child, as far as it can be */
    EVENT_ALL_GONE,    /* no descendant is left */
} phase_event;

/* The phase after the event, which is the same where the event means nothing to it. */
phase phase_after(phase now, phase_event event, bool has_pmd);

/* Where pm-init is; changed by lifecycle.c alone. */
typedef struct {
    phase phase;
    int exit_status;
    uint64_t deadline_ns;   /* monotonic; of the phase */
    uint64_t next_sweep_ns; /* monotonic; in PHASE_ENDING */
} lifecycle;

#endif
