/* The receiving half of the control socket: pmd's requests, one function each. */
#ifndef REQUESTS_H
#define REQUESTS_H

#include "pm_init.h"

/* The control socket is ready: these PM_EPOLL_* bits. Reads a bounded number of requests. */
void requests_ready(pm_init *i, uint32_t events);
/* pmd has ended: reads what it sent before, so that a goodbye is not lost, and closes the channel. */
void requests_finish(pm_init *i);

#endif
