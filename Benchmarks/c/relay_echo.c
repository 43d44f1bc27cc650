/*
 * The far end of a relay: sends back every byte, on any number of connections.
 *   relay_echo --listen PATH    at a unix socket of its own
 *   relay_echo                  under pm: opens a connection for each bridge that it is told of
 */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BUFFER (1 << 16)

static const char ready_call[] =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ready\",\"params\":[{\"name\":\"far\",\"commands\":"
    "[{\"name\":\"$bridge\",\"config\":{}}]}]}\n";

static void watch(int epoll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        bench_die("epoll_ctl");
}

/* Opens the other end of a bridge; the answer to `bridge` is the first line there, and is not sent back. */
static int bridge(const char *path, const char *uuid) {
    char line[256], answer[256];
    int fd = bench_connect(path);
    int size = snprintf(line, sizeof line,
                        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"bridge\",\"params\":[\"%s\"]}\n", uuid);
    bench_write(fd, line, (size_t)size);
    for (size_t got = 0; got == 0 || answer[got - 1] != '\n'; got++) {
        if (got == sizeof answer || read(fd, answer + got, 1) != 1)
            bench_die("bridge");
    }
    return fd;
}

/* Takes what the daemon says on the channel: `{"id":N,"method":"$bridge","params":["UUID"]…}`, a line each.
 */
static void take_channel(int epoll, int fd, const char *path) {
    static char text[BUFFER];
    ssize_t got = read(fd, text, sizeof text - 1);
    if (got <= 0)
        exit(0);
    text[got] = '\0';
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        char uuid[64], answer[128];
        long long id;
        if (sscanf(line, "{\"id\":%lld,\"method\":\"$bridge\",\"params\":[\"%63[^\"]", &id, uuid) != 2)
            continue;
        watch(epoll, bridge(path, uuid));
        int size = snprintf(answer, sizeof answer, "{\"id\":%lld,\"error\":null,\"jsonrpc\":\"2.0\"}\n", id);
        bench_write(fd, answer, (size_t)size);
    }
}

static void echo(int fd) {
    static char bytes[BUFFER];
    ssize_t got = read(fd, bytes, sizeof bytes);
    if (got <= 0)
        close(fd);
    else
        bench_write(fd, bytes, (size_t)got);
}

int main(int argc, char **argv) {
    const char *channel = getenv("PM_CHANNEL_FD"), *url = getenv("PM_SOCK");
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int first;
    signal(SIGPIPE, SIG_IGN);
    if (argc == 3 && strcmp(argv[1], "--listen") == 0)
        first = bench_listen(argv[2]);
    else if (channel != NULL && url != NULL)
        first = (int)bench_number(channel);
    else
        return 64;
    if (argc < 3)
        bench_write(first, ready_call, sizeof ready_call - 1);
    watch(epoll, first);
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd != first)
                echo(events[i].data.fd);
            else if (argc == 3)
                watch(epoll, accept4(first, NULL, NULL, SOCK_CLOEXEC));
            else
                take_channel(epoll, first, url + strlen("jsonrpc+unix://"));
        }
    }
}
