/* The child's session keyring, between clone and exec: by system calls alone as in spawn_child.c. */
#define _GNU_SOURCE
#include "spawn_internal.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * A new one is empty: the caller's keys, and those that its session has links to, are not among what the
 * child may look into. It is made while the child still has the caller's ids, so that the service's user has
 * no influence on whether there is room for it, and belongs to the caller; the child has all rights to it all
 * the same, because it possesses it (keyrings(7)).
 */
DIRECT pm_step pm_spawn_take_keyring(const pm_spawn_request *request) {
    if ((request->flags & PM_SPAWN_OWN_KEYRING) == 0 ||
        syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) >= 0)
        return PM_STEP_NONE;
    if ((request->flags & PM_SPAWN_FILTERED) != 0)
        return PM_STEP_KEYRING;
    /* Without keyrings, or without the right to have one, the child cannot reach the caller's either. */
    if (errno == ENOSYS || errno == EPERM || errno == EACCES)
        return PM_STEP_NONE;
    /* The caller's user has too many keys: that user's own service shares what it could read in any case. */
    return errno == EDQUOT && (request->flags & PM_SPAWN_SET_IDS) == 0 ? PM_STEP_NONE : PM_STEP_KEYRING;
}
