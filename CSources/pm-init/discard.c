#include "discard.h"
#include "pm_file.h"

static int32_t *find(holder *h, int32_t pid) {
    for (uint32_t i = 0; i < CLOSERS_MAX; i++)
        if (h->closers[i] == pid)
            return &h->closers[i];
    return NULL;
}

void discard(holder *h, const int *fds, size_t count) {
    int32_t pid = pm_fd_discard(fds, count);
    int32_t *vacant = pid > 0 ? find(h, 0) : NULL;
    /* One more is taken for an orphan until it ends, which delays the news that a tree is empty. */
    if (vacant != NULL)
        *vacant = pid;
}

bool discard_is_by(const holder *h, int32_t pid) {
    return find((holder *)h, pid) != NULL;
}

void discard_ended(holder *h, int32_t pid) {
    int32_t *closer = find(h, pid);
    if (closer != NULL)
        *closer = 0;
}
