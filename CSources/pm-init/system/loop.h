/* The event loop: signals, the control socket, cgroups, and the times at which something is due. */
#ifndef LOOP_H
#define LOOP_H

#include "pm_init.h"

/* Runs until pm-init is done; gives the exit status. */
int loop_run(pm_init *i);

#endif
