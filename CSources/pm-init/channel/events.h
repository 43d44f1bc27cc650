/* What an epoll event of the loop is about. */
#ifndef EVENTS_H
#define EVENTS_H

#include <stdint.h>

typedef enum {
    EVENT_SIGNAL = 1,
    EVENT_CONTROL,
    EVENT_CGROUP, /* of a record */
    EVENT_WATCHED,
    EVENT_START, /* of a record */
} event_kind;

/* The kind is the upper half of an event's data, the index of a record, where it is about one, the lower. */
static inline uint64_t event_data(event_kind kind, uint32_t index) {
    return (uint64_t)kind << 32 | index;
}

#endif
