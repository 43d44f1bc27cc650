#define _GNU_SOURCE
#include "rules.h"
#include "environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fail(const char *rule) {
    fprintf(stderr, "does not hold: %s\n", rule);
    abort();
}

static size_t length_of(const char *const *list) {
    size_t count = 0;
    for (; list[count] != NULL; count++)
        require(strlen(list[count]) < PM_CONTROL_MAX * 128u, "a string ends");
    return count;
}

void check_child(const pm_spawn_request *request, const char *marker) {
    require(length_of(request->argv) > 0, "there is an argument");
    require(length_of(request->envp) > 0 && strncmp(request->envp[0], marker, strlen(marker)) == 0,
            "the marker comes first");
    for (size_t i = 1; request->envp[i] != NULL; i++)
        require(strncmp(request->envp[i], "PM_MARKER=", 10) != 0, "there is one marker");
    require(request->group_count <= PM_GROUPS_MAX && request->rlimit_count <= PM_RLIMITS_MAX + 1 &&
                request->fd_count <= PM_SPAWN_FDS_MAX && request->mount_count <= PM_MOUNTS_MAX,
            "counts are within their arrays");
    for (uint32_t i = 0; i < request->mount_count; i++)
        require(request->mounts[i][0] != '\0' && request->mounts[i][1] == '/',
                "a mount has a kind and a path");
    if ((request->flags & PM_SPAWN_SET_IDS) == 0)
        return;
    require(request->uid != UINT32_MAX && request->uid != UINT16_MAX && request->gid != UINT32_MAX &&
                request->gid != UINT16_MAX,
            "ids are somebody's");
    for (uint32_t i = 0; i < request->group_count; i++)
        require(request->groups[i] != UINT32_MAX && request->groups[i] != UINT16_MAX,
                "groups are some group's");
}
