#define _GNU_SOURCE
#include "mark.h"
#include "pm_file.h"
#include "text.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

/* Hard limits of this size are ours: no soft one, an id, is as large. */
#define MARK_MIN ((rlim_t)1 << 62)
/* How the line of /proc/PID/limits begins. */
#define LINE "\nMax file locks"

/* FNV-1a, between MARK_MIN and what means no limit. */
static rlim_t number_of(const char *marker) {
    uint64_t hash = 0xCBF29CE484222325u;
    for (; *marker != '\0'; marker++)
        hash = (hash ^ (uint8_t)*marker) * 0x100000001B3u;
    return MARK_MIN | (hash & (MARK_MIN - 1));
}

void mark_begin(holder *h) {
    struct rlimit mark = {.rlim_cur = 0, .rlim_max = number_of(h->marker)};
    h->mark = setrlimit(RLIMIT_LOCKS, &mark) == 0 ? mark.rlim_max : 0;
}

void mark_next(const holder *h, uint64_t id) {
    const struct rlimit mark = {.rlim_cur = id < MARK_MIN ? id : 0, .rlim_max = h->mark};
    if (h->mark != 0)
        setrlimit(RLIMIT_LOCKS, &mark); /* lowering, or up to the hard one, is always allowed */
}

/* The number after the spaces at *at, which goes on behind it; false when there is none. */
static bool next_number(const char **at, uint64_t *out) {
    char digits[21];
    size_t n = 0;
    *at += strspn(*at, " ");
    for (; n < sizeof digits - 1 && **at >= '0' && **at <= '9'; ++*at)
        digits[n++] = **at;
    digits[n] = '\0';
    return text_to_number(digits, UINT64_MAX, out);
}

/* For processes of other users, where the holder may read the file alone. */
static bool read_limits(int32_t pid, struct rlimit *out) {
    char content[4096];
    text path = text_in(content, sizeof content);
    text_add(&path, "/proc/");
    text_add_number(&path, (uint64_t)pid);
    text_add(&path, "/limits");
    int fd = open(content, O_RDONLY | O_CLOEXEC);
    int64_t size = fd < 0 ? 0 : pm_fd_read(fd, content, sizeof content - 1);
    pm_fd_close(fd);
    content[size > 0 ? size : 0] = '\0';
    const char *at = strstr(content, LINE);
    uint64_t soft, hard;
    if (at == NULL)
        return false;
    at += strlen(LINE);
    if (!next_number(&at, &soft) || !next_number(&at, &hard))
        return false;
    *out = (struct rlimit){.rlim_cur = soft, .rlim_max = hard};
    return true;
}

bool mark_of(const holder *h, int32_t pid, uint64_t *id) {
    struct rlimit found;
    if (h->mark == 0 || (prlimit(pid, RLIMIT_LOCKS, NULL, &found) < 0 && !read_limits(pid, &found)) ||
        found.rlim_max != h->mark)
        return false;
    *id = found.rlim_cur;
    return true;
}
