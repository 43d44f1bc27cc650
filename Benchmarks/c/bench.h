/* What the benchmark programs share: the clock, failure, and the table of slots in which services say they
 * run. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One service's line in the shared file: who runs and since when (CLOCK_MONOTONIC, nanoseconds). */
typedef struct {
    _Atomic int64_t started;
    _Atomic int64_t pid;
} bench_slot;

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t bench_now(void);

/* Prints the operation with errno's text and exits with status 1. */
void bench_die(const char *operation);

/* A whole number from text; dies when it is none or below 0. */
int64_t bench_number(const char *text);

/* Maps `count` slots of a file, which is made or grown when it is too short. */
bench_slot *bench_slots(const char *path, size_t count);

/* Says in slot `index` that this process runs now. */
void bench_stamp(bench_slot *slots, size_t index);

/* Starts `child SLOTS INDEX` by posix_spawn and returns its pid. */
pid_t bench_start(const char *child, const char *slots, size_t index);

/* Waits until a slot holds a time other than `before`, and returns it. */
int64_t bench_await(const bench_slot *slot, int64_t before);

/* Microseconds of CPU, user and system, that this process has used. */
int64_t bench_cpu_us(void);

/* Writes all bytes to a descriptor, or dies. */
void bench_write(int fd, const void *bytes, size_t count);

/* Connects to a unix socket, or dies. */
int bench_connect(const char *path);

/* Listens at a unix socket, in place of what is there, or dies. */
int bench_listen(const char *path);

#endif
