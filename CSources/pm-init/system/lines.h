/* Files of the kernel that have a line for each thing, as many and as long as they may be. */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>
#include <stddef.h>

/* A search for the first line that begins with a prefix, in a text that comes in pieces. */
typedef struct {
    const char *prefix;
    size_t prefix_size;
    size_t matched;
    char *out;
    size_t capacity;
    size_t size;
    bool is_skipping; /* to the end of a line that is another */
    bool is_too_long;
    bool is_found;
} line_search;

/* Begins one; what follows the prefix goes to out[capacity]. Both are the caller's until the search is over.
 */
line_search line_search_for(const char *prefix, char *out, size_t capacity);
/* Takes the next piece. True once the line was found, and then more is not needed. */
bool line_search_take(line_search *s, const char *bytes, size_t size);
/* Ends it: terminates `out`. False when there is no such line, or when it does not fit. */
bool line_search_end(line_search *s);

/*
 * Copies what follows the prefix in the first line of the file that begins with it, without the line's end,
 * to out[capacity]. False when there is no such line, or when it does not fit.
 */
bool line_after(const char *path, const char *prefix, char *out, size_t capacity);

#endif
