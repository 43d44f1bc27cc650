/*
 * The system calls of the two filters of a sandbox, by group. Docs/Configuration.md has the same lists for
 * readers, and a test compares them (SandboxCallTests).
 *
 * CALL(name): one that every supported C library names. LATER(name, number): one that older headers do not
 * name; from 424 on the numbers are the same on all architectures.
 */
#ifndef PM_SPAWN_CALLS_H
#define PM_SPAWN_CALLS_H

/* The last number whose call was looked at for these lists (Linux 6.17). Later ones fail with ENOSYS, as on a
 * kernel that does not have them: the C library then takes an older call. */
#define PM_CALLS_LAST 469

/* clang-format off */

/* MARK: allowed */

#define PM_ALLOW_FILES(CALL, LATER) \
    CALL(read) CALL(write) CALL(readv) CALL(writev) CALL(pread64) CALL(pwrite64) CALL(preadv) CALL(pwritev) \
    CALL(preadv2) CALL(pwritev2) CALL(lseek) CALL(close) LATER(close_range, 436) CALL(dup) CALL(dup3) CALL(fcntl) \
    CALL(ioctl) CALL(flock) CALL(openat) LATER(openat2, 437) CALL(fstat) CALL(newfstatat) CALL(statx) CALL(statfs) \
    CALL(fstatfs) CALL(faccessat) LATER(faccessat2, 439) CALL(fchmod) CALL(fchmodat) LATER(fchmodat2, 452) \
    CALL(fchown) CALL(fchownat) CALL(utimensat) CALL(truncate) CALL(ftruncate) CALL(fallocate) CALL(fadvise64) \
    CALL(readahead) CALL(getdents64) CALL(getcwd) CALL(chdir) CALL(fchdir) CALL(mkdirat) CALL(mknodat) \
    CALL(unlinkat) CALL(renameat) CALL(renameat2) CALL(linkat) CALL(symlinkat) CALL(readlinkat) CALL(umask) \
    CALL(setxattr) CALL(lsetxattr) CALL(fsetxattr) CALL(getxattr) CALL(lgetxattr) CALL(fgetxattr) CALL(listxattr) \
    CALL(llistxattr) CALL(flistxattr) CALL(removexattr) CALL(lremovexattr) CALL(fremovexattr) \
    LATER(setxattrat, 463) LATER(getxattrat, 464) LATER(listxattrat, 465) LATER(removexattrat, 466) \
    LATER(file_getattr, 468) LATER(file_setattr, 469) CALL(sync) CALL(syncfs) CALL(fsync) CALL(fdatasync) \
    CALL(sync_file_range) CALL(sendfile) CALL(splice) CALL(tee) CALL(vmsplice) CALL(copy_file_range) \
    LATER(cachestat, 451)

#define PM_ALLOW_EVENTS(CALL, LATER) \
    CALL(pselect6) CALL(ppoll) CALL(epoll_create1) CALL(epoll_ctl) CALL(epoll_pwait) LATER(epoll_pwait2, 441) \
    CALL(eventfd2) CALL(signalfd4) CALL(timerfd_create) CALL(timerfd_settime) CALL(timerfd_gettime) \
    CALL(inotify_init1) CALL(inotify_add_watch) CALL(inotify_rm_watch) CALL(io_setup) CALL(io_destroy) \
    CALL(io_submit) CALL(io_cancel) CALL(io_getevents) CALL(io_pgetevents)

#define PM_ALLOW_NETWORK(CALL, LATER) \
    CALL(socket) CALL(socketpair) CALL(bind) CALL(listen) CALL(accept) CALL(accept4) CALL(connect) CALL(shutdown) \
    CALL(getsockname) CALL(getpeername) CALL(getsockopt) CALL(setsockopt) CALL(sendto) CALL(sendmsg) \
    CALL(sendmmsg) CALL(recvfrom) CALL(recvmsg) CALL(recvmmsg)

#define PM_ALLOW_MEMORY(CALL, LATER) \
    CALL(brk) CALL(mmap) CALL(munmap) CALL(mprotect) CALL(mremap) CALL(msync) CALL(mincore) CALL(madvise) \
    CALL(mlock) CALL(mlock2) CALL(munlock) CALL(mlockall) CALL(munlockall) CALL(membarrier) CALL(memfd_create) \
    LATER(memfd_secret, 447) CALL(pkey_alloc) CALL(pkey_free) CALL(pkey_mprotect) LATER(map_shadow_stack, 453) \
    LATER(mseal, 462) CALL(mbind) CALL(get_mempolicy) CALL(set_mempolicy) LATER(set_mempolicy_home_node, 450)

#define PM_ALLOW_PROCESSES(CALL, LATER) \
    CALL(clone) CALL(execve) CALL(execveat) CALL(exit) CALL(exit_group) CALL(wait4) CALL(waitid) CALL(getpid) \
    CALL(getppid) CALL(gettid) CALL(getpgid) CALL(setpgid) CALL(getsid) CALL(setsid) CALL(set_tid_address) \
    CALL(set_robust_list) CALL(get_robust_list) CALL(rseq) CALL(futex) LATER(futex_waitv, 449) \
    LATER(futex_wake, 454) LATER(futex_wait, 455) LATER(futex_requeue, 456) LATER(pidfd_open, 434) CALL(prctl) \
    CALL(seccomp) LATER(landlock_create_ruleset, 444) LATER(landlock_add_rule, 445) \
    LATER(landlock_restrict_self, 446) CALL(uname) CALL(sysinfo) CALL(getcpu) CALL(getrandom)

#define PM_ALLOW_SIGNALS(CALL, LATER) \
    CALL(rt_sigaction) CALL(rt_sigprocmask) CALL(rt_sigpending) CALL(rt_sigtimedwait) CALL(rt_sigsuspend) \
    CALL(rt_sigreturn) CALL(rt_sigqueueinfo) CALL(rt_tgsigqueueinfo) CALL(sigaltstack) CALL(kill) CALL(tkill) \
    CALL(tgkill) LATER(pidfd_send_signal, 424) CALL(restart_syscall)

#define PM_ALLOW_TIME(CALL, LATER) \
    CALL(clock_gettime) CALL(clock_getres) CALL(clock_nanosleep) CALL(gettimeofday) CALL(nanosleep) CALL(times) \
    CALL(getitimer) CALL(setitimer) CALL(timer_create) CALL(timer_settime) CALL(timer_gettime) \
    CALL(timer_getoverrun) CALL(timer_delete)

#define PM_ALLOW_IDENTITY(CALL, LATER) \
    CALL(getuid) CALL(geteuid) CALL(getgid) CALL(getegid) CALL(getresuid) CALL(getresgid) CALL(getgroups) \
    CALL(setuid) CALL(setgid) CALL(setreuid) CALL(setregid) CALL(setresuid) CALL(setresgid) CALL(setgroups) \
    CALL(setfsuid) CALL(setfsgid) CALL(capget) CALL(capset)

#define PM_ALLOW_RESOURCES(CALL, LATER) \
    CALL(getrusage) CALL(getrlimit) CALL(setrlimit) CALL(prlimit64) CALL(getpriority) CALL(setpriority) \
    CALL(sched_yield) CALL(sched_getaffinity) CALL(sched_setaffinity) CALL(sched_getparam) CALL(sched_setparam) \
    CALL(sched_getscheduler) CALL(sched_setscheduler) CALL(sched_getattr) CALL(sched_setattr) \
    CALL(sched_get_priority_max) CALL(sched_get_priority_min) CALL(sched_rr_get_interval) CALL(ioprio_get) \
    CALL(ioprio_set)

#define PM_ALLOW_IPC(CALL, LATER) \
    CALL(pipe2) CALL(shmget) CALL(shmat) CALL(shmdt) CALL(shmctl) CALL(semget) CALL(semop) CALL(semtimedop) \
    CALL(semctl) CALL(msgget) CALL(msgsnd) CALL(msgrcv) CALL(msgctl) CALL(mq_open) CALL(mq_unlink) \
    CALL(mq_timedsend) CALL(mq_timedreceive) CALL(mq_notify) CALL(mq_getsetattr)

#if defined(__x86_64__)
/* Older forms of the above, which other architectures do not have. */
#define PM_ALLOW_OLDER(CALL, LATER) \
    CALL(open) CALL(creat) CALL(stat) CALL(lstat) CALL(access) CALL(chmod) CALL(chown) CALL(lchown) CALL(utime) \
    CALL(utimes) CALL(futimesat) CALL(mkdir) CALL(rmdir) CALL(mknod) CALL(unlink) CALL(rename) CALL(link) \
    CALL(symlink) CALL(readlink) CALL(getdents) CALL(dup2) CALL(pipe) CALL(select) CALL(poll) CALL(epoll_create) \
    CALL(epoll_wait) CALL(eventfd) CALL(signalfd) CALL(inotify_init) CALL(fork) CALL(vfork) CALL(getpgrp) \
    CALL(arch_prctl) CALL(alarm) CALL(pause) CALL(time) LATER(uretprobe, 335)
#else
#define PM_ALLOW_OLDER(CALL, LATER)
#endif

#define PM_CALLS_ALLOWED(CALL, LATER) \
    PM_ALLOW_FILES(CALL, LATER) PM_ALLOW_EVENTS(CALL, LATER) PM_ALLOW_NETWORK(CALL, LATER) \
    PM_ALLOW_MEMORY(CALL, LATER) PM_ALLOW_PROCESSES(CALL, LATER) PM_ALLOW_SIGNALS(CALL, LATER) \
    PM_ALLOW_TIME(CALL, LATER) PM_ALLOW_IDENTITY(CALL, LATER) PM_ALLOW_RESOURCES(CALL, LATER) \
    PM_ALLOW_IPC(CALL, LATER) PM_ALLOW_OLDER(CALL, LATER)

/* MARK: denied where everything else is allowed */

#define PM_DENY_MOUNTS(CALL, LATER) \
    CALL(mount) CALL(umount2) CALL(pivot_root) CALL(chroot) LATER(open_tree, 428) LATER(move_mount, 429) \
    LATER(fsopen, 430) LATER(fsconfig, 431) LATER(fsmount, 432) LATER(fspick, 433) LATER(mount_setattr, 442) \
    LATER(open_tree_attr, 467) CALL(unshare) CALL(setns)

#define PM_DENY_MACHINE(CALL, LATER) \
    CALL(init_module) CALL(finit_module) CALL(delete_module) CALL(kexec_load) CALL(kexec_file_load) CALL(reboot) \
    CALL(swapon) CALL(swapoff) CALL(acct) CALL(quotactl) LATER(quotactl_fd, 443) CALL(syslog) CALL(vhangup) \
    CALL(sethostname) CALL(setdomainname) CALL(settimeofday) CALL(clock_settime) CALL(clock_adjtime) CALL(adjtimex)

#define PM_DENY_OTHERS(CALL, LATER) \
    CALL(ptrace) CALL(process_vm_readv) CALL(process_vm_writev) CALL(kcmp) LATER(pidfd_getfd, 438) \
    LATER(process_madvise, 440) LATER(process_mrelease, 448) CALL(move_pages) CALL(migrate_pages)

#define PM_DENY_KERNEL(CALL, LATER) \
    CALL(bpf) CALL(perf_event_open) CALL(userfaultfd) CALL(fanotify_init) CALL(fanotify_mark) \
    LATER(io_uring_setup, 425) LATER(io_uring_enter, 426) LATER(io_uring_register, 427) CALL(add_key) \
    CALL(request_key) CALL(keyctl) CALL(name_to_handle_at) CALL(open_by_handle_at) CALL(lookup_dcookie)

#if defined(__x86_64__)
#define PM_DENY_OLDER(CALL, LATER) \
    CALL(iopl) CALL(ioperm) CALL(modify_ldt) CALL(_sysctl) CALL(uselib) CALL(create_module)
#else
#define PM_DENY_OLDER(CALL, LATER)
#endif

#define PM_CALLS_DENIED(CALL, LATER) \
    PM_DENY_MOUNTS(CALL, LATER) PM_DENY_MACHINE(CALL, LATER) PM_DENY_OTHERS(CALL, LATER) \
    PM_DENY_KERNEL(CALL, LATER) PM_DENY_OLDER(CALL, LATER)

/* clang-format on */

#endif
