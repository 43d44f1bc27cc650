/*
 * The service manager that started pm-init, if there is one: sd_notify(3), its watchdog and the sockets
 * that it passes on (sd_listen_fds(3)), by their variables alone. Only pm-init speaks with it, so that the
 * manager need not listen to what services say (NotifyAccess=main).
 */
#ifndef MANAGER_H
#define MANAGER_H

#include "named_fds.h"

/* What started pm-init, as its variables say. */
typedef struct {
    int32_t pid;             /* of pm-init, which the variables may name */
    const char *socket;      /* NOTIFY_SOCKET; null: there is none */
    uint64_t alive_every_ns; /* 0: it has no watchdog */
    uint64_t alive_at_ns;    /* monotonic; 0: never */
} manager;

/* Looks for NOTIFY_SOCKET and WATCHDOG_USEC. */
void manager_find(manager *m, int32_t pid);
/* Takes the passed sockets, which are descriptors 3 and up, as named ones: LISTEN_FDNAMES, else "pm.socket".
 * Gives the number of the first descriptor behind them. */
int manager_take_sockets(named_fds *named, int32_t pid);
/* Sends lines of NAME=value; nobody is told when there is no manager. */
void manager_tell(const manager *m, const char *lines, size_t size);
/* Tells that pm-init is alive, when that is due at this monotonic time. */
void manager_tick(manager *m, uint64_t now_ns);
/* Whether a variable is the manager's word to pm-init alone. */
bool manager_owns(const char *variable);

#endif
