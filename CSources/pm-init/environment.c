#define _GNU_SOURCE
#include "environment.h"
#include "manager.h"
#include "text.h"

#include <string.h>
#include <unistd.h>

/* argv, its null, the marker, envp, its null. Only the pages in use cost memory. */
static const char *pointers[ENVIRONMENT_STRINGS_MAX + 4];

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

bool environment_parse(environment *out, const char *strings, const pm_spawn_message *m) {
    const char *at = strings, *end = strings + m->strings_size, *string;
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
        if (!is_variable(string, "PM_MARKER"))
            *to++ = string;
    }
    *to = NULL;
    return at == end;
}

void environment_inherit(environment *out, const char *extra) {
    const char **to = pointers, **end = pointers + ENVIRONMENT_STRINGS_MAX;
    *out = (environment){.envp = to++};
    if (extra != NULL)
        *to++ = extra;
    for (char **from = environ; *from != NULL && to < end; from++)
        if (!is_variable(*from, "PM_MARKER") && !is_variable(*from, "PM_STATUS_FD") && !manager_owns(*from))
            *to++ = *from;
    *to = NULL;
}

void environment_mark(environment *env, const holder *h, uint64_t id) {
    static char marker[sizeof h->marker + 21];
    text string = text_in(marker, sizeof marker);
    text_add(&string, h->marker);
    text_add_number(&string, id);
    env->envp[0] = marker;
}
