/* How far the change to another program is (reexec.c). */
#ifndef REEXEC_STATE_H
#define REEXEC_STATE_H

#include "control.h"

typedef enum {
    REEXEC_NOT_ASKED,
    REEXEC_TRYING, /* the program runs as a child, to see whether it understands us */
    REEXEC_DUE,    /* it does; executed in the next quiet moment */
} reexec_phase;

typedef struct {
    reexec_phase phase;
    int32_t pid;            /* of the program that is tried; 0: it has ended */
    uint64_t give_up_at_ns; /* monotonic; 0: not asked for */
    int program;            /* the file that is tried and executed (O_PATH), owned; -1: none */
    char path[PM_PROGRAM_MAX];
} reexec_state;

#endif
