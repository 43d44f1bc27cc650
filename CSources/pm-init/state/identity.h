/* Which process pm-init is, and how it marks what it starts. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "options.h"

#include <stddef.h>

typedef struct {
    int32_t pid;
    uint64_t start_ticks;
    char marker[TOKEN_MAX + 16]; /* how the environment of each descendant begins (pm_contract.h) */
    size_t marker_size;
    uint64_t mark; /* the marker as a number, on each descendant; 0: there are no marks (mark.c) */
} identity;

/* The process as it is; `token` null: a marker that no other pm-init has, made of pid and start time. */
void identity_find(identity *self, const char *token);
/* "pm-<token>", which no other pm-init has, and which the next one with this token has again. */
void identity_name(const identity *self, char *buffer, size_t capacity);

#endif
