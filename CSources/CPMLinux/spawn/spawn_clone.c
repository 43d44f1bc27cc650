#define _GNU_SOURCE
#include "../include/pm_pidfd.h"
#include "spawn_internal.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * clone3 onto another stack cannot be called from C: the child must not return through the caller's frame.
 * This stub calls entry(argument) in the child and ends it by exit(2) with the result; in the parent it gives
 * the pid or -errno. CLONE_VM makes the stub's own frame shared, which is why it keeps nothing on the stack.
 */
long pm_clone3_entry(struct clone_args *args, size_t size, int (*entry)(void *), void *argument)
    __attribute__((visibility("hidden")));

#if defined(__x86_64__)
#define PM_HAS_CLONE3_ENTRY 1
__asm__(".text\n"
        ".globl pm_clone3_entry\n"
        ".hidden pm_clone3_entry\n"
        ".type pm_clone3_entry, @function\n"
        "pm_clone3_entry:\n"
        "    endbr64\n"
        "    movq %rdx, %r8\n" /* the call spares r8 and r9; rcx and r11 are lost to it */
        "    movq %rcx, %r9\n"
        "    movl $435, %eax\n" /* clone3 */
        "    syscall\n"
        "    testq %rax, %rax\n"
        "    jz 1f\n"
        "    ret\n"
        "1:  xorl %ebp, %ebp\n"
        "    movq %r9, %rdi\n"
        "    call *%r8\n"
        "    movl %eax, %edi\n"
        "    movl $60, %eax\n" /* exit */
        "    syscall\n"
        "    hlt\n"
        ".size pm_clone3_entry, . - pm_clone3_entry\n"
        ".previous\n");
#elif defined(__aarch64__)
#define PM_HAS_CLONE3_ENTRY 1
__asm__(".text\n"
        ".globl pm_clone3_entry\n"
        ".hidden pm_clone3_entry\n"
        ".type pm_clone3_entry, %function\n"
        "pm_clone3_entry:\n"
        "    hint #34\n"   /* bti c */
        "    mov x9, x2\n" /* the call spares all but x0 */
        "    mov x10, x3\n"
        "    mov x8, #435\n" /* clone3 */
        "    svc #0\n"
        "    cbz x0, 1f\n"
        "    ret\n"
        "1:  mov x29, xzr\n"
        "    mov x30, xzr\n"
        "    mov x0, x10\n"
        "    blr x9\n"
        "    mov x8, #93\n" /* exit */
        "    svc #0\n"
        "    brk #0\n"
        ".size pm_clone3_entry, . - pm_clone3_entry\n"
        ".previous\n");
#else
#define PM_HAS_CLONE3_ENTRY 0
#endif

#define SHARED_UNTIL_EXEC ((uint64_t)(CLONE_VM | CLONE_VFORK))

static long clone_modern(pm_spawn_context *context, char *stack, int *pidfd) {
    const pm_spawn_request *request = context->request;
    struct clone_args args = {
        .flags = SHARED_UNTIL_EXEC | CLONE_CLEAR_SIGHAND,
        .exit_signal = SIGCHLD,
        .stack = (uint64_t)(uintptr_t)stack,
        .stack_size = PM_SPAWN_STACK_SIZE,
    };
    if ((request->flags & PM_SPAWN_WANT_PIDFD) != 0) {
        args.flags |= CLONE_PIDFD;
        args.pidfd = (uint64_t)(uintptr_t)pidfd;
    }
    if ((request->flags & PM_SPAWN_IN_CGROUP) != 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)request->cgroup_fd;
    }
#if PM_HAS_CLONE3_ENTRY
    return pm_clone3_entry(&args, sizeof args, pm_spawn_child, context);
#else
    (void)args;
    return -ENOSYS;
#endif
}

/* A child that nobody could hold is ended, so that the caller is left with a child or without, never between.
 */
static void discard(pid_t pid) {
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static long clone_legacy(pm_spawn_context *context, char *stack, int *pidfd, pm_step *failed) {
    context->enter_cgroup = (context->request->flags & PM_SPAWN_IN_CGROUP) != 0;
    int pid = clone(pm_spawn_child, stack + PM_SPAWN_STACK_SIZE, (int)SHARED_UNTIL_EXEC | SIGCHLD, context);
    if (pid < 0)
        return -errno;
    /* A failed child is reaped by the caller in any case and needs no pidfd. */
    if (context->step != PM_STEP_NONE || (context->request->flags & PM_SPAWN_WANT_PIDFD) == 0)
        return pid;
    int fd = pm_pidfd_open(pid); /* the pid is still ours: nobody else can have reaped it */
    if (fd < 0) {
        discard(pid);
        *failed = PM_STEP_PIDFD;
        return fd;
    }
    *pidfd = fd;
    return pid;
}

long pm_spawn_clone(pm_spawn_context *context, char *stack, int *pidfd, pm_step *failed) {
    *failed = PM_STEP_CLONE;
    long pid = clone_modern(context, stack, pidfd);
    /* Absent, or refused by a seccomp filter that cannot look into clone3's argument struct. */
    if (pid == -ENOSYS || pid == -EPERM)
        pid = clone_legacy(context, stack, pidfd, failed);
    return pid;
}
