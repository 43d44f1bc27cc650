#define _GNU_SOURCE
#include "pool.h"

#include "pm_file.h"
#include "text.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The pool is started with its first worker, and started again after its end. */
#define CONNECT_TRIES 600
#define CONNECT_PAUSE_MS 50

static int connect_once(const struct sockaddr_un *address) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
        return fd;
    const int error = errno;
    pm_fd_close(fd);
    return -error;
}

int pool_connect(const char *path, int signals) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    int result = -ETIMEDOUT;
    for (int tries = 0; tries < CONNECT_TRIES; tries++) {
        result = connect_once(&address);
        if (result != -ENOENT && result != -ECONNREFUSED && result != -EAGAIN)
            return result;
        struct pollfd wait = {.fd = signals, .events = POLLIN};
        if (poll(&wait, 1, CONNECT_PAUSE_MS) > 0)
            return -EINTR;
    }
    return result;
}

static int write_all(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        const int64_t written = pm_fd_write(fd, bytes, size);
        if (written < 0)
            return (int)written;
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

static int send_frame(int pool, char type, const char *payload, size_t size) {
    char header[POOL_HEADER_SIZE] = {(char)size, (char)(size >> 8), (char)(size >> 16), (char)(size >> 24),
                                     type};
    const int result = write_all(pool, header, sizeof header);
    return result < 0 ? result : write_all(pool, payload, size);
}

/* Strings, one behind the other, each with its NUL. */
typedef struct {
    char *bytes;
    size_t size;
} strings;

static void add(strings *list, const char *string) {
    const size_t size = strlen(string) + 1;
    if (list->bytes != NULL)
        memcpy(list->bytes + list->size, string, size);
    list->size += size;
}

static void add_number(strings *list, int number) {
    char digits[16];
    text t = text_in(digits, sizeof digits);
    if (number < 0)
        text_add(&t, "-");
    text_add_number(&t, (uint64_t)(number < 0 ? -number : number));
    add(list, digits);
}

/* Without bytes it only counts them. */
static void add_order(strings *list, const pool_order *order, const int pipes[2]) {
    int count = 0;
    while (order->arguments[count] != NULL)
        count++;
    add_number(list, getpid());
    add(list, order->name);
    add_number(list, pipes[0]);
    add_number(list, pipes[1]);
    add(list, order->heap_mib);
    add(list, order->heartbeat);
    add_number(list, count);
    for (int index = 0; index < count; index++)
        add(list, order->arguments[index]);
    for (char **variable = order->environment; *variable != NULL; variable++)
        add(list, *variable);
}

int pool_send_start(int pool, const pool_order *order, const int pipes[2]) {
    strings list = {0};
    add_order(&list, order, pipes);
    if (list.size > POOL_START_MAX)
        return -E2BIG;
    list = (strings){.bytes = malloc(list.size)};
    if (list.bytes == NULL)
        return -ENOMEM;
    add_order(&list, order, pipes);
    const int result = send_frame(pool, POOL_START, list.bytes, list.size);
    free(list.bytes);
    return result;
}

int pool_send_signal(int pool, int number) {
    const char payload = (char)number;
    return send_frame(pool, POOL_SIGNAL, &payload, 1);
}

int pool_send_closed(int pool) {
    return send_frame(pool, POOL_CLOSED, "", 0);
}
