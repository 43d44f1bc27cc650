/* The status descriptor: how the start went, for whoever launched pm-init. */
#ifndef STATUS_H
#define STATUS_H

/* Writes "E <code> <message>\n" if the descriptor is still open, and closes it: *fd is -1 then. */
void status_fail(int *fd, int code, const char *message);
void status_close(int *fd);

#endif
