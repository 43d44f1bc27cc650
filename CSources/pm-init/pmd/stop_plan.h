/*
 * In which order children are stopped without pmd, and what is next for each: decisions out of their records,
 * without a clock or a process (stop.c acts). The highest stop_order that is not gone is the level that is
 * being stopped; those of a level stop together, each by its signal, and after its wait by SIGKILL.
 */
#ifndef STOP_PLAN_H
#define STOP_PLAN_H

#include "table.h"

typedef enum {
    STOP_WAIT,   /* nothing is due */
    STOP_SIGNAL, /* the child's own signal */
    STOP_KILL,   /* its whole tree */
} stop_action;

/* The level that is to be stopped now; false when all children are gone. */
bool stop_plan_level(const table *t, uint32_t *level);
/* What is due for a child of the level at this time; moves its stage on, so it is to be done now, and to be
 * asked for again until it is STOP_WAIT. */
stop_action stop_plan_next(record *r, uint64_t now_ns);
/* Whether nothing of the child is left to stop, or it was given up. */
bool stop_plan_is_gone(const record *r);
/* When something is due next for those that are being stopped; 0: only a death can change anything. */
uint64_t stop_plan_deadline(const table *t);

#endif
