#define _GNU_SOURCE
#include "errors.h"

#include <string.h>

const char *error_text(int result) {
    const char *description = strerrordesc_np(-result);
    return description != NULL ? description : "unknown error";
}
