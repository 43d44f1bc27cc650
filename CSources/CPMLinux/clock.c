#define _GNU_SOURCE
#include "include/pm_clock.h"

#include <time.h>
#include <unistd.h>

static uint64_t read_clock(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t pm_clock_read(pm_clock clock) {
    static const clockid_t ids[] = {
        [PM_CLOCK_MONOTONIC] = CLOCK_MONOTONIC,
        [PM_CLOCK_BOOTTIME] = CLOCK_BOOTTIME,
        [PM_CLOCK_REALTIME] = CLOCK_REALTIME,
    };
    return read_clock(ids[clock]);
}

uint64_t pm_clock_monotonic(void) {
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t pm_clock_ticks(void) {
    return read_clock(CLOCK_BOOTTIME) / (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

uint64_t pm_clock_realtime(void) {
    return read_clock(CLOCK_REALTIME);
}
