#include "include/pm_memory.h"

#include <malloc.h>

void pm_memory_trim(void) {
    malloc_trim(0);
}
