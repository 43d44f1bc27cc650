/*
 * The echo service: answers every JSON-RPC line with its params as the result.
 *   echo --listen PATH    alone, on a unix socket: the floor for a call
 *   echo                  under pm, on the descriptor that PM_CHANNEL_FD names
 * It looks for the two members it needs and trusts its peer: it is a stopwatch, not an example.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BUFFER (1 << 20)

typedef struct {
    const char *start;
    size_t size;
} span;

static const char ready_call[] =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ready\",\"params\":[{\"name\":\"echo\",\"commands\":"
    "[{\"name\":\"echo\",\"config\":{\"\":{\"inject\":[\"params.0\"]}}}]}]}\n";

/* The text of a member's value, up to the comma or brace that ends it outside brackets and strings. */
static span member(const char *line, size_t size, const char *key) {
    span value = {memmem(line, size, key, strlen(key)), 0};
    int depth = 0;
    int quoted = 0;
    if (value.start == NULL)
        return value;
    value.start += strlen(key);
    for (const char *at = value.start; at < line + size; at++) {
        if (*at == '"' && at[-1] != '\\')
            quoted = !quoted;
        if (quoted)
            continue;
        if (depth == 0 && (*at == ',' || *at == '}')) {
            value.size = (size_t)(at - value.start);
            return value;
        }
        depth += (*at == '[' || *at == '{') - (*at == ']' || *at == '}');
    }
    return value;
}

static size_t answer(char *out, const char *line, size_t size) {
    span id = member(line, size, "\"id\":");
    span params = member(line, size, "\"params\":");
    /* The daemon's own answer to `ready` has no params and wants none back. */
    if (id.size == 0 || params.size == 0)
        return 0;
    return (size_t)sprintf(out, "{\"id\":%.*s,\"result\":%.*s,\"jsonrpc\":\"2.0\"}\n", (int)id.size, id.start,
                           (int)params.size, params.start);
}

/* Serves one connection until it ends. All whole lines of a read are answered with one write. */
static void serve(int fd) {
    static char in[BUFFER], out[2 * BUFFER];
    size_t kept = 0;
    for (;;) {
        ssize_t got = read(fd, in + kept, sizeof in - kept);
        if (got <= 0)
            return;
        size_t have = kept + (size_t)got, written = 0, from = 0;
        for (char *end; (end = memchr(in + from, '\n', have - from)) != NULL; from = (size_t)(end - in) + 1)
            written += answer(out + written, in + from, (size_t)(end - in) - from);
        bench_write(fd, out, written);
        kept = have - from;
        memmove(in, in + from, kept);
    }
}

static int listen_on(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        bench_die(path);
    }
    strcpy(address.sun_path, path);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 16) != 0)
        bench_die(path);
    return fd;
}

int main(int argc, char **argv) {
    const char *channel = getenv("PM_CHANNEL_FD");
    signal(SIGPIPE, SIG_IGN);
    if (argc == 3 && strcmp(argv[1], "--listen") == 0) {
        int listener = listen_on(argv[2]);
        for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; close(fd))
            serve(fd);
        return 1;
    }
    if (channel == NULL)
        return 64;
    int fd = (int)bench_number(channel);
    bench_write(fd, ready_call, sizeof ready_call - 1);
    serve(fd);
    return 0;
}
