/* Text without stdio or allocation. */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Builds a NUL-terminated string in a buffer; what does not fit is cut off. */
typedef struct {
    char *start;
    size_t size;
    size_t capacity; /* of the buffer, terminator included */
} text;

text text_in(char *buffer, size_t capacity);
void text_add(text *t, const char *string);
void text_add_number(text *t, uint64_t number);

/* Reads a decimal number up to the end of the string; false for anything else or more than `most`. */
bool text_to_number(const char *string, uint64_t most, uint64_t *out);

#endif
