#define _GNU_SOURCE
#include "cgroup_setting.h"
#include "harness.h"
#include "rig.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool is_running(pid_t pid) {
    pm_process p;
    return pm_process_read(pid, &p) == 0 && p.state != 'Z';
}

/* A process in this cgroup, which is made where it is not there. */
pid_t start_in(const char *cgroup) {
    char procs[200];
    CHECK(mkdir(cgroup, 0755) == 0 || errno == EEXIST);
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    snprintf(procs, sizeof procs, "%s/cgroup.procs", cgroup);
    FILE *file = fopen(procs, "we");
    CHECK(file != NULL && fprintf(file, "%d", (int)pid) > 0 && fclose(file) == 0);
    return pid;
}

/* Ends it, and removes the cgroup if there is one to remove. */
void end_in(const char *cgroup, pid_t pid) {
    kill(pid, SIGKILL);
    wait_for(pid);
    if (cgroup != NULL)
        CHECK_EQUAL(rmdir(cgroup), 0);
}

/* A cgroup of version 1 whose path is as long as four names may be, below any hierarchy; or the test is
 * skipped. */
void make_long_path(char *path, size_t capacity) {
    char name[252];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    FILE *mounts = fopen("/proc/self/mounts", "re");
    char place[128] = "", type[32] = "";
    while (fscanf(mounts, "%*s %127s %31s %*[^\n]", place, type) == 2 && strcmp(type, "cgroup") != 0) {
    }
    fclose(mounts);
    if (strcmp(type, "cgroup") != 0)
        skip("no cgroups of version 1 here");
    snprintf(path, capacity, "%s", place);
    for (int i = 0; i < 5; i++) {
        snprintf(path + strlen(path), capacity - strlen(path), "/%s", name);
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            skip("no writable cgroup v1 here");
    }
}

void remove_long_path(char *path) {
    for (int i = 0; i < 5; i++) {
        CHECK_EQUAL(rmdir(path), 0);
        *strrchr(path, '/') = '\0';
    }
}
