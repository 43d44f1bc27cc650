/*
 * relay_load SOCKET CONNECTIONS WINDOW CALLS RATE [SERVICE]: makes CALLS calls of 200 bytes over CONNECTIONS
 * connections, WINDOW on their way on each. With a SERVICE each connection asks for a proxy to it first.
 * Without a RATE it prints calls a second; with one, calls are made at that many a second, and it prints the
 * nanoseconds of each.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE 200
#define BUFFER (1 << 16)
#define MOST 256

typedef struct {
    int fd;
    int64_t sent, answered;
    /* When each of the calls under way was due, by its number in a circle. */
    int64_t due[4096];
} connection;

static connection connections[MOST];

static size_t request(char *out, int64_t id) {
    int head = sprintf(out, "{\"id\":%lld,\"method\":\"echo\",\"params\":[\"", (long long)id);
    static const char tail[] = "\"],\"jsonrpc\":\"2.0\"}\n";
    size_t filler = MESSAGE - (size_t)head - (sizeof tail - 1);
    memset(out + head, 'x', filler);
    memcpy(out + (size_t)head + filler, tail, sizeof tail - 1);
    return MESSAGE;
}

static void open_proxy(int fd, const char *service) {
    char line[256], answer[256];
    int size = snprintf(line, sizeof line,
                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"proxy\",\"params\":[\"%s\"]}\n", service);
    bench_write(fd, line, (size_t)size);
    ssize_t got = read(fd, answer, sizeof answer - 1);
    answer[got < 0 ? 0 : got] = '\0';
    if (strstr(answer, "\"error\":null") == NULL) {
        fprintf(stderr, "no proxy: %s\n", answer);
        exit(1);
    }
}

static void send_calls(connection *each, int64_t count, int64_t due) {
    char lines[64 * MESSAGE];
    size_t size = 0;
    for (int64_t i = 0; i < count; i++) {
        each->due[each->sent % 4096] = due;
        size += request(lines + size, ++each->sent);
        if (size == sizeof lines || i + 1 == count) {
            bench_write(each->fd, lines, size);
            size = 0;
        }
    }
}

/* Reads once and returns how many answers ended; how long each took goes to `times`, unless that is NULL. */
static int64_t answers(connection *each, int64_t *times) {
    static char buffer[BUFFER];
    ssize_t got = read(each->fd, buffer, sizeof buffer);
    int64_t now = bench_now(), count = 0;
    if (got <= 0)
        bench_die("read");
    for (ssize_t i = 0; i < got; i++) {
        if (buffer[i] != '\n')
            continue;
        if (times != NULL)
            times[count] = now - each->due[each->answered % 4096];
        count++;
        each->answered++;
    }
    return count;
}

static void as_fast_as_possible(int epoll, int64_t number, int64_t window, int64_t calls) {
    int64_t sent = number * window, answered = 0, began = bench_now();
    for (int64_t i = 0; i < number; i++)
        send_calls(&connections[i], window, 0);
    while (answered < calls) {
        struct epoll_event events[MOST];
        int count = epoll_wait(epoll, events, MOST, -1);
        for (int i = 0; i < count; i++) {
            connection *each = events[i].data.ptr;
            int64_t got = answers(each, NULL), next = calls - sent < got ? calls - sent : got;
            answered += got;
            sent += next;
            if (next > 0)
                send_calls(each, next, 0);
        }
    }
    printf("%.0f\n", (double)calls * 1e9 / (double)(bench_now() - began));
}

/* Waits for answers until a call is due. A loop that never slept would take the processor from those it
 * measures. */
static int until_due(int epoll, struct epoll_event *events, int64_t wait) {
    struct timespec time = {.tv_nsec = wait > 0 ? wait : 0};
    return epoll_pwait2(epoll, events, MOST, &time, NULL);
}

/* Calls are due whether the ones before are answered or not, so that a stall counts for all that waited. */
static void at_a_rate(int epoll, int64_t number, int64_t calls, int64_t rate) {
    int64_t sent = 0, answered = 0, *times = malloc((size_t)calls * sizeof *times);
    if (times == NULL)
        bench_die("malloc");
    /* Timers may be 50 us late otherwise (prctl(2)). */
    prctl(PR_SET_TIMERSLACK, 1ul);
    int64_t began = bench_now();
    while (answered < calls) {
        for (; sent < calls && began + sent * 1000000000 / rate <= bench_now(); sent++)
            send_calls(&connections[sent % number], 1, began + sent * 1000000000 / rate);
        struct epoll_event events[MOST];
        int64_t wait = sent < calls ? began + sent * 1000000000 / rate - bench_now() : 100000000;
        int count = until_due(epoll, events, wait);
        for (int i = 0; i < count; i++)
            answered += answers(events[i].data.ptr, times + answered);
    }
    for (int64_t i = 0; i < calls; i++)
        printf("%lld\n", (long long)times[i]);
    free(times);
}

int main(int argc, char **argv) {
    if (argc != 6 && argc != 7)
        return 64;
    int64_t number = bench_number(argv[2]), window = bench_number(argv[3]), calls = bench_number(argv[4]);
    int64_t rate = bench_number(argv[5]);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (number < 1 || number > MOST || window > 64)
        return 64;
    for (int64_t i = 0; i < number; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
        connections[i].fd = bench_connect(argv[1]);
        if (argc == 7)
            open_proxy(connections[i].fd, argv[6]);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event) != 0)
            bench_die("epoll_ctl");
    }
    if (rate == 0)
        as_fast_as_possible(epoll, number, window, calls);
    else
        at_a_rate(epoll, number, calls, rate);
    return 0;
}
