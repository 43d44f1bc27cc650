#define _GNU_SOURCE
#include "world.h"

#include <signal.h>
#include <string.h>

/* Few, so that they are given again soon. */
#define FIRST_PID 100
#define LAST_PID 140
#define INIT 1

world the_world;

void world_begin(world *w, const lineage *l) {
    memset(w, 0, sizeof *w);
    w->l = l;
    w->last_pid = FIRST_PID;
    w->now_ticks = l->self.start_ticks;
    w->now_ns = SECOND_NS;
    w->last_inode = 1000;
}

process *world_find(world *w, int32_t pid) {
    for (uint32_t i = 0; i < WORLD_MAX; i++)
        if (pid != 0 && w->processes[i].pid == pid)
            return &w->processes[i];
    return NULL;
}

process *world_at(world *w, uint8_t index) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < WORLD_MAX; i++)
        count += w->processes[i].pid != 0;
    if (count == 0)
        return NULL;
    index %= (uint8_t)count;
    for (uint32_t i = 0;; i++)
        if (w->processes[i].pid != 0 && index-- == 0)
            return &w->processes[i];
}

static bool is_number_free(const world *w, int32_t pid) {
    for (uint32_t i = 0; i < WORLD_MAX; i++) {
        const process *p = &w->processes[i];
        if (p->pid != 0 && (p->pid == pid || p->group == pid || p->session == pid))
            return false;
    }
    return true;
}

static int32_t next_pid(world *w) {
    for (int32_t tries = FIRST_PID; tries <= LAST_PID; tries++) {
        w->last_pid = w->last_pid >= LAST_PID ? FIRST_PID : w->last_pid + 1;
        if (is_number_free(w, w->last_pid))
            return w->last_pid;
    }
    return 0;
}

process *world_fork(world *w, const process *parent) {
    process *p = NULL;
    for (uint32_t i = 0; i < WORLD_MAX && p == NULL; i++)
        if (w->processes[i].pid == 0)
            p = &w->processes[i];
    int32_t pid = p == NULL ? 0 : next_pid(w);
    if (pid == 0)
        return NULL;
    *p = parent != NULL ? *parent : (process){.pid = INIT, .session = INIT, .group = INIT};
    p->parent = p->pid;
    p->pid = pid;
    p->inode = ++w->last_inode;
    p->start_ticks = w->now_ticks;
    p->is_zombie = p->is_ending = p->is_stopped = p->is_wild = false;
    p->wait_status = 0;
    return p;
}

void world_reap(world *w, process *p) {
    (void)w;
    *p = (process){0};
}

static void adopt(world *w, process *p) {
    p->parent = p->is_ours ? w->l->self.pid : INIT;
    if (p->is_zombie && !p->is_ours)
        world_reap(w, p);
}

void world_exit(world *w, process *p, int wait_status) {
    const int32_t pid = p->pid;
    p->is_zombie = true;
    p->wait_status = wait_status;
    for (uint32_t i = 0; i < WORLD_MAX; i++)
        if (w->processes[i].pid != 0 && w->processes[i].parent == pid)
            adopt(w, &w->processes[i]);
    if (p->parent == INIT)
        world_reap(w, p);
}

bool world_lives(const process *p) {
    return p->pid != 0 && !p->is_zombie;
}

bool world_is_told(const process *p) {
    return world_lives(p) && p->is_ours && p->child != 0 && !p->is_wild && !p->is_ending &&
           (p->has_mark || p->has_environment);
}
