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

/* Reads once and returns how many answers ended; with `prints` each one's time is printed. */
static int64_t answers(connection *each, int prints) {
    static char buffer[BUFFER];
    ssize_t got = read(each->fd, buffer, sizeof buffer);
    int64_t now = bench_now(), count = 0;
    if (got <= 0)
        bench_die("read");
    for (ssize_t i = 0; i < got; i++) {
        if (buffer[i] != '\n')
            continue;
        count++;
        if (prints)
            printf("%lld\n", (long long)(now - each->due[each->answered % 4096]));
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
            int64_t got = answers(each, 0), next = calls - sent < got ? calls - sent : got;
            answered += got;
            sent += next;
            if (next > 0)
                send_calls(each, next, 0);
        }
    }
    printf("%.0f\n", (double)calls * 1e9 / (double)(bench_now() - began));
}

/* Calls are due whether the ones before are answered or not, so that a stall counts for all that waited. */
static void at_a_rate(int epoll, int64_t number, int64_t calls, int64_t rate) {
    int64_t sent = 0, answered = 0, began = bench_now();
    while (answered < calls) {
        int64_t now = bench_now();
        for (; sent < calls && began + sent * 1000000000 / rate <= now; sent++)
            send_calls(&connections[sent % number], 1, began + sent * 1000000000 / rate);
        struct epoll_event events[MOST];
        /* Waiting a millisecond would be later than what is measured. */
        int count = epoll_wait(epoll, events, MOST, 0);
        for (int i = 0; i < count; i++)
            answered += answers(events[i].data.ptr, 1);
    }
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
