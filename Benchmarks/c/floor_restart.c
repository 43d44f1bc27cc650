/*
 * floor_restart CHILD SLOTS KILLS: the least a supervisor can do. A child is killed; its pidfd becomes
 * readable; it is reaped and started again. Prints for each kill the nanoseconds from kill(2) to the
 * execution of the successor.
 */
#include "bench.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define UPTIME_US 5000

static int64_t kill_once(const char *child, const char *path, bench_slot *slot, pid_t *pid) {
    int pidfd = (int)syscall(SYS_pidfd_open, *pid, 0);
    struct pollfd event = {.fd = pidfd, .events = POLLIN};
    if (pidfd < 0)
        bench_die("pidfd_open");
    int64_t before = slot->started;
    usleep(UPTIME_US); /* as for the managers: nothing of the last restart is warm */
    int64_t killed = bench_now();
    kill(*pid, SIGKILL);
    if (poll(&event, 1, -1) != 1 || waitpid(*pid, NULL, 0) != *pid)
        bench_die("wait");
    *pid = bench_start(child, path, 0);
    close(pidfd);
    return bench_await(slot, before) - killed;
}

int main(int argc, char **argv) {
    if (argc != 4)
        return 64;
    bench_slot *slots = bench_slots(argv[2], 1);
    int64_t before = slots[0].started;
    pid_t pid = bench_start(argv[1], argv[2], 0);
    bench_await(&slots[0], before);
    for (int64_t left = bench_number(argv[3]); left > 0; left--)
        printf("%lld\n", (long long)kill_once(argv[1], argv[2], &slots[0], &pid));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return 0;
}
