#include "options.h"
#include "text.h"

#include <string.h>

static bool is_token(const char *string) {
    size_t length = strlen(string);
    /* It is part of a directory's name. It is searched for in environments up to a '-', which therefore
     * cannot be part of its end. */
    return length > 0 && length <= TOKEN_MAX && strpbrk(string, "=/") == NULL;
}

static const char *parse_option(const char *name, const char *value, options *out) {
    uint64_t number = 0;
    if (strcmp(name, "--lock") == 0)
        out->lock = value;
    else if (strcmp(name, "--cgroup") == 0 && strcmp(value, "own") == 0)
        out->is_cgroup_own = true;
    else if (strcmp(name, "--cgroup") == 0)
        out->cgroup = value;
    else if (strcmp(name, "--marker") == 0 && is_token(value))
        out->token = value;
    else if (strcmp(name, "--status-fd") == 0 && text_to_number(value, 1 << 20, &number))
        out->status_fd = (int)number;
    else if (strcmp(name, "--grace") == 0 && text_to_number(value, 86400, &number))
        out->grace_s = (uint32_t)number;
    else
        return "unknown option, or a value that it does not take";
    return NULL;
}

/* How many arguments tell the mode. */
static int parse_mode(int argc, char *const *argv, options *out) {
    uint64_t number;
    if (argc < 3 || !text_to_number(argv[2], 1 << 20, &number))
        return 0;
    if (strcmp(argv[1], "--resume") == 0)
        out->mode = OPTIONS_RESUME;
    else if (strcmp(argv[1], "--check") == 0)
        out->mode = OPTIONS_CHECK;
    else
        return 0;
    out->image_fd = (int)number;
    return 2;
}

const char *options_parse(int argc, char *const *argv, options *out) {
    *out = (options){.status_fd = -1, .image_fd = -1, .grace_s = 60};
    int at = 1 + parse_mode(argc, argv, out);
    out->arguments = argv + at;
    while (at < argc && strcmp(argv[at], "--") != 0) {
        const char *wrong =
            at + 1 < argc ? parse_option(argv[at], argv[at + 1], out) : "option without value";
        if (wrong != NULL)
            return wrong;
        at += 2;
    }
    if (at + 1 >= argc)
        return "no program after --";
    out->program = argv + at + 1;
    return NULL;
}
