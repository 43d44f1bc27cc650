/* Swapping two files: renameat2(2), which the C library declares for GNU programs alone. */
#ifndef PM_RENAME_H
#define PM_RENAME_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Lets two paths change places at once: 0, or -errno (EINVAL and ENOSYS where the file system cannot). */
static inline int pm_rename_exchange(const char *one, const char *other) {
    /* A thin number, not RENAME_EXCHANGE alone: <stdio.h> defines it only with _GNU_SOURCE. */
    long done = syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, 2u /* RENAME_EXCHANGE */);
    return done == 0 ? 0 : -errno;
}

#endif
