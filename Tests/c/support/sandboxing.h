/* What the tests of sandboxes share. */
#ifndef SANDBOXING_H
#define SANDBOXING_H

#include "spawning.h"

/* A request for the role "probe", which tries its words and says how each ended (probe.c). */
typedef struct {
    prepared p;
    char mounts[8][160];
    const char *list[8];
    char words[8][176];
} sandbox;

/* One without mounts and words; there is only one at a time. */
sandbox *new_sandbox(void);
/* Adds a mount: a letter of pm_mount_kind and a path. */
void add_mount(sandbox *s, char letter, const char *path);
/* Adds a word for the probe, put together of three; at most 8. */
void add_word(sandbox *s, const char *before, const char *path, const char *after);
/* The namespaces that this user can have, as flags. */
uint32_t namespaces(void);
/* Skips the test where this user can have none. */
void skip_without_namespaces(void);
/* A directory "name" in the test's, with a directory "inner"; gives the path. */
const char *make_directory(char path[128], const char *name);
/* The text has the line. */
void check_line(const char *text, const char *line);
/* The text has the line "word: answer". */
void check_answer(const char *text, const char *word, const char *answer);

#endif
