/* Closing what pmd sent, or what a child may have filled: pm-init never waits for it. */
#ifndef DISCARD_H
#define DISCARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Processes at a time that close descriptors. */
#define CLOSERS_MAX 16u

typedef struct {
    int32_t pids[CLOSERS_MAX]; /* 0: none */
} closers;

/* Closes these; the negative ones are ignored (pm_fd_discard). */
void discard(closers *c, const int *fds, size_t count);
/* Whether this process is one that closes for pm-init, and no orphan of a tree. */
bool discard_is_by(const closers *c, int32_t pid);
/* One has ended. */
void discard_ended(closers *c, int32_t pid);

#endif
