/*
 * burst SLOTS INDEX BYTES WRITE: the service that prints: BYTES bytes in lines of 100, WRITE bytes at a time,
 * once for each SIGUSR1. Its slot's time is set when the pipe is empty again, so when whoever reads it has
 * taken everything.
 */
#include "bench.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE 100

static void print(int64_t bytes, size_t chunk) {
    char *lines = malloc(chunk + LINE);
    if (lines == NULL)
        bench_die("malloc");
    memset(lines, 'x', chunk + LINE);
    for (size_t end = LINE; end <= chunk + LINE; end += LINE)
        lines[end - 1] = '\n';
    for (int64_t done = 0; done < bytes; done += (int64_t)chunk) {
        /* A chunk begins within a line when the one before ended there. */
        size_t skip = (size_t)(done % LINE);
        bench_write(STDOUT_FILENO, lines + skip, chunk);
    }
    free(lines);
}

static void await_empty_pipe(void) {
    int left = 0;
    while (ioctl(STDOUT_FILENO, FIONREAD, &left) == 0 && left > 0)
        poll(NULL, 0, 1);
}

int main(int argc, char **argv) {
    if (argc < 5)
        return 64;
    size_t index = (size_t)bench_number(argv[2]);
    bench_slot *slots = bench_slots(argv[1], index + 1);
    sigset_t asked;
    int signal;
    sigemptyset(&asked);
    sigaddset(&asked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &asked, NULL);
    bench_stamp(slots, index);
    while (sigwait(&asked, &signal) == 0) {
        print(bench_number(argv[3]), (size_t)bench_number(argv[4]));
        await_empty_pipe();
        bench_stamp(slots, index);
    }
    return 0;
}
