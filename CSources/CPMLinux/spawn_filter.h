/*
 * What a filtered child may not ask the kernel for (seccomp(2)): to change what the machine is made of
 * (mounts, modules, clocks, namespaces) or to look into other processes. Everything else is allowed, so that
 * programs that were not made for it run. Refused calls fail with EPERM.
 */
#ifndef PM_SPAWN_FILTER_H
#define PM_SPAWN_FILTER_H

#include <linux/seccomp.h>

#include <linux/filter.h>

/* Empty on an architecture that it was not written for. */
extern const struct sock_fprog pm_spawn_filter;

#endif
