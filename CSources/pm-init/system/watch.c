#define _GNU_SOURCE
#include "watch.h"
#include "cpmlinux.h"
#include "events.h"
#include "times.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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

void watch_begin(watch *w, int epoll, int page) {
    watch_end(w);
    w->turns = map_turns(page);
    w->page = page;
    if (w->turns != NULL &&
        pm_epoll_add(w->loop, epoll, PM_EPOLL_IN | PM_EPOLL_ONESHOT, event_data(EVENT_WATCHED, 0)) == 0) {
        w->epoll = epoll;
        return;
    }
    discard(w->closers, &epoll, 1);
    watch_end(w);
}

void watch_end(watch *w) {
    if (w->epoll >= 0) {
        pm_epoll_remove(w->loop, w->epoll);
        discard(w->closers, &w->epoll, 1);
    }
    if (w->turns != NULL)
        munmap((void *)w->turns, PAGE_SIZE);
    discard(w->closers, &w->page, 1);
    *w = (watch){.loop = w->loop, .closers = w->closers, .epoll = -1, .page = -1};
}

static bool has_work(const watch *w) {
    struct pollfd state = {.fd = w->epoll, .events = POLLIN};
    return poll(&state, 1, 0) == 1;
}

static void plan_look(watch *w) {
    w->look_at_ns = pm_clock_read(PM_CLOCK_MONOTONIC) + WATCH_LOOK_MS * (uint64_t)MILLISECOND_NS;
}

void watch_has_work(watch *w, int32_t pid) {
    pm_process p;
    if (w->epoll < 0)
        return;
    w->check = (hang_check){.turns = *w->turns, .cpu_ticks = pm_process_read(pid, &p) == 0 ? p.cpu_ticks : 0};
    plan_look(w);
}

/* Waits for the next work; while there is some this comes back at once. */
static void rest(watch *w) {
    w->look_at_ns = 0;
    pm_epoll_modify(w->loop, w->epoll, PM_EPOLL_IN | PM_EPOLL_ONESHOT, event_data(EVENT_WATCHED, 0));
}

/* Reads no more of pmd than it takes to see that it goes on. */
static hang_look look_at(const watch *w, int32_t pid) {
    pm_process p;
    hang_look look = {.turns = *w->turns};
    look.has_work = look.turns == w->check.turns && has_work(w);
    if (look.has_work && pm_process_read(pid, &p) == 0) {
        look.state = p.state;
        look.cpu_ticks = p.cpu_ticks;
    }
    return look;
}

bool watch_tick(watch *w, int32_t pid, uint64_t now_ns) {
    if (!is_due(w->look_at_ns, now_ns))
        return false;
    const hang_look look = look_at(w, pid);
    switch (hang_judge(&w->check, &look)) {
    case HANG_NONE: rest(w); return false;
    case HANG_MAYBE: plan_look(w); return false;
    case HANG_SURE: break;
    }
    w->look_at_ns = 0;
    return true;
}
