/*
 * Whether a pmd hangs: a decision out of what was seen of it, without a clock or a process (watch.c looks).
 */
#ifndef HANG_CHECK_H
#define HANG_CHECK_H

#include <stdbool.h>
#include <stdint.h>

/* What pmd was like when it was found to have something to do. */
typedef struct {
    uint64_t turns;     /* of its loop */
    uint64_t cpu_ticks; /* at the last look */
    uint32_t doubts;    /* looks in a row that found work, no turn, and no excuse */
} hang_check;

/* One look at it. */
typedef struct {
    uint64_t turns;
    uint64_t cpu_ticks;
    char state;    /* of /proc/PID/stat; 0: it could not be read */
    bool has_work; /* its epoll instance is readable */
} hang_look;

typedef enum {
    HANG_NONE,  /* it goes on, or has nothing to do: no look is due until it has again */
    HANG_MAYBE, /* look again */
    HANG_SURE,  /* it is to be ended */
} hang_verdict;

/* Judges one look. */
hang_verdict hang_judge(hang_check *check, const hang_look *look);

#endif
