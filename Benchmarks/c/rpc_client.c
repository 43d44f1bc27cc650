/*
 * rpc_client SOCKET METHOD CALLS WINDOW [PARAMS]: calls a method with PARAMS, or with ones that make each
 * message 200 bytes long; WINDOW calls are on their way at a time. Prints the nanoseconds of each call when
 * WINDOW is 1, else one number: calls a second.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE 200
#define BUFFER (1 << 18)
/* Most bytes of one request. */
#define REQUEST_MAX 4352

static int connect_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        bench_die(path);
    }
    strcpy(address.sun_path, path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        bench_die(path);
    return fd;
}

static size_t request(char *out, int64_t id, const char *call) {
    return (size_t)sprintf(out, "{\"id\":%lld,%s,\"jsonrpc\":\"2.0\"}\n", (long long)id, call);
}

/* The part of a request between its id and its end; static, because there is one in a run. */
static const char *call_text(const char *method, const char *params) {
    static char text[4096];
    char filler[MESSAGE] = "";
    size_t fixed =
        strlen("{\"id\":100000,\"method\":\"\",\"params\":[\"\"],\"jsonrpc\":\"2.0\"}\n") + strlen(method);
    if (params == NULL && fixed < MESSAGE)
        memset(filler, 'x', MESSAGE - fixed);
    if (params == NULL)
        snprintf(text, sizeof text, "\"method\":\"%s\",\"params\":[\"%s\"]", method, filler);
    else
        snprintf(text, sizeof text, "\"method\":\"%s\",\"params\":%s", method, params);
    return text;
}

/* Reads some bytes and returns how many answers ended in them; an error ends the program. */
static int64_t answers(int fd) {
    static char buffer[BUFFER + 1];
    ssize_t got = read(fd, buffer, BUFFER);
    int64_t count = 0;
    if (got <= 0)
        bench_die("read");
    buffer[got] = '\0';
    if (strstr(buffer, "\"error\":{") != NULL) {
        fprintf(stderr, "%s\n", buffer);
        exit(1);
    }
    for (ssize_t i = 0; i < got; i++)
        count += buffer[i] == '\n';
    return count;
}

static void one_at_a_time(int fd, const char *call, int64_t calls) {
    char line[REQUEST_MAX];
    for (int64_t id = 1; id <= calls; id++) {
        size_t size = request(line, id, call);
        int64_t sent = bench_now();
        bench_write(fd, line, size);
        while (answers(fd) == 0) {
        }
        printf("%lld\n", (long long)(bench_now() - sent));
    }
}

static void pipelined(int fd, const char *call, int64_t calls, int64_t window) {
    static char lines[BUFFER];
    int64_t sent = 0, answered = 0, began = bench_now();
    while (answered < calls) {
        size_t size = 0;
        while (sent < calls && sent - answered < window && size + REQUEST_MAX < sizeof lines)
            size += request(lines + size, ++sent, call);
        bench_write(fd, lines, size);
        answered += answers(fd);
    }
    printf("%.0f\n", (double)calls * 1e9 / (double)(bench_now() - began));
}

int main(int argc, char **argv) {
    if (argc != 5 && argc != 6)
        return 64;
    int fd = connect_to(argv[1]);
    const char *call = call_text(argv[2], argc == 6 ? argv[5] : NULL);
    int64_t calls = bench_number(argv[3]), window = bench_number(argv[4]);
    if (window <= 1)
        one_at_a_time(fd, call, calls);
    else
        pipelined(fd, call, calls, window);
    return 0;
}
