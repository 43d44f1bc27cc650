/*
 * The processes that do not descend from the holder, remembered so that a search of /proc need not read them
 * again: most of a machine's. A process that is not a descendant never becomes one, so a bit for each pid
 * will do, as long as the pid was not given to another process meanwhile. Pids are given in ascending order;
 * a remembered one comes up again only after the numbers have wrapped around, which the kernel's last pid
 * shows.
 */
#ifndef FOREIGN_H
#define FOREIGN_H

#include "holder.h"
#include "pm_pidfd.h"

/* Before a search: forgets everything if a remembered pid may have been given away since the last one. */
void foreign_begin(holder *h);
bool foreign_has(const holder *h, int32_t pid);
/* Remembers the process if it is foreign: older than the holder, or the child of one that is. */
void foreign_learn(holder *h, const pm_process *p);

#endif
