#define _GNU_SOURCE
#include "exec_request.h"
#include "errors.h"
#include "pm_file.h"
#include "pm_memory.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Taken when pm-exec is started, and not its own: what pm-init keeps, and how the strings came. */
#define FLAGS_BEFORE (PM_SPAWN_NEW_SESSION | PM_SPAWN_IN_CGROUP | PM_SPAWN_STRINGS_IN_FD)

static bool write_all(int fd, const void *bytes, size_t size) {
    return pm_fd_write(fd, bytes, size) == (int64_t)size;
}

int exec_request_write(const child_source *source) {
    exec_head head = {.magic = EXEC_MAGIC, .open_files = source->open_files, .body = *source->body};
    head.body.flags &= ~FLAGS_BEFORE;
    head.body.held_fds = 0;
    int fd = pm_memfd_create("pm-exec");
    if (fd < 0)
        return fd;
    if (write_all(fd, &head, sizeof head) && write_all(fd, source->strings, head.body.strings_size))
        return fd;
    pm_fd_close(fd);
    return -ENOMEM;
}

/* A private copy: the child's LISTEN_PID and JOURNAL_STREAM lie elsewhere, nothing is written here. */
static bool map_strings(exec_request *out, int fd) {
    const size_t size = sizeof(exec_head) + out->head.body.strings_size;
    struct stat status;
    if (fstat(fd, &status) < 0 || (size_t)status.st_size != size)
        return false;
    char *memory = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (memory == MAP_FAILED)
        return false;
    out->strings = memory + sizeof(exec_head);
    return true;
}

bool exec_request_read(exec_request *out, int fd, const char *marker, pm_spawn_failure *failure) {
    exec_head *head = &out->head;
    out->strings = NULL;
    if (pread(fd, head, sizeof *head, 0) != (ssize_t)sizeof *head || head->magic != EXEC_MAGIC ||
        (head->body.flags & FLAGS_BEFORE) != 0)
        return fail_step(failure, PM_STEP_EXECUTOR, -EBADMSG);
    if (!child_check(&head->body, failure))
        return false;
    if (!map_strings(out, fd))
        return fail_step(failure, PM_STEP_EXECUTOR, -EBADMSG);
    for (uint32_t i = 0; i < head->body.child_fds; i++)
        out->fds[i] = (int32_t)i;
    const child_source source = {.body = &head->body,
                                 .strings = out->strings,
                                 .marker = marker,
                                 .fds = out->fds,
                                 .open_files = head->open_files};
    return child_read(&out->child, &source) || fail_step(failure, PM_STEP_EXECUTOR, -EBADMSG);
}

void exec_request_end(exec_request *request) {
    if (request->strings != NULL)
        munmap(request->strings - sizeof(exec_head), sizeof(exec_head) + request->head.body.strings_size);
    request->strings = NULL;
}
