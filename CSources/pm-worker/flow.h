/* One direction of a connection: bytes from one descriptor to another, as fast as the slower end. */
#ifndef FLOW_H
#define FLOW_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define FLOW_BUFFER 65536u

/* Both descriptors are non-blocking, and not owned. `from` is -1 when no more is read. */
typedef struct {
    int from, to;
    size_t begin, end; /* of what waits to be written */
    char bytes[FLOW_BUFFER];
} flow;

/* What the flow waits for. */
void flow_poll(const flow *f, struct pollfd *wait);
/* Copies what can be copied without waiting, at most a few buffers; false when one end is gone, after which
 * nothing follows. */
bool flow_step(flow *f);
/* Copies what is there, and waits for the reader at most so many milliseconds. */
void flow_finish(flow *f, int timeout_ms);
/* True when bytes wait to be written. */
bool flow_is_full(const flow *f);

#endif
