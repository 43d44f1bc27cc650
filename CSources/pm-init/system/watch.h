/*
 * Notices a pmd that hangs, without waking as long as nothing happens.
 *
 * pmd hands over its epoll instance and a page in which it counts the turns of its loop (PM_WATCH). Something
 * to do makes the instance readable, which wakes pm-init once; if then no turn is counted for a while,
 * although there is still something to do, pmd is stopped, loops or waits for a lock, and hangs
 * (hang_check.h): it is to be killed, and its successor takes over. Until the next look nothing is watched,
 * so a busy pmd costs a wake-up a second.
 */
#ifndef WATCH_H
#define WATCH_H

#include "discard.h"
#include "hang_check.h"

/* How long after something to do was found, and between two looks. */
#define WATCH_LOOK_MS 1500u

/* The loop of the pmd of the moment. The first two are set once; the closers are borrowed. */
typedef struct {
    int loop; /* pm-init's own epoll instance; borrowed */
    closers *closers;
    int epoll;                     /* pmd's; -1: not watched */
    int page;                      /* with the turns; -1: not watched */
    const _Atomic uint64_t *turns; /* counted by pmd */
    uint64_t look_at_ns;           /* monotonic; 0: no look is due */
    hang_check check;
} watch;

/* Watches the pmd of the moment by its epoll instance and its page; both are duplicates, which this owns. */
void watch_begin(watch *w, int epoll, int page);
/* Ends watching: pmd has ended. */
void watch_end(watch *w);
/* The instance of the pmd with this pid has become readable. */
void watch_has_work(watch *w, int32_t pid);
/* Looks at the pmd with this pid, if a look is due at this monotonic time. True when it hangs; it is not
 * looked at any more then. */
bool watch_tick(watch *w, int32_t pid, uint64_t now_ns);

#endif
