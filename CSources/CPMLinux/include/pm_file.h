/* Descriptors and files, where the C library's Swift module has no call or an awkward one. */
#ifndef PM_FILE_H
#define PM_FILE_H

#include "pm_base.h"

PM_NONNULL_BEGIN

/* Closes fd; a negative one is ignored. Never fails: an interrupted close has closed (close(2), Linux). */
void pm_fd_close(int fd);
/*
 * Closes descriptors that came from somebody who is not trusted, and never waits for what they are: a pipe or
 * memory is closed at once, anything else by a process of its own, which holds it until this one has let go,
 * and ends (an ending process does not linger on a connection). Negative ones are ignored. Where there is no
 * other process to be had they are closed here. Gives the process, an orphan of this one, or 0.
 */
int pm_fd_discard(const int *fds, size_t count);
/* A close-on-exec duplicate with a number >= minimum, owned by the caller, or -errno. */
int pm_fd_duplicate(int fd, int minimum);
/* Sets or clears O_NONBLOCK, which all duplicates share. 0 or -errno. */
int pm_fd_set_nonblocking(int fd, bool on);
/* Sets or clears FD_CLOEXEC. 0 or -errno. */
int pm_fd_set_cloexec(int fd, bool on);
/* Closes first...last, both included. 0 or -errno; -ENOSYS before Linux 5.9. */
int pm_fd_close_range(unsigned first, unsigned last);
/* read(2) and write(2), repeated after a signal: bytes, or -errno. */
int64_t pm_fd_read(int fd, void *buffer, size_t size);
int64_t pm_fd_write(int fd, const void *buffer, size_t size);

/* A pipe, both ends blocking, owned by the caller. 0 or -errno. */
int pm_pipe_create(int *read_end, int *write_end);
/* Bytes that wait in a pipe, 0 when none do yet, -EPIPE when none will because nobody has its other end, or
 * -errno. */
int64_t pm_pipe_state(int fd);
/*
 * Moves up to `size` bytes out of a pipe to a place in a file that is not open for appending, without waiting
 * for the pipe (splice(2)). The bytes moved, 0 at the end of the pipe, or -errno: -EAGAIN when it is empty,
 * -EINVAL when the filesystem cannot. However the caller dies, each byte is either in the pipe or in the
 * file.
 */
int64_t pm_pipe_move(int pipe, int file, uint64_t offset, size_t size);

/*
 * Reserves room on the disk for the first `size` bytes of a file, whose length stays (fallocate(2),
 * FALLOC_FL_KEEP_SIZE). 0 or -errno: -ENOSPC without room, -EOPNOTSUPP where the filesystem reserves nothing.
 */
int pm_file_reserve(int file, uint64_t size);

/* A memory file that can be sealed, owned by the caller, or -errno. `name` is only seen in /proc. */
int pm_memfd_create(const char *name);

/* Takes the lock on the open file for its life (flock(2)), without waiting. 0, -EWOULDBLOCK when held
 * elsewhere. */
int pm_lock_exclusive(int fd);

/* Swaps two paths in one step (RENAME_EXCHANGE). 0 or -errno; -EINVAL: the filesystem cannot. */
int pm_rename_exchange(const char *first, const char *second);

/* A descriptor that stands for the file at path itself, a link included, and reads nothing of it (O_PATH,
 * Linux 2.6.39); owned by the caller. /proc/self/fd leads to that same file whatever lies at path by then. Or
 * -errno. */
int pm_file_handle(const char *path);

PM_NONNULL_END

#endif
