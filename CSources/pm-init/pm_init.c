#include "pm_init.h"
#include "pm_epoll.h"

void pm_init_begin(pm_init *i) {
    *i = (pm_init){
        .epoll = -1,
        .signals = -1,
        .status_fd = -1,
        .note = {.lock = -1},
        .lineage = {.cgroup = -1},
        .executor = {.program = -1},
        .reexec = {.program = -1},
        .channel = {.fd = -1},
        .watch = {.epoll = -1, .page = -1},
    };
    named_init(&i->named);
}

int pm_init_connect(pm_init *i) {
    i->epoll = pm_epoll_create();
    if (i->epoll < 0)
        return i->epoll;
    i->channel.epoll = i->orphans.epoll = i->executor.epoll = i->watch.loop = i->epoll;
    i->channel.table = &i->lineage.table;
    i->channel.named = &i->named;
    i->watch.closers = &i->lineage.closers;
    i->orphans.lineage = i->executor.lineage = i->launcher.lineage = &i->lineage;
    i->orphans.channel = i->executor.channel = i->pmd.channel = &i->channel;
    i->launcher.executor = &i->executor;
    i->pmd.launcher = &i->launcher;
    i->pmd.program = i->options.program;
    return 0;
}
