/*
 * The convention for errors of pm-init, which is the library's (pm_base.h): a function that can fail with an
 * errno returns an int, a value >= 0 or -errno, and its caller asks for `< 0`. One that also tells the step
 * returns false and fills a pm_spawn_failure. There, as in the protocol, and in text the errno is positive:
 * fail_step and error_text make both of a result, and nothing else changes a sign.
 */
#ifndef ERRORS_H
#define ERRORS_H

#include "pm_spawn.h"

/* Fills the failure with a step and a negative result; false, for `return fail_step(...)`. */
static inline bool fail_step(pm_spawn_failure *failure, pm_step step, int result) {
    *failure = (pm_spawn_failure){.step = step, .error = -result};
    return false;
}

/* What the result means, in English; static. */
const char *error_text(int result);

#endif
