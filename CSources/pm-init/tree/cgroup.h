/* The children's cgroups below the delegated base directory (cgroups(7), version 2). Paths are relative to
 * it. */
#ifndef CGROUP_H
#define CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Creates the cgroup, or takes an empty one that is there, and opens its directory. A descriptor, or -errno:
 * -EBUSY when it is populated, -EINVAL for a path that leaves the base directory. */
int cgroup_create(int base, const char *path);
/* Whether a process lives in it or below it. */
bool cgroup_is_populated(int base, const char *path);
/* Its cgroup.events, which reports EPOLLPRI when the population changes; a descriptor or -errno. */
int cgroup_open_events(int base, const char *path);
/* SIGKILL for all in it and below it, at once (cgroup.kill, Linux 5.14). 0 or -errno. */
int cgroup_kill(int base, const char *path);
/* Removes it with what is below it, then its parents as far as they are empty. 0, or -EBUSY while populated.
 */
int cgroup_remove(int base, const char *path);
/* Calls visit for each process in it, not below it; false when it cannot be read. */
bool cgroup_each(int base, const char *path, void (*visit)(void *, int32_t), void *context);
/* Whether the process is in the cgroup or below it, by its own word (/proc/PID/cgroup). */
bool cgroup_holds(int base, const char *path, int32_t pid);
/* Kills and removes the cgroups of children, by their names, that an earlier pm-init left in the base
 * directory. 0 or -errno: -EBUSY when others live there, who are left alone. */
int cgroup_sweep(int base);
/*
 * The base directory `name` of one pm-init below a delegated directory; no other one has it. Controllers
 * that the delegated directory passes on are passed on by it. A descriptor or -errno.
 */
int cgroup_open_base(const char *directory, const char *name);
/* The same below this process's own cgroup: the process goes into "pm" there. A descriptor or -errno: it is
 * not delegated, or not of version 2. */
int cgroup_open_own(const char *name);
/* Removes the base directory if it is empty, and closes it. */
void cgroup_close_base(int base);

#endif
