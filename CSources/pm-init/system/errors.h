/*
 * The convention for errors of pm-init, which is the library's (pm_base.h): a function that can fail with an
 * errno returns an int, a value >= 0 or -errno, and its caller asks for `< 0`. One that also tells the step
 * returns false and fills a pm_spawn_failure. There, as in the protocol, and in text the errno is positive:
 * this header's functions make both of a result, and nothing else changes a sign.
 */
#ifndef ERRORS_H
#define ERRORS_H

#include "pm_spawn.h"

/* The failure of a step with a negative result. */
static inline pm_spawn_failure failure_of(pm_step step, int result) {
    return (pm_spawn_failure){.step = step, .error = -result};
}
/* Fills the failure so; false, for `return fail_step(...)`. */
static inline bool fail_step(pm_spawn_failure *failure, pm_step step, int result) {
    *failure = failure_of(step, result);
    return false;
}

/* What a negative result means, in English; static. */
const char *error_text(int result);
/* What the failure's errno means, in English; static. */
const char *failure_text(const pm_spawn_failure *failure);

#endif
