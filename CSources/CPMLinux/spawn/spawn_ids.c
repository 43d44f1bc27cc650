/*
 * The child's user and groups, before exec and by system calls alone as in spawn_child.c. Never in a vfork:
 * from here on that user may stop, end and limit the process (pm_spawn.h).
 */
#define _GNU_SOURCE
#include "spawn_internal.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Whether each of the groups is in the list. */
DIRECT static bool has_groups(const uint32_t *list, long size, const uint32_t *groups, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        long at = 0;
        while (at < size && list[at] != groups[i])
            at++;
        if (at == size)
            return false;
    }
    return true;
}

DIRECT static bool has_asked_groups(const pm_spawn_request *request) {
    uint32_t now[PM_GROUPS_MAX], real, effective, saved;
    long size = syscall(SYS_getgroups, PM_GROUPS_MAX, now);
    return size == (long)request->group_count &&
           has_groups(now, size, request->groups, request->group_count) &&
           has_groups(request->groups, size, now, (uint32_t)size) &&
           syscall(SYS_getresgid, &real, &effective, &saved) == 0 && real == request->gid &&
           effective == request->gid && saved == request->gid;
}

/* It is the user that was asked for, and root cannot be had back. */
DIRECT static bool has_asked_user(const pm_spawn_request *request) {
    uint32_t real, effective, saved;
    return syscall(SYS_getresuid, &real, &effective, &saved) == 0 && real == request->uid &&
           effective == request->uid && saved == request->uid &&
           (request->uid == 0 || syscall(SYS_setresuid, 0, 0, 0) < 0);
}

/* Neither this user nor another may look into the process before it has exec'd. */
DIRECT static bool hide(void) {
    return syscall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

DIRECT static pm_step refused(pm_step step) {
    errno = EPERM;
    return step;
}

/* By number: the C library's functions would change the ids of all threads (nptl(7), setxid). */
DIRECT pm_step pm_spawn_take_ids(const pm_spawn_request *request) {
    if ((request->flags & PM_SPAWN_SET_IDS) == 0)
        return PM_STEP_NONE;
    if (!hide())
        return PM_STEP_USER;
    if (syscall(SYS_setgroups, request->group_count, request->groups) < 0 ||
        syscall(SYS_setresgid, request->gid, request->gid, request->gid) < 0)
        return PM_STEP_GROUPS;
    /* The change sets the flag to what fs.suid_dumpable says. */
    if (syscall(SYS_setresuid, request->uid, request->uid, request->uid) < 0 || !hide())
        return PM_STEP_USER;
    if (!has_asked_groups(request))
        return refused(PM_STEP_GROUPS);
    return has_asked_user(request) ? PM_STEP_NONE : refused(PM_STEP_USER);
}
