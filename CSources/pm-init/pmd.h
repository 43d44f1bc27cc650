/*
 * Keeping a pmd running. What its end means:
 *   after PM_BYE STOPPED                            pm-init ends
 *   while a stop was asked for                      pm-init stops the children itself
 *   after PM_BYE UPGRADE                            a new one at once
 *   the first one, before a hand-over, no children  a bad start: pm-init passes its status on
 *   else                                            a new one after the backoff
 */
#ifndef PMD_H
#define PMD_H

#include "holder.h"

/* Starts it, with the status descriptor the first time. When that fails: plans the next attempt, or ends
 * pm-init. */
void pmd_start(holder *h);
/* It was reaped. */
void pmd_ended(holder *h, int wait_status);
/* Its end of the channel is closed, or it said goodbye: it must end soon. */
void pmd_expect_end(holder *h);
/* Ends it by SIGKILL and plans no other. */
void pmd_kill(holder *h);
/* Does what is due at this monotonic time. */
void pmd_tick(holder *h, uint64_t now_ns);

#endif
