/* What is kept from a child in a sandbox: the kernel's switches, devices, keys, calls and other processes. */
#define _GNU_SOURCE
#include "harness.h"
#include "sandboxing.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* MARK: what it sees */

static void the_kernels_switches_are_read_only(void) {
    skip_without_namespaces();
    if (geteuid() != 0)
        skip("only root could change them");
    static const char *const places[] = {"/", "/proc/sys"};
    for (int i = 0; i < 2; i++) {
        sandbox *s = new_sandbox();
        add_mount(s, PM_MOUNT_READ_ONLY, places[i]);
        add_word(s, ">", "/proc/sys/kernel/core_pattern", "");
        check_line(reported(&s->p), ">/proc/sys/kernel/core_pattern: EROFS");
    }
}

static void what_is_masked_is_empty(void) {
    skip_without_namespaces();
    char directory[128], file[160], word[200];
    make_directory(directory, "secrets");
    snprintf(file, sizeof file, "%s/secret", scratch());
    int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    CHECK_EQUAL(write(fd, "secret", 6), 6);
    close(fd);
    sandbox *s = new_sandbox();
    add_mount(s, PM_MOUNT_MASKED, directory);
    add_mount(s, PM_MOUNT_MASKED, file);
    add_mount(s, PM_MOUNT_MASKED, "/nowhere/at/all");
    add_word(s, "<", directory, "");
    add_word(s, "+", directory, "");
    add_word(s, "<", file, "");
    const char *text = reported(&s->p);
    snprintf(word, sizeof word, "<%s", directory);
    check_answer(text, word, "ENODATA");
    snprintf(word, sizeof word, "+%s", directory);
    check_answer(text, word, "EROFS");
    snprintf(word, sizeof word, "<%s", file);
    check_answer(text, word, "ENODATA");
}

static void devices_are_those_of_every_program(void) {
    skip_without_namespaces();
    sandbox *s = new_sandbox();
    add_mount(s, PM_MOUNT_DEVICES, "/dev");
    add_word(s, ">", "/dev/null", "");
    add_word(s, "<", "/dev/zero", "");
    add_word(s, "<", "/dev/urandom", "");
    add_word(s, "?", "/dev/fd/0", "");
    add_word(s, "+", "/dev/shm", "");
    add_word(s, "+", "/dev", "");
    add_word(s, "?", "/dev/kmsg", "");
    if (geteuid() == 0)
        add_word(s, "term", "inal", "");
    const char *text = reported(&s->p);
    static const char *const yes[] = {">/dev/null", "</dev/zero", "</dev/urandom", "?/dev/fd/0", "+/dev/shm"};
    for (int i = 0; i < 5; i++)
        check_answer(text, yes[i], "yes");
    check_line(text, "+/dev: EROFS");
    check_line(text, "?/dev/kmsg: ENOENT");
    if (geteuid() == 0)
        check_line(text, "terminal: yes");
}

static void a_device_that_is_asked_for_is_kept(void) {
    skip_without_namespaces();
    if (access("/dev/kmsg", F_OK) < 0)
        skip("no /dev/kmsg");
    sandbox *s = new_sandbox();
    add_mount(s, PM_MOUNT_DEVICES, "/dev");
    add_mount(s, PM_MOUNT_KEPT_WRITABLE, "/dev/kmsg");
    add_word(s, "?", "/dev/kmsg", "");
    check_line(reported(&s->p), "?/dev/kmsg: yes");
}

/* A link where a directory was: what a service can do to a directory that it may write. */
static void a_link_in_the_path_of_what_is_kept_is_refused(void) {
    skip_without_namespaces();
    char target[128], path[160], inner[176];
    pm_child child;
    pm_spawn_failure failure;
    make_directory(target, "victim");
    snprintf(path, sizeof path, "%s/link", scratch());
    CHECK_EQUAL(symlink(target, path), 0);
    snprintf(inner, sizeof inner, "%s/inner", path);
    const char *const paths[] = {path, inner};
    static const char kinds[] = {PM_MOUNT_KEPT, PM_MOUNT_KEPT_WRITABLE};
    for (int i = 0; i < 4; i++) {
        sandbox *s = new_sandbox();
        s->p.fds[1] = 2;
        add_mount(s, kinds[i / 2], paths[i % 2]);
        CHECK(!spawn(&s->p.request, &child, &failure));
        CHECK_TEXT(pm_step_name(failure.step), "mount");
        CHECK_EQUAL(failure.error, ELOOP);
    }
}

static void a_umask_does_not_close_what_is_made_for_the_sandbox(void) {
    skip_without_namespaces();
    if (geteuid() != 0)
        skip("only root can start somebody else's");
    char home[128], kept[160];
    CHECK_EQUAL(chmod(scratch(), 0755), 0);
    make_directory(home, "home");
    /* The directory between the hidden one and this one is made again. */
    snprintf(kept, sizeof kept, "%s/inner/app", home);
    CHECK_EQUAL(mkdir(kept, 0755), 0);
    sandbox *s = new_sandbox();
    s->p.request.flags |= PM_SPAWN_SET_UMASK | PM_SPAWN_SET_IDS;
    s->p.request.umask = 077;
    s->p.request.uid = s->p.request.gid = 65534;
    s->p.request.cwd = kept;
    add_mount(s, PM_MOUNT_HIDDEN, home);
    add_mount(s, PM_MOUNT_KEPT, kept);
    add_mount(s, PM_MOUNT_DEVICES, "/dev");
    add_word(s, "?", kept, "");
    add_word(s, "+", "/dev/shm", "");
    /* The caller's own is no better. */
    mode_t before = umask(077);
    const char *text = reported(&s->p);
    umask(before);
    check_line(text, "+/dev/shm: yes");
}

/* MARK: keys */

static const char key_name[] = "pm-c-tests";

/* This process, which is a fork, gets a session keyring with a key in it. */
static void add_key(void) {
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) < 0)
        _exit(0); /* none here: nothing that could be seen */
    CHECK(syscall(SYS_add_key, "user", key_name, "secret", 6, KEY_SPEC_SESSION_KEYRING) > 0);
}

static const char *finding(uint32_t flags) {
    prepared p;
    prepare(&p, -1, "probe", "@pm-c-tests");
    p.request.flags = flags;
    p.request.uid = p.request.gid = 65534;
    return reported(&p);
}

static void check_keys(void) {
    add_key();
    check_line(finding(0), "@pm-c-tests: yes");
    check_line(finding(PM_SPAWN_OWN_KEYRING), "@pm-c-tests: ENOKEY");
    if (geteuid() == 0)
        check_line(finding(PM_SPAWN_OWN_KEYRING | PM_SPAWN_SET_IDS), "@pm-c-tests: ENOKEY");
}

static void keys_of_the_caller_are_not_found(void) {
    in_fork(check_keys);
}

static void check_without_keyrings(void) {
    pm_child child;
    pm_spawn_failure failure;
    prepared p;
    prepare(&p, 2, "exit", "0");
    forbid(SYS_keyctl, EPERM);
    p.request.flags = PM_SPAWN_OWN_KEYRING;
    wait_for(spawn_or_fail(&p.request).pid);
    p.request.flags |= PM_SPAWN_FILTERED | PM_SPAWN_NO_NEW_PRIVS;
    CHECK(!spawn(&p.request, &child, &failure));
    CHECK_TEXT(pm_step_name(failure.step), "keyring");
}

/* A user may have so many keys: who is another user must not share the caller's then. */
static void check_without_room_for_keys(void) {
    pm_child child;
    pm_spawn_failure failure;
    prepared p;
    prepare(&p, 2, "exit", "0");
    forbid(SYS_keyctl, EDQUOT);
    p.request.flags = PM_SPAWN_OWN_KEYRING;
    wait_for(spawn_or_fail(&p.request).pid);
    p.request.flags |= PM_SPAWN_SET_IDS;
    p.request.uid = p.request.gid = 65534;
    CHECK(!spawn(&p.request, &child, &failure));
    CHECK_TEXT(pm_step_name(failure.step), "keyring");
    CHECK_EQUAL(failure.error, EDQUOT);
}

static void without_room_for_keys_another_user_fails(void) {
    in_fork(check_without_room_for_keys);
}

static void without_keyrings_only_a_filtered_child_fails(void) {
    in_fork(check_without_keyrings);
}

/* MARK: calls */

static const char *answers(uint32_t flags, const char *const *words) {
    prepared p;
    prepare(&p, -1, "probe", words[0]);
    for (int i = 1; i < 8 && words[i] != NULL; i++)
        p.argv[3 + i] = words[i];
    p.request.flags = PM_SPAWN_FILTERED | PM_SPAWN_NO_NEW_PRIVS | flags;
    return reported(&p);
}

#define TEXT(number) #number
#define WORD(number) "#" TEXT(number)

static void calls_into_other_processes_are_refused(void) {
    static const char *const words[] = {"ptrace",
                                        WORD(438) /* pidfd_getfd */,
                                        WORD(440) /* process_madvise */,
                                        WORD(448) /* process_mrelease */,
                                        "#1073741863" /* x32's getpid */,
                                        NULL};
    for (uint32_t less = 0; less <= PM_SPAWN_DENY_LIST; less += PM_SPAWN_DENY_LIST) {
        const char *text = answers(less, words);
        for (int i = 0; words[i] != NULL; i++)
            check_answer(text, words[i], "EPERM");
    }
}

static void what_is_on_no_list_depends_on_the_filter(void) {
    /* remap_file_pages and its like nobody needs; a newer kernel's call is as on an older kernel. */
    char old[16];
    snprintf(old, sizeof old, "#%d", SYS_remap_file_pages);
    const char *const words[] = {old, "#511", "clone3", "fork", "thread", NULL};
    const char *text = answers(0, words);
    check_answer(text, old, "EPERM");
    check_answer(text, "#511", "ENOSYS");
    check_answer(text, "clone3", "ENOSYS");
    check_answer(text, "fork", "yes");
    check_answer(text, "thread", "yes");
    text = answers(PM_SPAWN_DENY_LIST, words);
    check_answer(text, old, "EINVAL");
    check_answer(text, "clone3", "ENOSYS");
}

static void files_move_between_directories(void) {
    char word[160];
    snprintf(word, sizeof word, "%%%s", scratch());
    const char *const words[] = {word, NULL};
    check_answer(answers(0, words), word, "yes");
}

static void look_from_outside_as_nobody(void) {
    char word[40];
    if (geteuid() == 0)
        CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
    prctl(PR_SET_DUMPABLE, 1); /* as it is after an exec */
    snprintf(word, sizeof word, "</proc/%d/environ", (int)getpid());
    prepared p;
    prepare(&p, -1, "probe", word);
    check_answer(reported(&p), word, "yes"); /* of a process of its own user */
    const char *const words[] = {word, NULL};
    check_answer(answers(0, words), word, "EACCES");
}

static void processes_outside_cannot_be_looked_into(void) {
    if (syscall(444, NULL, 0, 1) < 2)
        skip("no Landlock");
    in_fork(look_from_outside_as_nobody);
}

const test confine_tests[] = {
    {"confine: the kernel's switches are read-only", the_kernels_switches_are_read_only},
    {"confine: what is masked is empty", what_is_masked_is_empty},
    {"confine: devices are those of every program", devices_are_those_of_every_program},
    {"confine: a device that is asked for is kept", a_device_that_is_asked_for_is_kept},
    {"confine: a link in the path of what is kept is refused", a_link_in_the_path_of_what_is_kept_is_refused},
    {"confine: a umask does not close what is made", a_umask_does_not_close_what_is_made_for_the_sandbox},
    {"confine: keys of the caller are not found", keys_of_the_caller_are_not_found},
    {"confine: without keyrings only a filtered child fails", without_keyrings_only_a_filtered_child_fails},
    {"confine: without room for keys another user fails", without_room_for_keys_another_user_fails},
    {"confine: calls into other processes are refused", calls_into_other_processes_are_refused},
    {"confine: what is on no list depends on the filter", what_is_on_no_list_depends_on_the_filter},
    {"confine: files move between directories", files_move_between_directories},
    {"confine: processes outside cannot be looked into", processes_outside_cannot_be_looked_into},
    {NULL, NULL},
};
