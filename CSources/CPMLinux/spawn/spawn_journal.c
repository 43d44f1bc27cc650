/*
 * The child's streams to journald (the stream protocol of systemd-journald.service(8)): a few lines say who
 * writes, then comes what it writes. As in spawn_child.c, only system calls by number.
 */
#define _GNU_SOURCE
#include "spawn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* What systemd gives its services: so much may wait while journald is restarted. */
#define STREAM_BUFFER (8 << 20)
/*
 * Default facility and priority, then: lines may begin with a level such as <3>, and journald passes nothing
 * on to syslog, kmsg or console. The facility tells the outputs apart, because a level in front of a line
 * leaves it as it is: daemon (3) is standard output, local0 (16) standard error.
 */
#define HEAD_END "\n1\n0\n0\n0\n"
static const char output_end[] = "30" HEAD_END; /* daemon.info */
static const char error_end[] = "132" HEAD_END; /* local0.warning */

DIRECT static bool send_text(long fd, const char *text) {
    size_t size = 0;
    while (text[size] != '\0')
        size++;
    /* A new stream has room for it. */
    return syscall(SYS_sendto, fd, text, size, MSG_NOSIGNAL, NULL, 0) == (long)size;
}

DIRECT static bool fill_address(const char *path, struct sockaddr_un *out) {
    size_t i = 0;
    out->sun_family = AF_UNIX;
    for (; path[i] != '\0'; i++) {
        if (i == sizeof out->sun_path - 1)
            return false;
        out->sun_path[i] = path[i];
    }
    out->sun_path[i] = '\0';
    return true;
}

/* A stream that has said who it is, or -1. It does not wait for a journald that accepts nothing (EAGAIN). */
DIRECT static long open_stream(const pm_spawn_journal *journal, const char *end) {
    struct sockaddr_un address;
    const int size = STREAM_BUFFER;
    long fd = syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (!fill_address(journal->path, &address) || syscall(SYS_connect, fd, &address, sizeof address) < 0 ||
        syscall(SYS_shutdown, fd, SHUT_RD) < 0 || !send_text(fd, journal->head) || !send_text(fd, end) ||
        syscall(SYS_fcntl, fd, F_SETFL, 0) < 0) {
        syscall(SYS_close, fd);
        return -1;
    }
    /* Beyond the system's limit only for CAP_NET_ADMIN; what is granted then is enough for most. */
    if (syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
        syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return fd;
}

/* Adds the number's decimal text and gives the place behind it. */
DIRECT static char *add_number(char *at, uint64_t number) {
    char digits[20];
    int count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

/* "JOURNAL_STREAM=device:inode", by which a program recognizes that it writes to the journal. */
DIRECT static void write_mark(long fd, char *mark) {
    struct stat status;
    if (mark == NULL || syscall(SYS_fstat, fd, &status) < 0)
        return;
    while (*mark != '=')
        mark++;
    mark = add_number(mark + 1, status.st_dev);
    *mark++ = ':';
    *add_number(mark, status.st_ino) = '\0';
}

DIRECT void pm_spawn_connect_journal(pm_spawn_context *context) {
    const pm_spawn_journal *journal = context->request->journal;
    long output = open_stream(journal, output_end);
    long errors = output < 0 ? -1 : open_stream(journal, error_end);
    if (errors >= 0 && syscall(SYS_dup3, output, STDOUT_FILENO, 0) >= 0 &&
        syscall(SYS_dup3, errors, STDERR_FILENO, 0) >= 0) {
        write_mark(STDERR_FILENO, journal->mark);
        context->has_journal = true;
    } else {
        /* What is open of them is closed with all others. */
        context->clamped |= PM_CLAMPED_JOURNAL;
    }
}
