/* What pm-exec reads, fuzzed: an input is the file that pm-init would have written for it. */
#define _GNU_SOURCE
#include "cpmlinux.h"
#include "exec_request.h"
#include "rules.h"

#include <string.h>
#include <unistd.h>

const char *const target_name = "executor's request";

static void check(const exec_request *request) {
    const pm_spawn_request *spawn = &request->child.spawn;
    check_child(spawn, "PM_MARKER=fuzz-1");
    require(spawn->fd_count <= PM_FDS_MAX, "pm-exec gets no more than pm-init");
    for (uint32_t i = 0; i < spawn->fd_count; i++)
        require(spawn->fds[i] == (int32_t)i, "descriptors are where pm-init put them");
    require((spawn->flags & (PM_SPAWN_NEW_SESSION | PM_SPAWN_IN_CGROUP | PM_SPAWN_WANT_PIDFD)) == 0,
            "what starting pm-exec does is not done again");
    require(spawn->cgroup_fd == -1, "a cgroup is pm-init's");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static exec_request request;
    static int file = -1;
    pm_spawn_failure failure = {.step = PM_STEP_NONE};
    if (file < 0)
        file = pm_memfd_create("request");
    require(file >= 0 && ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size,
            "a request is written");
    if (exec_request_read(&request, file, "PM_MARKER=fuzz-1", &failure))
        check(&request);
    else
        require(failure.step != PM_STEP_NONE && failure.error > 0, "a refusal says why");
    exec_request_end(&request);
    return 0;
}
