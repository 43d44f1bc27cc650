/* The command line: pm-init [--lock PATH] [--status-fd N] [--cgroup DIR] [--marker TOKEN] [--grace SECONDS]
 * -- PROGRAM [ARG...] */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdint.h>

/* Longest marker token, bytes. */
#define TOKEN_MAX 64u

typedef struct {
    const char *lock;     /* file to lock for life, or null */
    const char *cgroup;   /* delegated cgroup v2 directory, or null */
    const char *token;    /* what descendants are marked with, or null: a token that no other run has */
    int status_fd;        /* where the start is reported, or -1 */
    uint32_t grace_s;     /* how long pmd may take to stop all after a SIGTERM */
    char *const *program; /* PROGRAM and its arguments, null-terminated */
} options;

/* Null, or what is wrong with the command line. */
const char *options_parse(int argc, char *const *argv, options *out);

#endif
