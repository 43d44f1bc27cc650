/* What the target of the control protocol and its stand-ins share. */
#ifndef REQUESTS_TARGET_H
#define REQUESTS_TARGET_H

#include "holder.h"

/* Something that must hold and did not: says so and aborts. */
__attribute__((noreturn)) void fail(const char *rule);

static inline void require(bool condition, const char *rule) {
    if (!condition)
        fail(rule);
}

/* What kill(2) gives: 0, or -1 with ESRCH. */
extern int stand_in_kill_result;

/* Reads the bytes as one of the kernel's texts, which the first of them chooses. */
void read_texts(holder *h, const uint8_t *bytes, size_t size);

/* libFuzzer's entry. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
