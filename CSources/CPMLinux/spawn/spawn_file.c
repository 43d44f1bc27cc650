/* Between clone and exec: files of the kernel's that are written to, by system calls alone as in
 * spawn_child.c. */
#include "spawn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

DIRECT bool pm_spawn_write_file(int directory, const char *path, const char *text, size_t size) {
    long fd = syscall(SYS_openat, directory, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    long written = syscall(SYS_write, fd, text, size);
    int error = errno;
    syscall(SYS_close, fd);
    errno = error;
    return written == (long)size;
}

DIRECT const char *pm_spawn_decimal(int32_t number, char text[12], size_t *size) {
    char *at = text + 12;
    uint32_t rest = number < 0 ? -(uint32_t)number : (uint32_t)number;
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (number < 0)
        *--at = '-';
    *size = (size_t)(text + 12 - at);
    return at;
}
