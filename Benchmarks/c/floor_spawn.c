/*
 * floor_spawn CHILD SLOTS COUNT: starts COUNT children in a posix_spawn loop, then ends them with SIGTERM.
 * Prints the nanoseconds until the last was executed, and those until the last was reaped.
 */
#include "bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

int main(int argc, char **argv) {
    if (argc != 4)
        return 64;
    size_t count = (size_t)bench_number(argv[3]);
    bench_slot *slots = bench_slots(argv[2], count);
    pid_t *pids = calloc(count, sizeof *pids);
    if (pids == NULL)
        bench_die("calloc");
    for (size_t i = 0; i < count; i++)
        slots[i].started = 0;

    int64_t began = bench_now();
    int64_t last = began;
    for (size_t i = 0; i < count; i++)
        pids[i] = bench_start(argv[1], argv[2], i);
    for (size_t i = 0; i < count; i++) {
        int64_t started = bench_await(&slots[i], 0);
        last = started > last ? started : last;
    }
    int64_t stopping = bench_now();
    for (size_t i = 0; i < count; i++)
        kill(pids[i], SIGTERM);
    for (size_t i = 0; i < count; i++)
        waitpid(pids[i], NULL, 0);
    printf("%lld %lld\n", (long long)(last - began), (long long)(bench_now() - stopping));
    free(pids);
    return 0;
}
