/* What every target and their main share. */
#ifndef RULES_H
#define RULES_H

#include "pm_spawn.h"

#include <stddef.h>

/* What the target takes, as its main says it. */
extern const char *const target_name;
/* libFuzzer's entry. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Something that must hold and did not: says so and aborts. */
__attribute__((noreturn)) void fail(const char *rule);

static inline void require(bool condition, const char *rule) {
    if (!condition)
        fail(rule);
}

/* What a request for a child holds, whoever made it: everything in it ends and is within its bounds, and the
 * environment begins with this marker and has no other. */
void check_child(const pm_spawn_request *request, const char *marker);

#endif
