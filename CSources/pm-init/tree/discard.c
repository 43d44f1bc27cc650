#include "discard.h"
#include "pm_file.h"

/* The index of the place; CLOSERS_MAX: there is none. */
static uint32_t find(const closers *c, int32_t pid) {
    uint32_t at = 0;
    while (at < CLOSERS_MAX && c->pids[at] != pid)
        at++;
    return at;
}

void discard(closers *c, const int *fds, size_t count) {
    int32_t pid = pm_fd_discard(fds, count);
    uint32_t vacant = pid > 0 ? find(c, 0) : CLOSERS_MAX;
    /* One more is taken for an orphan until it ends, which delays the news that a tree is empty. */
    if (vacant < CLOSERS_MAX)
        c->pids[vacant] = pid;
}

bool discard_is_by(const closers *c, int32_t pid) {
    return find(c, pid) < CLOSERS_MAX;
}

void discard_ended(closers *c, int32_t pid) {
    uint32_t at = find(c, pid);
    if (at < CLOSERS_MAX)
        c->pids[at] = 0;
}
