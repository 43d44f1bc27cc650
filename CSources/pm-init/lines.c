#define _GNU_SOURCE
#include "lines.h"
#include "pm_file.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>

/* Where a search is in its line. */
typedef struct {
    const char *prefix;
    size_t prefix_size;
    size_t matched;
    char *out;
    size_t capacity;
    size_t size;
    bool is_skipping; /* to the end of a line that is another */
    bool is_too_long;
} line_search;

/* True at the end of the line that was searched for. */
static bool search_byte(line_search *s, char byte) {
    if (byte == '\n') {
        bool is_found = !s->is_skipping && s->matched == s->prefix_size;
        s->matched = is_found ? s->matched : 0;
        s->is_skipping = false;
        return is_found;
    }
    if (s->is_skipping)
        return false;
    if (s->matched < s->prefix_size)
        s->is_skipping = byte != s->prefix[s->matched++];
    else if (s->size < s->capacity - 1)
        s->out[s->size++] = byte;
    else
        s->is_too_long = true;
    return false;
}

bool line_after(const char *path, const char *prefix, char *out, size_t capacity) {
    char batch[4096];
    line_search s = {.prefix = prefix, .prefix_size = strlen(prefix), .out = out, .capacity = capacity};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool is_found = false;
    int64_t size;
    while (!is_found && fd >= 0 && (size = pm_fd_read(fd, batch, sizeof batch)) > 0)
        for (int64_t i = 0; i < size && !is_found; i++)
            is_found = search_byte(&s, batch[i]);
    pm_fd_close(fd);
    out[s.size] = '\0';
    return is_found && !s.is_too_long;
}
