/*
 * The life of pm-init, and what the end of a pmd means for it. This alone changes the phase.
 *
 *   pmd has ended, and before it                    then
 *   said PM_BYE STOPPED                             pm-init ends what is left, and itself
 *   was asked to stop all                           pm-init stops the children itself
 *   said PM_BYE UPGRADE                             another one is started at once
 *   was the first, took nothing over, no children   a bad start: pm-init passes its status on
 *   else                                            another one is started, after a pause if that fails often
 */
#ifndef LIFECYCLE_H
#define LIFECYCLE_H

#include "pm_init.h"

/* Starts pmd, for the first time with the status descriptor. Without success: plans the next attempt, or ends
 * pm-init. */
void lifecycle_start_pmd(pm_init *i);
/* SIGTERM or SIGINT came. The first asks pmd, the second stops all without it, the third kills. */
void lifecycle_stop_signal(pm_init *i);
/* pmd has stopped all, and says with which status pm-init is to end. */
void lifecycle_pmd_stopped(pm_init *i, int exit_status);
/* Notices that pmd has taken everything over, if it has: from then on its start is its own to report. */
void lifecycle_notice_hand_over(pm_init *i);
/* pmd was reaped; what it had sent is read. */
void lifecycle_pmd_ended(pm_init *i, int wait_status);
/* Does what is due at this monotonic time. */
void lifecycle_tick(pm_init *i, uint64_t now_ns);
/* The next monotonic time at which something is due; 0: none. */
uint64_t lifecycle_deadline(const pm_init *i);

#endif
