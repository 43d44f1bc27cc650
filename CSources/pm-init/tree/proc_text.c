#define _GNU_SOURCE
#include "proc_text.h"

#include <string.h>

/* How the line of /proc/PID/limits begins. */
#define FILE_LOCKS "\nMax file locks"

void pid_list_take(pid_list *list, const char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] >= '0' && bytes[i] <= '9') {
            /* What is too large to be one stays too large. */
            list->pid = list->pid > INT32_MAX ? list->pid : list->pid * 10 + (uint64_t)(bytes[i] - '0');
            continue;
        }
        if (list->pid > 0 && list->pid <= INT32_MAX)
            list->visit(list->context, (int32_t)list->pid);
        list->pid = 0;
    }
}

marker_search marker_search_for(const char *prefix, size_t prefix_size) {
    return (marker_search){.prefix = prefix, .prefix_size = prefix_size};
}

/* True once the marker is complete. */
static bool search_byte(marker_search *s, char byte) {
    if (byte == '\0') {
        if (!s->is_skipping && s->has_digit)
            return true;
        *s = marker_search_for(s->prefix, s->prefix_size);
    } else if (s->is_skipping) {
        return false;
    } else if (s->matched < s->prefix_size) {
        s->is_skipping = byte != s->prefix[s->matched++];
    } else if (byte >= '0' && byte <= '9') {
        s->has_digit = true;
        s->is_skipping = s->id > (UINT64_MAX - 9) / 10; /* no id is so large, and none is cut to another */
        s->id = s->id * 10 + (uint64_t)(byte - '0');
    } else {
        s->is_skipping = true;
    }
    return false;
}

bool marker_search_take(marker_search *s, const char *bytes, size_t size) {
    for (size_t i = 0; i < size && !s->is_found; i++)
        s->is_found = search_byte(s, bytes[i]);
    return s->is_found;
}

bool marker_search_end(marker_search *s) {
    return marker_search_take(s, "", 1);
}

/* The number after the spaces at *at, which goes on behind it; false when there is none that fits. */
static bool next_number(const char **at, const char *end, uint64_t *out) {
    uint64_t number = 0;
    while (*at < end && **at == ' ')
        ++*at;
    const char *start = *at;
    for (; *at < end && **at >= '0' && **at <= '9'; ++*at) {
        const uint64_t digit = (uint64_t)(**at - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *out = number;
    return *at > start;
}

bool proc_text_file_locks(const char *bytes, size_t size, struct rlimit *out) {
    const char *at = memmem(bytes, size, FILE_LOCKS, strlen(FILE_LOCKS)), *end = bytes + size;
    uint64_t soft, hard;
    if (at == NULL)
        return false;
    at += strlen(FILE_LOCKS);
    if (!next_number(&at, end, &soft) || !next_number(&at, end, &hard))
        return false;
    *out = (struct rlimit){.rlim_cur = soft, .rlim_max = hard};
    return true;
}

static bool ends_with(const char *start, size_t size, const char *end) {
    size_t length = strlen(end);
    return length <= size && memcmp(start + size - length, end, length) == 0;
}

bool cgroup_line_holds(const char *line, const char *base, const char *path) {
    size_t length = strlen(path);
    for (const char *at = line; (at = strstr(at, path)) != NULL; at++) {
        if (at == line || at[-1] != '/' || (at[length] != '/' && at[length] != '\0' && at[length] != ' '))
            continue;
        size_t before = (size_t)(at - 1 - line);
        if (before == 0 || ends_with(line, before, base))
            return true;
    }
    return false;
}
