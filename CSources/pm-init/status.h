/* The status descriptor: how the start went, for whoever launched pm-init. */
#ifndef STATUS_H
#define STATUS_H

#include "holder.h"

/* Writes "E <code> <message>\n" if the descriptor is still open, and closes it. */
void status_fail(holder *h, int code, const char *message);
void status_close(holder *h);

#endif
