#define _GNU_SOURCE
#include "spawn_filter.h"
#include "spawn_calls.h"
#include "spawn_internal.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
/* The last number before those that all architectures share. */
#define LAST_OF_ITS_OWN 335u
#define KEXEC_FILE_LOAD 320
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#define LAST_OF_ITS_OWN 294u
#define KEXEC_FILE_LOAD 294
#endif

#ifdef NATIVE

#ifndef SYS_kexec_file_load
#define SYS_kexec_file_load KEXEC_FILE_LOAD
#endif
#define FIRST_SHARED 424u
#define CLONE3 435u
/* Numbers from here on are x32's. */
#define X32 0x40000000u

#define ALLOW SECCOMP_RET_ALLOW
#define FAIL(error) (SECCOMP_RET_ERRNO | (error))
#define NAMESPACES                                                                                           \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |            \
     CLONE_NEWNET)

/* Room for the statements before the runs and the one after them. */
#define AROUND 16u

#define CALL(name) [SYS_##name] = true,
#define LATER(name, number) [number] = true,
static const bool allowed[PM_CALLS_LAST + 1] = {PM_CALLS_ALLOWED(CALL, LATER)};
static const bool denied[PM_CALLS_LAST + 1] = {PM_CALLS_DENIED(CALL, LATER)};

DIRECT static uint32_t verdict(pm_filter_kind kind, uint32_t number) {
    if (number == CLONE3)
        return FAIL(ENOSYS);
    if (kind == PM_FILTER_DENIES)
        return denied[number] ? FAIL(EPERM) : ALLOW;
    if (number > LAST_OF_ITS_OWN && number < FIRST_SHARED)
        return FAIL(ENOSYS);
    return allowed[number] ? ALLOW : FAIL(EPERM);
}

typedef struct {
    struct sock_filter *out;
    size_t size;
} builder;

DIRECT static void add(builder *b, struct sock_filter statement) {
    b->out[b->size++] = statement;
}

/* Statements to skip when the test is passed, and when it is not. */
DIRECT static struct sock_filter jump(uint16_t test, uint32_t value, uint8_t then, uint8_t otherwise) {
    return (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | test, value, then, otherwise);
}

DIRECT static void answer(builder *b, uint32_t value) {
    add(b, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value));
}

/* The next statement is for what passes the test, the one after it for others. */
DIRECT static void test(builder *b, uint16_t test, uint32_t value) {
    add(b, jump(test, value, 0, 1));
}

DIRECT static void load(builder *b, size_t offset) {
    add(b, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

DIRECT static void add_before_runs(builder *b) {
    load(b, offsetof(struct seccomp_data, arch));
    add(b, jump(BPF_JEQ, NATIVE, 1, 0));
    answer(b, FAIL(EPERM)); /* another calling convention has other numbers */
    load(b, offsetof(struct seccomp_data, nr));
    test(b, BPF_JGE, X32);
    answer(b, FAIL(EPERM));
    add(b, jump(BPF_JEQ, SYS_clone, 0, 4));
    /* The lower half; the upper one of clone's flags means nothing. */
    load(b, offsetof(struct seccomp_data, args));
    test(b, BPF_JSET, NAMESPACES);
    answer(b, FAIL(EPERM));
    answer(b, ALLOW);
}

DIRECT size_t pm_spawn_filter(pm_filter_kind kind, struct sock_filter out[PM_FILTER_MAX]) {
    builder b = {.out = out};
    add_before_runs(&b);
    for (uint32_t number = 0; number <= PM_CALLS_LAST && b.size + AROUND <= PM_FILTER_MAX; number++) {
        uint32_t now = verdict(kind, number);
        if (number < PM_CALLS_LAST && verdict(kind, number + 1) == now)
            continue;
        add(&b, jump(BPF_JGT, number, 1, 0));
        answer(&b, now);
    }
    /* What is newer than the lists. */
    answer(&b, kind == PM_FILTER_ALLOWS ? FAIL(ENOSYS) : ALLOW);
    return b.size;
}

#else

size_t pm_spawn_filter(pm_filter_kind kind, struct sock_filter out[PM_FILTER_MAX]) {
    (void)kind;
    (void)out;
    return 0;
}

#endif
