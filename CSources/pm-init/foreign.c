#define _GNU_SOURCE
#include "foreign.h"
#include "pm_clock.h"
#include "pm_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* No machine makes more processes in a second; so many pids, and no wrap can have passed unseen. */
#define FORKS_PER_SECOND 40000u

/* The number at the end of a file of /proc, or 0. */
static uint32_t last_number(const char *path) {
    char content[128];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int64_t size = fd < 0 ? 0 : pm_fd_read(fd, content, sizeof content);
    pm_fd_close(fd);
    uint32_t number = 0, unit = 1;
    for (int64_t i = size - 1; i >= 0 && (content[i] == '\n' || (content[i] >= '0' && content[i] <= '9'));
         i--)
        if (content[i] != '\n') {
            number += unit * (uint32_t)(content[i] - '0');
            unit *= 10;
        }
    return number;
}

static void prepare(foreign_pids *f) {
    f->pid_max = last_number("/proc/sys/kernel/pid_max");
    size_t size = f->pid_max / 8 + 8;
    void *bits = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    f->bits = bits == MAP_FAILED ? NULL : bits;
    f->is_prepared = true;
}

void foreign_begin(holder *h) {
    foreign_pids *f = &h->foreign;
    if (!f->is_prepared)
        prepare(f);
    if (f->bits == NULL)
        return;
    uint32_t last_pid = last_number("/proc/loadavg");
    uint64_t now = pm_clock_read(PM_CLOCK_MONOTONIC);
    uint64_t shortest_cycle_ns = (uint64_t)f->pid_max * SECOND_NS / FORKS_PER_SECOND;
    bool is_valid = last_pid >= f->last_pid && last_pid > 0 && now - f->begun_at_ns < shortest_cycle_ns;
    if (!is_valid && f->last_pid > 0)
        madvise(f->bits, f->pid_max / 8 + 8, MADV_DONTNEED); /* reads as zeroes from here on */
    f->last_pid = last_pid;
    f->begun_at_ns = now;
}

bool foreign_has(const holder *h, int32_t pid) {
    const foreign_pids *f = &h->foreign;
    /* A pid above the last one may come up any time, wrapped or not. */
    return f->bits != NULL && (uint32_t)pid <= f->last_pid && (f->bits[pid / 64] >> (pid % 64) & 1) != 0;
}

void foreign_learn(holder *h, const pm_process *p) {
    foreign_pids *f = &h->foreign;
    if (f->bits == NULL || p->pid == h->pid || (uint32_t)p->pid > f->last_pid || f->last_pid > f->pid_max)
        return;
    if (p->start_ticks < h->start_ticks || foreign_has(h, p->parent))
        f->bits[p->pid / 64] |= (uint64_t)1 << (p->pid % 64);
}
