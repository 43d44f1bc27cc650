/*
 * Processes that a fuzz target makes of its input, in place of the kernel's, by the kernel's rules: who forks
 * passes on session, group, environment and limits; the children of who ends go to pm-init or to pid 1; no
 * number is given while a process, a group or a session has it. What pm-init reads of them is text, read by
 * its own code.
 */
#ifndef WORLD_H
#define WORLD_H

#include "lineage.h"
#include "rules.h"
#include "times.h"

#define WORLD_MAX 24u
#define WORLD_BYTES 48u
/* The pid of pm-init. */
#define WORLD_INIT 90

typedef struct {
    int32_t pid; /* 0: the place is free */
    int32_t parent;
    int32_t group;
    int32_t session;
    uint64_t start_ticks;
    uint64_t inode;
    uint64_t child;  /* id of the record to whose tree it belongs in truth; 0: of none */
    uint64_t cgroup; /* id of the record in whose cgroup it is; 0: of none */
    bool is_ours;    /* descends from pm-init */
    bool is_zombie;
    bool is_ending; /* has no environment any more */
    bool is_stopped;
    bool is_wild;         /* its /proc/PID/stat are the bytes, whatever they say */
    bool has_environment; /* the marker is in it */
    bool has_mark;        /* in the limit of file locks */
    uint8_t forks;        /* so many times it forks when it is killed */
    int wait_status;
    uint8_t bytes[WORLD_BYTES]; /* of its name, or its stat */
    size_t size;
} process;

typedef struct {
    const lineage *l;
    process processes[WORLD_MAX];
    int32_t last_pid;
    uint64_t last_inode;
    uint64_t now_ticks;
    uint64_t now_ns;
    bool has_cgroup_kill;  /* Linux 5.14 */
    bool is_changing;      /* something happened while it was looked at: nobody has to be found then */
    const uint8_t *script; /* what happens while it is looked at, one byte for each process that is visited */
    size_t script_size;
    bool (*may_signal)(const process *p); /* the rule of the moment */
} world;

/* The world of the target that runs. */
extern world the_world;

/* An empty one. */
void world_begin(world *w, const lineage *l);
/* The process with this pid, or null. */
process *world_find(world *w, int32_t pid);
/* A process at the index among those that are there, or null. */
process *world_at(world *w, uint8_t index);
/* A copy of the parent's, or one of pid 1's; null when there is no room. */
process *world_fork(world *w, const process *parent);
/* It ends: a zombie, until its parent takes note. */
void world_exit(world *w, process *p, int wait_status);
/* It is gone. */
void world_reap(world *w, process *p);
/* Whether its own words tell whose it is: nothing can keep pm-init from finding it. */
bool world_is_told(const process *p);
/* Whether it lives. */
bool world_lives(const process *p);

#endif
