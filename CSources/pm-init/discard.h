/* Closing what pmd sent, or what a child may have filled: pm-init never waits for it. */
#ifndef DISCARD_H
#define DISCARD_H

#include "holder.h"

/* Closes these; the negative ones are ignored (pm_fd_discard). */
void discard(holder *h, const int *fds, size_t count);
/* Whether this process is one that closes for pm-init, and no orphan of a tree. */
bool discard_is_by(const holder *h, int32_t pid);
/* One has ended. */
void discard_ended(holder *h, int32_t pid);

#endif
