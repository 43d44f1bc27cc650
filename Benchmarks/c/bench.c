#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

int64_t bench_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void bench_die(const char *operation) {
    fprintf(stderr, "%s: %s\n", operation, strerror(errno));
    exit(1);
}

int64_t bench_number(const char *text) {
    char *end;
    long long value = strtoll(text, &end, 10);
    if (*end != '\0' || end == text || value < 0) {
        errno = EINVAL;
        bench_die(text);
    }
    return value;
}

bench_slot *bench_slots(const char *path, size_t count) {
    size_t size = count * sizeof(bench_slot);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        bench_die(path);
    if ((size_t)status.st_size < size && ftruncate(fd, (off_t)size) != 0)
        bench_die(path);
    bench_slot *slots = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (slots == MAP_FAILED)
        bench_die(path);
    close(fd);
    return slots;
}

void bench_stamp(bench_slot *slots, size_t index) {
    int64_t now = bench_now();
    slots[index].pid = getpid();
    slots[index].started = now;
}

pid_t bench_start(const char *child, const char *slots, size_t index) {
    char number[24];
    snprintf(number, sizeof number, "%zu", index);
    char *arguments[] = {(char *)child, (char *)slots, number, NULL};
    pid_t pid;
    errno = posix_spawn(&pid, child, NULL, NULL, arguments, environ);
    if (errno != 0)
        bench_die(child);
    return pid;
}

int64_t bench_await(const bench_slot *slot, int64_t before) {
    /* The stamp is exact, so when it is seen does not matter: give the CPU to whoever makes it. */
    while (slot->started == before)
        sched_yield();
    return slot->started;
}

int64_t bench_cpu_us(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

void bench_write(int fd, const void *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(fd, bytes, count);
        if (written < 0)
            bench_die("write");
        bytes = (const char *)bytes + written;
        count -= (size_t)written;
    }
}

static struct sockaddr_un address_of(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        bench_die(path);
    }
    strcpy(address.sun_path, path);
    return address;
}

int bench_connect(const char *path) {
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        bench_die(path);
    return fd;
}

int bench_listen(const char *path) {
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 256) != 0)
        bench_die(path);
    return fd;
}
