/* pm-init's own end: asking pmd to stop all, stopping all itself, killing what is left. */
#ifndef STOP_H
#define STOP_H

#include "holder.h"

/* SIGTERM or SIGINT came. The first asks pmd, the second stops all without it, the third kills. */
void stop_requested(holder *h);
/* Stops the children without pmd: highest stop_order first, each by its signal, then its whole tree by
 * SIGKILL. */
void stop_begin(holder *h);
/* Kills what is left, then ends with this status. */
void stop_all_now(holder *h, int exit_status);
/* Goes on as far as deaths and time allow. */
void stop_tick(holder *h, uint64_t now_ns);
/* The next monotonic time at which stop_tick has something to do; 0: none. */
uint64_t stop_deadline(const holder *h);

#endif
