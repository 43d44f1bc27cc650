/* Cgroups of the world's processes, in place of cgroup.c: "child-ID" has those that were put there, and their
 * descendants. */
#define _GNU_SOURCE
#include "cgroup.h"
#include "cpmlinux.h"
#include "lines.h"
#include "proc_text.h"
#include "world.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int stand_in_kill(int32_t pid, int signal);

static uint64_t id_of(const char *path) {
    require(strncmp(path, PM_CGROUP_PREFIX, sizeof PM_CGROUP_PREFIX - 1) == 0, "a cgroup is a child's");
    return strtoull(path + sizeof PM_CGROUP_PREFIX - 1, NULL, 10);
}

bool cgroup_is_populated(int base, const char *path) {
    (void)base;
    const uint64_t id = id_of(path);
    for (uint32_t i = 0; i < WORLD_MAX; i++)
        if (world_lives(&the_world.processes[i]) && the_world.processes[i].cgroup == id)
            return true;
    return false;
}

/* Something that can be watched, and never says anything. */
int cgroup_open_events(int base, const char *path) {
    (void)base, (void)path;
    return pm_eventfd_create();
}

int cgroup_kill(int base, const char *path) {
    (void)base;
    const uint64_t id = id_of(path);
    if (!the_world.has_cgroup_kill)
        return -ENOENT;
    for (uint32_t i = 0; i < WORLD_MAX; i++) {
        process *p = &the_world.processes[i];
        if (!world_lives(p) || p->cgroup != id)
            continue;
        p->forks = 0;
        stand_in_kill(p->pid, SIGKILL);
    }
    return 0;
}

int cgroup_remove(int base, const char *path) {
    return cgroup_is_populated(base, path) ? -EBUSY : 0;
}

bool cgroup_each(int base, const char *path, void (*visit)(void *, int32_t), void *context) {
    char list[16 * WORLD_MAX];
    size_t size = 0;
    const uint64_t id = id_of(path);
    (void)base;
    for (uint32_t i = 0; i < WORLD_MAX; i++)
        if (world_lives(&the_world.processes[i]) && the_world.processes[i].cgroup == id)
            size += (size_t)snprintf(list + size, sizeof list - size, "%d\n", the_world.processes[i].pid);
    pid_list pids = {.visit = visit, .context = context};
    const size_t half = size / 2;
    pid_list_take(&pids, list, half);
    pid_list_take(&pids, list + half, size - half);
    return true;
}

bool cgroup_holds(int base, const char *path, int32_t pid) {
    char text[256], line[PATH_MAX];
    const process *p = world_find(&the_world, pid);
    (void)base;
    if (p == NULL)
        return false;
    const int size = snprintf(
        text, sizeof text, "4:memory:/%.*s\n1:name=systemd:/base/child-1\n0::/above/base/child-%llu/below\n",
        (int)(p->size % 20), "a very long name of one", (unsigned long long)p->cgroup);
    line_search search = line_search_for("0::", line, sizeof line);
    for (int at = 0; at < size; at += 5)
        line_search_take(&search, text + at, (size_t)(size - at < 5 ? size - at : 5));
    const bool is_held = line_search_end(&search) && cgroup_line_holds(line, "/base", path);
    require(is_held == (p->cgroup == id_of(path)), "a process is in its cgroup and in no other");
    return is_held;
}
