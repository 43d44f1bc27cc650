/*
 * Loaded before the C library into User-Mode Linux, whose versions up to 6.12 know 2,696 bytes of a process's
 * floating point state. On processors with more of it (AMX has 8 KB) PTRACE_SETREGSET of so few bytes fails
 * with EFAULT; here the rest is filled up with what the process has.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

/* elf.h: NT_X86_XSTATE. */
#define EXTENDED_STATE 0x202

typedef long (*ptrace_call)(int request, pid_t pid, void *address, void *data);

static ptrace_call next(void) {
    static ptrace_call found;
    if (found == NULL)
        found = (ptrace_call)dlsym(RTLD_NEXT, "ptrace");
    return found;
}

static long set_padded(pid_t pid, void *address, const struct iovec *state) {
    static char buffer[65536];
    struct iovec whole = {buffer, sizeof buffer};
    if (next()(PTRACE_GETREGSET, pid, address, &whole) != 0 || whole.iov_len <= state->iov_len)
        return next()(PTRACE_SETREGSET, pid, address, (void *)state);
    memcpy(buffer, state->iov_base, state->iov_len);
    return next()(PTRACE_SETREGSET, pid, address, &whole);
}

/* The C library declares it with an ellipsis. */
long ptrace(enum __ptrace_request request, ...) {
    va_list arguments;
    va_start(arguments, request);
    pid_t pid = va_arg(arguments, pid_t);
    void *address = va_arg(arguments, void *);
    void *data = va_arg(arguments, void *);
    va_end(arguments);
    if (request == PTRACE_SETREGSET && (long)address == EXTENDED_STATE)
        return set_padded(pid, address, data);
    return next()((int)request, pid, address, data);
}
