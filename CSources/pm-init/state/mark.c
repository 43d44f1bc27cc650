#define _GNU_SOURCE
#include "mark.h"
#include "pm_file.h"
#include "proc_text.h"
#include "text.h"

#include <fcntl.h>
#include <sys/resource.h>

/* Hard limits of this size are ours: no soft one, an id, is as large. */
#define MARK_MIN ((rlim_t)1 << 62)

/* FNV-1a, between MARK_MIN and what means no limit. */
static rlim_t number_of(const char *marker) {
    uint64_t hash = 0xCBF29CE484222325u;
    for (; *marker != '\0'; marker++)
        hash = (hash ^ (uint8_t)*marker) * 0x100000001B3u;
    return MARK_MIN | (hash & (MARK_MIN - 1));
}

void mark_begin(identity *self) {
    struct rlimit mark = {.rlim_cur = 0, .rlim_max = number_of(self->marker)};
    self->mark = setrlimit(RLIMIT_LOCKS, &mark) == 0 ? mark.rlim_max : 0;
}

void mark_next(const identity *self, uint64_t id) {
    const struct rlimit mark = {.rlim_cur = id < MARK_MIN ? id : 0, .rlim_max = self->mark};
    if (self->mark != 0)
        setrlimit(RLIMIT_LOCKS, &mark); /* lowering, or up to the hard one, is always allowed */
}

/* For processes of other users, where pm-init may read the file alone. */
static bool read_limits(int32_t pid, struct rlimit *out) {
    char content[4096];
    text path = text_in(content, sizeof content);
    text_add(&path, "/proc/");
    text_add_number(&path, (uint64_t)pid);
    text_add(&path, "/limits");
    int fd = open(content, O_RDONLY | O_CLOEXEC);
    int64_t size = fd < 0 ? 0 : pm_fd_read(fd, content, sizeof content);
    pm_fd_close(fd);
    return size > 0 && proc_text_file_locks(content, (size_t)size, out);
}

bool mark_of(const identity *self, int32_t pid, uint64_t *id) {
    struct rlimit found;
    if (self->mark == 0 || (prlimit(pid, RLIMIT_LOCKS, NULL, &found) < 0 && !read_limits(pid, &found)) ||
        found.rlim_max != self->mark)
        return false;
    *id = found.rlim_cur;
    return true;
}
