/*
 * floor_log BURST SLOTS BYTES WRITE FILE: the least a log reader can do: 128 KB reads from the pipe of
 * `burst`, each written to the file. Prints its own CPU in microseconds, and the nanoseconds it took.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t start_burst(char **argv, int pipe_end) {
    pid_t pid = fork();
    if (pid < 0)
        bench_die("fork");
    if (pid > 0)
        return pid;
    dup2(pipe_end, STDOUT_FILENO);
    execl(argv[1], argv[1], argv[2], "0", argv[3], argv[4], (char *)NULL);
    _exit(127);
}

static void copy(int from, int to, int64_t bytes) {
    static char buffer[128 * 1024];
    while (bytes > 0) {
        ssize_t got = read(from, buffer, sizeof buffer);
        if (got <= 0)
            bench_die("read");
        bench_write(to, buffer, (size_t)got);
        bytes -= got;
    }
}

int main(int argc, char **argv) {
    int ends[2];
    if (argc != 6)
        return 64;
    bench_slot *slots = bench_slots(argv[2], 1);
    slots[0].started = 0;
    int file = open(argv[5], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || pipe2(ends, O_CLOEXEC) != 0)
        bench_die("open");
    fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
    pid_t pid = start_burst(argv, ends[1]);
    bench_await(&slots[0], 0);
    int64_t cpu_before = bench_cpu_us();
    int64_t began = bench_now();
    int64_t chunk = bench_number(argv[4]);
    kill(pid, SIGUSR1);
    copy(ends[0], file, (bench_number(argv[3]) + chunk - 1) / chunk * chunk);
    printf("%lld %lld\n", (long long)(bench_cpu_us() - cpu_before), (long long)(bench_now() - began));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return 0;
}
