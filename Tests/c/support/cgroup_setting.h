/* Processes of others in cgroups, and long paths of version 1. */
#ifndef CGROUP_SETTING_H
#define CGROUP_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

bool is_running(pid_t pid);
/* A process in this cgroup, which is made where it is not there. */
pid_t start_in(const char *cgroup);
/* Ends it, and removes the cgroup unless it is null. */
void end_in(const char *cgroup, pid_t pid);
/* Makes a cgroup of version 1 whose path has more than 1,250 bytes, below any hierarchy; else the test is
 * skipped. */
void make_long_path(char *path, size_t capacity);
/* Removes it; the path is changed. */
void remove_long_path(char *path);

#endif
