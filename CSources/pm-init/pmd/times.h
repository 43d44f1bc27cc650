/* Units of time. All times in pm-init are nanoseconds; deadlines are of CLOCK_MONOTONIC, and 0 means none. */
#ifndef TIMES_H
#define TIMES_H

#include <stdbool.h>
#include <stdint.h>

#define SECOND_NS 1000000000u
#define MILLISECOND_NS 1000000u

/* The earlier of two deadlines. */
static inline uint64_t earlier_deadline(uint64_t a, uint64_t b) {
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Whether a deadline is there and has come. */
static inline bool is_due(uint64_t deadline_ns, uint64_t now_ns) {
    return deadline_ns != 0 && now_ns >= deadline_ns;
}

#endif
