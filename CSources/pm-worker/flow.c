#define _GNU_SOURCE
#include "flow.h"

#include "pm_file.h"

#include <errno.h>

/* So that no direction keeps the others waiting. */
#define FLOW_TURNS 4

bool flow_is_full(const flow *f) {
    return f->end > f->begin;
}

void flow_poll(const flow *f, struct pollfd *wait) {
    const bool is_full = flow_is_full(f);
    *wait = (struct pollfd){.fd = f->from < 0 ? -1
                                  : is_full   ? f->to
                                              : f->from,
                            .events = is_full ? POLLOUT : POLLIN};
}

/* 1: written, 0: the reader is slow, -1: it is gone. */
static int drain(flow *f) {
    while (flow_is_full(f)) {
        const int64_t written = pm_fd_write(f->to, f->bytes + f->begin, f->end - f->begin);
        if (written < 0)
            return written == -EAGAIN ? 0 : -1;
        f->begin += (size_t)written;
    }
    return 1;
}

bool flow_step(flow *f) {
    for (int turn = 0; turn < FLOW_TURNS; turn++) {
        const int drained = drain(f);
        if (drained <= 0)
            return drained == 0;
        const int64_t size = pm_fd_read(f->from, f->bytes, sizeof f->bytes);
        if (size == -EAGAIN)
            return true;
        if (size <= 0)
            return false;
        f->begin = 0;
        f->end = (size_t)size;
        if (drain(f) < 0)
            return false;
        /* A short read has emptied it: the next would only say so. */
        if ((size_t)size < sizeof f->bytes)
            return true;
    }
    return true;
}

void flow_finish(flow *f, int timeout_ms) {
    while (f->from >= 0 && flow_step(f)) {
        if (!flow_is_full(f))
            return;
        struct pollfd wait = {.fd = f->to, .events = POLLOUT};
        if (poll(&wait, 1, timeout_ms) <= 0)
            return;
    }
}
