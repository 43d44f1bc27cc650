#define _GNU_SOURCE
#include "errors.h"

#include <string.h>

static const char *describe(int error) {
    const char *description = strerrordesc_np(error);
    return description != NULL ? description : "unknown error";
}

const char *error_text(int result) {
    return describe(-result);
}

const char *failure_text(const pm_spawn_failure *failure) {
    return describe(failure->error);
}
