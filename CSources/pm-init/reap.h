/* Reaping: pmd, the children, and every orphan that pm-init inherits. */
#ifndef REAP_H
#define REAP_H

#include "holder.h"

/* SIGCHLD came: reaps all that has ended. */
void reap_all(holder *h);

#endif
