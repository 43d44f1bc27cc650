#define _GNU_SOURCE
#include "lines.h"
#include "pm_file.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>

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

line_search line_search_for(const char *prefix, char *out, size_t capacity) {
    return (line_search){.prefix = prefix, .prefix_size = strlen(prefix), .out = out, .capacity = capacity};
}

bool line_search_take(line_search *s, const char *bytes, size_t size) {
    for (size_t i = 0; i < size && !s->is_found; i++)
        s->is_found = search_byte(s, bytes[i]);
    return s->is_found;
}

bool line_search_end(line_search *s) {
    s->out[s->size] = '\0';
    return s->is_found && !s->is_too_long;
}

bool line_after(const char *path, const char *prefix, char *out, size_t capacity) {
    char batch[4096];
    line_search s = line_search_for(prefix, out, capacity);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int64_t size;
    while (fd >= 0 && (size = pm_fd_read(fd, batch, sizeof batch)) > 0)
        if (line_search_take(&s, batch, (size_t)size))
            break;
    pm_fd_close(fd);
    return line_search_end(&s);
}
