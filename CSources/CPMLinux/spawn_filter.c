#define _GNU_SOURCE
#include "spawn_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <sched.h>
#include <stddef.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#endif

#ifdef NATIVE

#define NUMBER offsetof(struct seccomp_data, nr)
#define ARCHITECTURE offsetof(struct seccomp_data, arch)
/* The lower half; the upper one of clone's flags means nothing. */
#define FIRST_ARGUMENT offsetof(struct seccomp_data, args)

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, value)
#define FAIL(error) ANSWER(SECCOMP_RET_ERRNO | (error))
/* The next statement for equals, the one after it for others. */
#define IF(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1)
#define UNLESS(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 1, 0)
#define DENY(name) IF(SYS_##name), FAIL(EPERM)

#define NAMESPACES                                                                                           \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |            \
     CLONE_NEWNET)

/* clang-format off */
static const struct sock_filter program[] = {
    /* Another calling convention has other numbers. */
    LOAD(ARCHITECTURE), UNLESS(NATIVE), FAIL(EPERM),
    LOAD(NUMBER),
#if defined(__x86_64__)
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), FAIL(EPERM), /* x32 */
    DENY(iopl), DENY(ioperm), DENY(modify_ldt), DENY(_sysctl), DENY(uselib), DENY(create_module),
#endif
    DENY(mount), DENY(umount2), DENY(pivot_root), DENY(chroot), DENY(swapon), DENY(swapoff),
    IF(428 /* open_tree */), FAIL(EPERM), IF(429 /* move_mount */), FAIL(EPERM),
    IF(430 /* fsopen */), FAIL(EPERM), IF(431 /* fsconfig */), FAIL(EPERM),
    IF(432 /* fsmount */), FAIL(EPERM), IF(433 /* fspick */), FAIL(EPERM),
    IF(442 /* mount_setattr */), FAIL(EPERM),
    DENY(unshare), DENY(setns),
    DENY(init_module), DENY(finit_module), DENY(delete_module), DENY(kexec_load),
#ifdef SYS_kexec_file_load
    DENY(kexec_file_load),
#endif
    DENY(reboot), DENY(acct), DENY(quotactl), DENY(syslog), DENY(vhangup), DENY(sethostname), DENY(setdomainname),
    DENY(settimeofday), DENY(clock_settime), DENY(clock_adjtime), DENY(adjtimex),
    DENY(ptrace), DENY(process_vm_readv), DENY(process_vm_writev), DENY(kcmp),
    DENY(bpf), DENY(perf_event_open), DENY(userfaultfd), DENY(fanotify_init),
    DENY(open_by_handle_at), DENY(name_to_handle_at), DENY(lookup_dcookie),
    DENY(add_key), DENY(request_key), DENY(keyctl),
    /* Would go past this filter; Node does without. */
    IF(425 /* io_uring_setup */), FAIL(EPERM), IF(426 /* io_uring_enter */), FAIL(EPERM),
    IF(427 /* io_uring_register */), FAIL(EPERM),
    /* A filter cannot see clone3's flags; the C library then takes clone. */
    IF(435 /* clone3 */), FAIL(ENOSYS),
    UNLESS(SYS_clone), ANSWER(SECCOMP_RET_ALLOW),
    LOAD(FIRST_ARGUMENT), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1), FAIL(EPERM),
    ANSWER(SECCOMP_RET_ALLOW),
};
/* clang-format on */

/* The kernel only reads it. */
const struct sock_fprog pm_spawn_filter = {
    .len = sizeof program / sizeof *program,
    .filter = (struct sock_filter *)program,
};

#else

const struct sock_fprog pm_spawn_filter = {.len = 0, .filter = NULL};

#endif
