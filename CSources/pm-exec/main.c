/*
 * pm-exec: makes itself the child that pm-init was asked for, where that means to take another user's ids, a
 * sandbox or a keyring. pm-init starts it under its own ids and goes on; what the other user then does to
 * this process (stops, kills or traces it, changes its limits) reaches this process alone.
 *
 * It has no memory of pm-init's, of its environment the marker of the child, of its descriptors those of the
 * child, the request and the report's pipe. Not for use by hand: exec_request.h says what it is given.
 */
#define _GNU_SOURCE
#include "exec_request.h"
#include "pm_contract.h"
#include "pm_file.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* sysexits(3) */
#define EXIT_USAGE 64
/* As a shell says that a program could not be run; the report says why. */
#define EXIT_NOT_RUN 127

static const char usage[] = "pm-exec: only pm-init runs this program\n";

static void tell(int report, const pm_spawn_failure *failure) {
    const pm_spawn_report told = {.step = failure->step, .error = failure->error};
    /* Without a reader there is nobody to tell. */
    pm_fd_write(report, &told, sizeof told);
}

int main(int argc, char **argv) {
    static exec_request request;
    pm_spawn_failure failure;
    uint64_t number;
    if (argc != 2 || !text_to_number(argv[1], 1 << 20, &number) || environ[0] == NULL ||
        strncmp(environ[0], PM_MARKER_VARIABLE "=", sizeof PM_MARKER_VARIABLE) != 0) {
        pm_fd_write(STDERR_FILENO, usage, sizeof usage - 1);
        return EXIT_USAGE;
    }
    const int file = (int)number, report = file + 1;
    if (pm_fd_set_cloexec(file, true) < 0 || pm_fd_set_cloexec(report, true) < 0)
        return EXIT_USAGE;
    /* It was executed by a descriptor, whose number would be its name. */
    prctl(PR_SET_NAME, "pm-exec");
    if (exec_request_read(&request, file, environ[0], &failure))
        pm_spawn_execute(&request.child.spawn, report, &failure);
    else
        tell(report, &failure);
    return EXIT_NOT_RUN;
}
