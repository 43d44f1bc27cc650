/*
 * What a filtered child may ask the kernel for (seccomp(2)). spawn_calls.h has the two lists:
 *
 * PM_FILTER_ALLOWS  the calls that services need, and no others. The others fail with EPERM; those that no
 * list knows, because the kernel is newer, with ENOSYS. PM_FILTER_DENIES  everything but the calls that
 * change the machine, look into other processes or open much of the kernel; those fail with EPERM.
 *
 * Both refuse namespaces to clone(2), and clone3(2) with ENOSYS, because a filter cannot see its flags and
 * the C library then takes clone. Both refuse other calling conventions (32 bit, x32) with EPERM. Files that
 * look into other processes (/proc/PID/mem) are opened by calls that everybody needs: what keeps a child from
 * those is pm_spawn_confine.
 */
#ifndef PM_SPAWN_FILTER_H
#define PM_SPAWN_FILTER_H

#include "../include/pm_base.h"

#include <linux/filter.h>
#include <stddef.h>

typedef enum PM_CLOSED {
    PM_FILTER_ALLOWS = 0,
    PM_FILTER_DENIES = 1,
} pm_filter_kind;

/* Room for every filter: two statements for each run of numbers with the same answer. */
#define PM_FILTER_MAX 512u

/* Writes the filter, and gives how many statements it has; 0 on an architecture that it was not written for.
 * Between clone and exec: nothing but the room that is given is written to. */
size_t pm_spawn_filter(pm_filter_kind kind, struct sock_filter out[PM_FILTER_MAX]);

#endif
