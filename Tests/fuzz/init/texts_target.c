/* What pm-init reads of the kernel's texts, against the plainest way to do the same. */
#define _GNU_SOURCE
#include "lines.h"
#include "nonchildren.h"
#include "pm_file.h"
#include "proc_text.h"
#include "procs.h"
#include "requests_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_ROOM 32u

/* A file with these bytes; its descriptor, and its path. */
static int make_file(const uint8_t *bytes, size_t size, char *path, size_t capacity) {
    int fd = pm_memfd_create("fuzz");
    require(fd >= 0 && pm_fd_write(fd, bytes, size) == (int64_t)size && lseek(fd, 0, SEEK_SET) == 0,
            "there is a file");
    snprintf(path, capacity, "/proc/self/fd/%d", fd);
    return fd;
}

static void read_line(const uint8_t *bytes, size_t size) {
    char path[64], got[LINE_ROOM];
    int fd = make_file(bytes, size, path, sizeof path);
    bool found = line_after(path, "0::", got, sizeof got);
    close(fd);
    const uint8_t *at = bytes, *end = bytes + size, *stop = NULL;
    for (; at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL || (stop - at >= 3 && memcmp(at, "0::", 3) == 0))
            break;
    }
    bool expected = at < end && stop != NULL && (size_t)(stop - at) - 3 < LINE_ROOM;
    require(found == expected, "a line is found where it is");
    require(!found || memcmp(got, at + 3, (size_t)(stop - at) - 3) == 0, "a line is read whole");
}

typedef struct {
    int32_t last;
    uint32_t count;
} listed;

static void note_listed(void *context, int32_t pid) {
    listed *l = context;
    require(pid > 0, "a pid is positive");
    l->last = pid;
    l->count++;
}

static void read_list(const uint8_t *bytes, size_t size) {
    char path[64];
    listed got = {0}, expected = {0};
    int fd = make_file(bytes, size, path, sizeof path);
    require(procs_each_listed(fd, note_listed, &got), "a list is read to its end");
    close(fd);
    for (size_t i = 0; i < size; i++) {
        char digits[21];
        size_t n = 0, all = 0;
        for (; i < size && bytes[i] >= '0' && bytes[i] <= '9'; i++, all++)
            if ((n > 0 || bytes[i] != '0') && n < sizeof digits - 1)
                digits[n++] = (char)bytes[i];
        digits[n] = '\0';
        unsigned long long number = n > 11 ? ~0ull : strtoull(digits, NULL, 10);
        if (all > 0 && i < size && number > 0 && number <= INT32_MAX) {
            expected.last = (int32_t)number;
            expected.count++;
        }
    }
    require(got.last == expected.last && got.count == expected.count, "a list has the pids that it has");
}

static void read_path(const uint8_t *bytes, size_t size) {
    char text[3][64] = {{0}};
    size_t which = 0, at = 0;
    for (size_t i = 0; i < size && which < 3; i++)
        if (bytes[i] == 0)
            which++, at = 0;
        else if (at < sizeof text[0] - 1)
            text[which][at++] = (char)bytes[i];
    if (text[1][0] != '\0')
        require(!cgroup_line_holds(text[0], text[2], text[1]) || strstr(text[0], text[1]) != NULL,
                "a cgroup that holds is named");
}

static void remember(lineage *l, const uint8_t *bytes, size_t size) {
    l->self.start_ticks = UINT64_MAX;
    for (; size >= 6; bytes += 6, size -= 6) {
        int32_t pid;
        memcpy(&pid, bytes, sizeof pid);
        const uint64_t inode = bytes[4];
        const pm_process p = {.pid = pid, .parent = 1, .start_ticks = 0};
        if (bytes[5] % 4 == 0)
            nonchildren_begin(&l->nonchildren);
        nonchildren_learn(&l->nonchildren, &l->self, &p, inode);
        bool can_be = pid > 0 && pid != l->self.pid && inode > 1;
        require(nonchildren_has(&l->nonchildren, pid, inode) == can_be, "who was learned is known");
        require(!nonchildren_has(&l->nonchildren, pid, inode + 256), "another with that pid is not");
        require(l->nonchildren.count < l->nonchildren.capacity || l->nonchildren.capacity == 0,
                "there is a free place");
    }
    l->self.start_ticks = 0;
}

void read_texts(lineage *l, const uint8_t *bytes, size_t size) {
    if (size == 0)
        return;
    switch (bytes[0] % 4) {
    case 0: read_line(bytes + 1, size - 1); break;
    case 1: read_list(bytes + 1, size - 1); break;
    case 2: read_path(bytes + 1, size - 1); break;
    default: remember(l, bytes + 1, size - 1);
    }
}
