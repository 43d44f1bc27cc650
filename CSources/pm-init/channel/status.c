#include "status.h"
#include "pm_contract.h"
#include "pm_file.h"
#include "text.h"

#include <poll.h>

void status_close(int *fd) {
    pm_fd_close(*fd);
    *fd = -1;
}

void status_fail(int *fd, int code, const char *message) {
    char buffer[512];
    text line = text_in(buffer, sizeof buffer);
    text_add(&line, PM_STATUS_FAILED " ");
    text_add_number(&line, (uint64_t)code);
    text_add(&line, " ");
    text_add(&line, message);
    text_add(&line, "\n");
    /* A launcher that does not read must not hold us up; a pipe with room takes the whole line (pipe(7)). */
    struct pollfd room = {.fd = *fd, .events = POLLOUT};
    if (*fd >= 0 && poll(&room, 1, 0) == 1 && (room.revents & POLLOUT) != 0)
        pm_fd_write(*fd, line.start, line.size);
    status_close(fd);
}
