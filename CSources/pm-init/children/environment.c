#define _GNU_SOURCE
#include "environment.h"
#include "manager.h"
#include "pm_contract.h"
#include "pm_spawn.h"
#include "text.h"

#include <string.h>
#include <unistd.h>

/* argv, its null, the marker, envp, JOURNAL_STREAM, its null, mounts. Only the pages in use cost memory. */
static const char *pointers[ENVIRONMENT_STRINGS_MAX + 5 + PM_MOUNTS_MAX];

#define LISTEN_PID "LISTEN_PID="
/* The child completes it. */
static char listen_pid[sizeof LISTEN_PID + PM_SPAWN_PID_SIZE];

static bool is_variable(const char *string, const char *name) {
    size_t length = strlen(name);
    return strncmp(string, name, length) == 0 && string[length] == '=';
}

/* The string at *at, which then is behind its terminator; null when there is none before the end. */
static const char *next_string(const char **at, const char *end) {
    const char *string = *at;
    const char *terminator = string < end ? memchr(string, '\0', (size_t)(end - string)) : NULL;
    if (terminator == NULL)
        return NULL;
    *at = terminator + 1;
    return string;
}

/* The stream that pm-init itself writes to is not the child's. */
static bool is_ours(const char *string) {
    return is_variable(string, PM_MARKER_VARIABLE) || is_variable(string, "JOURNAL_STREAM");
}

static bool parse_journal(environment *out, const char **at, const char *end, const char ***to) {
    static char mark[PM_JOURNAL_MARK_SIZE];
    out->journal = next_string(at, end);
    out->journal_mark = strcpy(mark, "JOURNAL_STREAM=");
    *(*to)++ = mark;
    return out->journal != NULL;
}

static bool parse_mounts(environment *out, const char **at, const char *end, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if ((out->mounts[i] = next_string(at, end)) == NULL || out->mounts[i][0] == '\0' ||
            out->mounts[i][1] != '/')
            return false;
    return *at == end;
}

/* A variable as the child gets it. */
static const char *prepared(environment *out, const char *string) {
    if (strcmp(string, LISTEN_PID) != 0)
        return string;
    memcpy(listen_pid, LISTEN_PID, sizeof LISTEN_PID);
    out->listen_pid = listen_pid + sizeof LISTEN_PID - 1;
    return listen_pid;
}

bool environment_parse(environment *out, const char *strings, const pm_spawn_message *m) {
    const char *at = strings, *end = strings + m->strings_size, *string;
    out->listen_pid = NULL;
    out->path = next_string(&at, end);
    out->cwd = out->path == NULL ? NULL : next_string(&at, end);
    if (out->cwd == NULL)
        return false;
    const char **to = pointers;
    out->argv = to;
    for (uint32_t i = 0; i < m->argc; i++)
        if ((*to++ = next_string(&at, end)) == NULL)
            return false;
    *to++ = NULL;
    out->envp = to++; /* room for the marker */
    for (uint32_t i = 0; i < m->envc; i++) {
        if ((string = next_string(&at, end)) == NULL)
            return false;
        if (!is_ours(string))
            *to++ = prepared(out, string);
    }
    out->journal = out->journal_mark = NULL;
    if ((m->flags & PM_SPAWN_TO_JOURNAL) != 0 && !parse_journal(out, &at, end, &to))
        return false;
    *to++ = NULL;
    out->mounts = to;
    return parse_mounts(out, &at, end, m->mountc);
}

void environment_inherit(environment *out, const char *extra) {
    const char **to = pointers, **end = pointers + ENVIRONMENT_STRINGS_MAX;
    *out = (environment){.envp = to++};
    if (extra != NULL)
        *to++ = extra;
    for (char **from = environ; *from != NULL && to < end; from++)
        if (!is_variable(*from, PM_MARKER_VARIABLE) && !is_variable(*from, PM_STATUS_VARIABLE) &&
            !manager_owns(*from))
            *to++ = *from;
    *to = NULL;
}

const char *environment_marker(const identity *self, uint64_t id) {
    static char marker[sizeof self->marker + 21];
    text string = text_in(marker, sizeof marker);
    text_add(&string, self->marker);
    text_add_number(&string, id);
    return marker;
}
