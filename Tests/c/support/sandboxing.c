#define _GNU_SOURCE
#include "sandboxing.h"
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void check_line(const char *text, const char *line) {
    if (!has_line(text, line))
        fail_at(__FILE__, __LINE__, "no \"%s\" in:\n%s", line, text);
}

/* Namespaces as this user can have them. */
uint32_t namespaces(void) {
    return PM_SPAWN_NEW_MOUNTS | (geteuid() == 0 ? 0 : PM_SPAWN_NEW_USERS);
}

void skip_without_namespaces(void) {
    prepared p;
    pm_child child;
    pm_spawn_failure failure;
    prepare(&p, 2, "exit", "0");
    p.request.flags = namespaces();
    if (spawn(&p.request, &child, &failure))
        wait_for(child.pid);
    else if (failure.step == PM_STEP_NAMESPACE)
        skip("no namespaces for this user");
}

/* A directory "name" in the test's, with a directory "inner". */
const char *make_directory(char path[128], const char *name) {
    char inner[160];
    snprintf(path, 128, "%s/%s", scratch(), name);
    CHECK_EQUAL(mkdir(path, 0755), 0);
    snprintf(inner, sizeof inner, "%s/inner", path);
    CHECK_EQUAL(mkdir(inner, 0755), 0);
    return path;
}

void add_mount(sandbox *s, char letter, const char *path) {
    uint32_t at = s->p.request.mount_count++;
    CHECK(snprintf(s->mounts[at], sizeof s->mounts[at], "%c%s", letter, path) < (int)sizeof s->mounts[at]);
    s->list[at] = s->mounts[at];
    s->p.request.mounts = s->list;
}

void add_word(sandbox *s, const char *before, const char *path, const char *after) {
    for (int i = 0; i < 8; i++)
        if (s->p.argv[3 + i] == NULL) {
            snprintf(s->words[i], sizeof s->words[i], "%s%s%s", before, path, after);
            s->p.argv[3 + i] = s->words[i];
            return;
        }
}

sandbox *new_sandbox(void) {
    static sandbox s;
    s = (sandbox){0};
    prepare(&s.p, -1, "probe", NULL);
    s.p.request.flags = namespaces();
    return &s;
}

void check_answer(const char *text, const char *path, const char *answer) {
    char line[256];
    snprintf(line, sizeof line, "%s: %s", path, answer);
    check_line(text, line);
}
