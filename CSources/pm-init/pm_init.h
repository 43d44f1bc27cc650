/*
 * All parts of pm-init, for the files that compose them: lifecycle, requests, reap, reexec, image, resume,
 * loop and main. Everything else takes the part that it needs.
 */
#ifndef PM_INIT_H
#define PM_INIT_H

#include "failure_note.h"
#include "manager.h"
#include "orphans.h"
#include "phases.h"
#include "pmd.h"
#include "reexec_state.h"
#include "watch.h"

typedef struct {
    options options;
    lifecycle lifecycle;
    int epoll;
    int signals;   /* signalfd */
    int status_fd; /* where the start is reported, or -1 */
    bool has_more_to_reap;
    lineage lineage;
    named_fds named;
    channel channel;
    watch watch;
    orphans orphans;
    executor executor;
    launcher launcher;
    pmd pmd;
    reexec_state reexec;
    manager manager;
    failure_note note;
} pm_init;

/* Makes all parts empty; there is one pm_init, whose parts point to each other. */
void pm_init_begin(pm_init *i);
/* Gives the parts the loop's epoll instance and each other. 0 or -errno. */
int pm_init_connect(pm_init *i);

#endif
