/* What the tests of starts by pm-exec share. */
#ifndef STARTING_H
#define STARTING_H

#include "rig.h"

/* A child that pm-exec has to make: for root one of another user, else one with a filter. */
child_spec apart_child(const char *role);
/* Waits for START_FAILED with this step and errno. */
void expect_start_failed(rig *r, uint64_t id, pm_step step, int error);
/* The only child of pm-init beside its pmd. */
pid_t starting_child(rig *r);

#endif
