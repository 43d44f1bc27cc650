#define _GNU_SOURCE
#include "watch.h"
#include "cpmlinux.h"
#include "discard.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_NS (1500u * (uint64_t)MILLISECOND_NS)
/* So many looks in a row without a turn, and it hangs: three seconds. */
#define LOOKS 2
#define PAGE_SIZE 4096

/* A page that its maker could cut off would kill us on the next look. */
static const _Atomic uint64_t *map_turns(int page) {
    struct stat status;
    int seals = fcntl(page, F_GET_SEALS);
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || fstat(page, &status) < 0 || status.st_size < PAGE_SIZE)
        return NULL;
    void *memory = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, page, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void watch_begin(holder *h, int epoll, int page) {
    watched_loop *w = &h->watched;
    watch_end(h);
    w->turns = map_turns(page);
    w->page = page;
    if (w->turns != NULL &&
        pm_epoll_add(h->epoll, epoll, PM_EPOLL_IN | PM_EPOLL_ONESHOT, (uint64_t)EVENT_WATCHED << 32) == 0) {
        w->epoll = epoll;
        return;
    }
    discard(h, &epoll, 1);
    watch_end(h);
}

void watch_end(holder *h) {
    watched_loop *w = &h->watched;
    if (w->epoll >= 0) {
        pm_epoll_remove(h->epoll, w->epoll);
        discard(h, &w->epoll, 1);
    }
    if (w->turns != NULL)
        munmap((void *)w->turns, PAGE_SIZE);
    discard(h, &w->page, 1);
    *w = (watched_loop){.epoll = -1, .page = -1};
}

static bool has_work(const watched_loop *w) {
    struct pollfd state = {.fd = w->epoll, .events = POLLIN};
    return poll(&state, 1, 0) == 1;
}

static void plan_look(holder *h) {
    h->watched.look_at_ns = pm_clock_read(PM_CLOCK_MONOTONIC) + LOOK_NS;
}

static void begin_looking(holder *h) {
    watched_loop *w = &h->watched;
    pm_process p;
    w->seen_turns = *w->turns;
    w->doubts = 0;
    w->cpu_ticks = pm_process_read(h->pmd.pid, &p) == 0 ? p.cpu_ticks : 0;
    plan_look(h);
}

void watch_has_work(holder *h) {
    if (h->watched.epoll >= 0)
        begin_looking(h);
}

/*
 * Whether a process that makes no turn is to blame: not while a debugger holds it, the disk makes it wait or
 * it gets no processor.
 */
static bool is_hanging(watched_loop *w, const pm_process *p) {
    bool has_run = p->cpu_ticks != w->cpu_ticks;
    w->cpu_ticks = p->cpu_ticks;
    return p->state != 't' && p->state != 'D' && (p->state != 'R' || has_run);
}

/* Waits for the next work; while there is some this comes back at once. */
static void rest(holder *h) {
    watched_loop *w = &h->watched;
    w->look_at_ns = 0;
    pm_epoll_modify(h->epoll, w->epoll, PM_EPOLL_IN | PM_EPOLL_ONESHOT, (uint64_t)EVENT_WATCHED << 32);
}

void watch_tick(holder *h, uint64_t now_ns) {
    watched_loop *w = &h->watched;
    pm_process p;
    if (w->look_at_ns == 0 || now_ns < w->look_at_ns)
        return;
    if (*w->turns != w->seen_turns || !has_work(w) || pm_process_read(h->pmd.pid, &p) < 0) {
        rest(h);
        return;
    }
    if (is_hanging(w, &p))
        w->doubts++;
    plan_look(h);
    if (w->doubts < LOOKS)
        return;
    w->look_at_ns = 0;
    h->pmd.has_hung = true;
    kill(h->pmd.pid, SIGKILL);
}
