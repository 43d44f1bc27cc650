/* Reaping: pmd, the children, and every orphan that pm-init inherits. */
#ifndef REAP_H
#define REAP_H

#include "pm_init.h"

/* SIGCHLD came: reaps what has ended, as many as belong into a turn of the loop. True when there may be more,
 * of whom no signal tells. */
bool reap_batch(pm_init *i);

#endif
