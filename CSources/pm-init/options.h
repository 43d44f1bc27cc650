/*
 * The command line: pm-init [--resume FD | --check FD] [--lock PATH] [--status-fd N] [--cgroup DIR|own]
 * [--marker TOKEN] [--grace SECONDS] -- PROGRAM [ARG...]
 *
 * --resume and --check, in the first place only, come from a pm-init alone (reexec.h).
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Longest marker token, bytes. */
#define TOKEN_MAX 64u

typedef enum {
    OPTIONS_BEGIN,  /* a pm-init of its own */
    OPTIONS_RESUME, /* goes on from the image in image_fd */
    OPTIONS_CHECK,  /* says by its exit status whether it could */
} options_mode;

typedef struct {
    options_mode mode;
    int image_fd;           /* -1 with OPTIONS_BEGIN */
    char *const *arguments; /* of the command line, after the program's name and the mode */
    const char *lock;       /* file to lock for life, or null */
    const char *cgroup;     /* delegated cgroup v2 directory, or null */
    bool is_cgroup_own;     /* the base is this process's own cgroup */
    const char *token;      /* what descendants are marked with, or null: a token that no other run has */
    int status_fd;          /* where the start is reported, or -1 */
    uint32_t grace_s;       /* how long pmd may take to stop all after a SIGTERM */
    char *const *program;   /* PROGRAM and its arguments, null-terminated */
} options;

/* Null, or what is wrong with the command line. */
const char *options_parse(int argc, char *const *argv, options *out);

#endif
