#define _GNU_SOURCE
#include "manager.h"
#include "cpmlinux.h"
#include "text.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The first descriptor that is passed (SD_LISTEN_FDS_START). */
#define FIRST_SOCKET 3

static bool is_for_us(int32_t self, const char *variable) {
    uint64_t pid;
    const char *value = getenv(variable);
    return value != NULL && text_to_number(value, INT32_MAX, &pid) && pid == (uint64_t)self;
}

static void find_watchdog(manager *m) {
    uint64_t limit_us;
    const char *value = getenv("WATCHDOG_USEC");
    if (value == NULL || !text_to_number(value, UINT64_MAX / 1000, &limit_us) || limit_us == 0)
        return;
    if (getenv("WATCHDOG_PID") != NULL && !is_for_us(m->pid, "WATCHDOG_PID"))
        return;
    m->alive_every_ns = limit_us * 1000 / 2;
    m->alive_at_ns = pm_clock_read(PM_CLOCK_MONOTONIC) + m->alive_every_ns;
}

void manager_find(manager *m, int32_t pid) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    *m = (manager){.pid = pid};
    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof address.sun_path)
        return;
    m->socket = path;
    find_watchdog(m);
}

void manager_tell(const manager *m, const char *lines, size_t size) {
    const char *path = m->socket;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path == NULL)
        return;
    size_t length = strlen(path);
    memcpy(address.sun_path, path, length);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    /* A manager that does not read loses a word and not us. */
    while (sendto(fd, lines, size, MSG_NOSIGNAL, (struct sockaddr *)&address,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0 &&
           errno == EINTR) {
    }
    pm_fd_close(fd);
}

void manager_tick(manager *m, uint64_t now_ns) {
    static const char alive[] = "WATCHDOG=1";
    if (m->alive_at_ns == 0 || now_ns < m->alive_at_ns)
        return;
    manager_tell(m, alive, sizeof alive - 1);
    m->alive_at_ns = now_ns + m->alive_every_ns;
}

/* The name of the next socket, and moves on in the list "a:b". */
static void copy_name(const char **list, char *name) {
    size_t length = *list != NULL ? strcspn(*list, ":") : 0;
    text to = text_in(name, PM_NAME_MAX + 1);
    if (length == 0) {
        text_add(&to, "pm.socket");
    } else {
        memcpy(name, *list, length < PM_NAME_MAX ? length : PM_NAME_MAX);
        name[length < PM_NAME_MAX ? length : PM_NAME_MAX] = '\0';
    }
    if (*list != NULL)
        *list = (*list)[length] == ':' ? *list + length + 1 : NULL;
}

int manager_take_sockets(named_fds *named, int32_t pid) {
    uint64_t count;
    const char *value = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");
    if (value == NULL || !is_for_us(pid, "LISTEN_PID") || !text_to_number(value, PM_NAMED_MAX, &count))
        return FIRST_SOCKET;
    for (uint32_t i = 0; i < count; i++) {
        int fd = FIRST_SOCKET + (int)i;
        copy_name(&names, named->places[i].name);
        named->places[i].fd = pm_fd_set_cloexec(fd, true) == 0 ? fd : -1;
    }
    return FIRST_SOCKET + (int)count;
}

bool manager_owns(const char *variable) {
    static const char *const own[] = {
        "NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID=", "LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES="};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strncmp(variable, own[i], strlen(own[i])) == 0)
            return true;
    return false;
}
