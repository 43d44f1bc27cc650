/* Files of the kernel that have a line for each thing, as many and as long as they may be. */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies what follows the prefix in the first line of the file that begins with it, without the line's end,
 * to out[capacity]. False when there is no such line, or when it does not fit.
 */
bool line_after(const char *path, const char *prefix, char *out, size_t capacity);

#endif
