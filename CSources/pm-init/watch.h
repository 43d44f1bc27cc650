/*
 * Notices a pmd that hangs, without waking as long as nothing happens.
 *
 * pmd hands over its epoll instance and a page in which it counts the turns of its loop (PM_WATCH). Something
 * to do makes the instance readable, which wakes pm-init once; if then no turn is counted for a while,
 * although there is still something to do, pmd is stopped, loops or waits for a lock, and is killed. Its
 * successor takes over. Until the next look nothing is watched, so a busy pmd costs a wake-up a second.
 */
#ifndef WATCH_H
#define WATCH_H

#include "holder.h"

/* Watches the pmd of the moment by its epoll instance and its page; both are duplicates, which this owns. */
void watch_begin(holder *h, int epoll, int page);
/* Ends watching: pmd has ended. */
void watch_end(holder *h);
/* The instance has become readable. */
void watch_has_work(holder *h);
/* Looks, if a look is due at this monotonic time. */
void watch_tick(holder *h, uint64_t now_ns);

#endif
