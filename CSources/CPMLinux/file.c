#define _GNU_SOURCE
#include "include/pm_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int checked(int result) {
    return result < 0 ? -errno : result;
}

void pm_fd_close(int fd) {
    if (fd >= 0)
        close(fd);
}

int pm_fd_duplicate(int fd, int minimum) {
    return checked(fcntl(fd, F_DUPFD_CLOEXEC, minimum));
}

int pm_fd_set_nonblocking(int fd, bool on) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return -errno;
    return checked(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

int pm_fd_set_cloexec(int fd, bool on) {
    return checked(fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0));
}

int pm_fd_close_range(unsigned first, unsigned last) {
    return syscall(SYS_close_range, first, last, 0) < 0 ? -errno : 0;
}

int64_t pm_fd_read(int fd, void *buffer, size_t size) {
    ssize_t n;
    do
        n = read(fd, buffer, size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int64_t pm_fd_write(int fd, const void *buffer, size_t size) {
    ssize_t n;
    do
        n = write(fd, buffer, size);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int pm_pipe_create(int *read_end, int *write_end) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}

int64_t pm_pipe_state(int fd) {
    struct pollfd state = {.fd = fd, .events = POLLIN};
    int count = 0, ready = poll(&state, 1, 0);
    if (ready <= 0)
        return ready < 0 && errno != EINTR ? -errno : 0;
    /* After a hang-up too: the last writer may have written while poll looked. */
    if (ioctl(fd, FIONREAD, &count) < 0)
        return -errno;
    return count > 0 ? count : (state.revents & POLLHUP) != 0 ? -EPIPE : 0;
}

int64_t pm_pipe_move(int pipe, int file, uint64_t offset, size_t size) {
    off_t place = (off_t)offset;
    ssize_t moved;
    do
        moved = splice(pipe, NULL, file, &place, size, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    while (moved < 0 && errno == EINTR);
    return moved < 0 ? -errno : moved;
}

int pm_file_reserve(int file, uint64_t size) {
    int result;
    do
        result = checked(fallocate(file, FALLOC_FL_KEEP_SIZE, 0, (off_t)size));
    while (result == -EINTR);
    return result;
}

int pm_memfd_create(const char *name) {
    return checked(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

int pm_lock_exclusive(int fd) {
    return checked(flock(fd, LOCK_EX | LOCK_NB));
}

int pm_rename_exchange(const char *first, const char *second) {
    /* By number: not every C library has a function for it. */
    return checked((int)syscall(SYS_renameat2, AT_FDCWD, first, AT_FDCWD, second, RENAME_EXCHANGE));
}

int pm_file_handle(const char *path) {
    int descriptor = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}
