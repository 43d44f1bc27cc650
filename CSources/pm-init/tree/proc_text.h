/*
 * What the kernel writes about processes, out of buffers: pure, and without a bound on how long a text is.
 * Who reads a file passes its pieces on as they come.
 */
#ifndef PROC_TEXT_H
#define PROC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

/* A list of pids, numbers with anything between them, that is being read. */
typedef struct {
    void (*visit)(void *context, int32_t pid);
    void *context;
    uint64_t pid; /* its digits so far */
} pid_list;

/* Takes the next piece, and calls visit with each pid that ends in it; what is no pid is left out. A number
 * that nothing follows is half a one. */
void pid_list_take(pid_list *list, const char *bytes, size_t size);

/* A search for "PM_MARKER=<token>-<number>" among the strings of an environment. */
typedef struct {
    const char *prefix; /* all before the number */
    size_t prefix_size;
    size_t matched;
    bool is_skipping; /* to the end of a string that is not the marker */
    bool has_digit;
    bool is_found;
    uint64_t id;
} marker_search;

/* Begins one; the prefix is the caller's until it is over. */
marker_search marker_search_for(const char *prefix, size_t prefix_size);
/* Takes the next piece. True once the marker was found, with its number in `id`. */
bool marker_search_take(marker_search *s, const char *bytes, size_t size);
/* Ends it: a program that overwrote its arguments may have cut the last terminator off. */
bool marker_search_end(marker_search *s);

/* The limit of file locks in the content of /proc/PID/limits; false where there is none in numbers. */
bool proc_text_file_locks(const char *bytes, size_t size, struct rlimit *out);

/* Whether a line of version 2 of /proc/PID/cgroup, from its first slash, names the cgroup or one below it.
 * `base` is the last part of the base directory's path, with its slash. */
bool cgroup_line_holds(const char *line, const char *base, const char *path);

#endif
