/*
 * A small test harness. Each test is a function in a process of its own; what it leaves running fails it. A
 * check that does not hold ends the test with file, line and what was compared.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    const char *name;
    void (*run)(void);
} test;

/* Tables of the test files, each ended by a null name. */
extern const test shim_tests[], process_tests[], spawn_tests[], spawn_failure_tests[], spawn_fallback_tests[],
    init_tests[], adoption_tests[], stop_tests[], tree_tests[], hostile_tests[], cgroup_tests[],
    launch_tests[], watch_tests[], reexec_tests[], manager_tests[], journal_tests[], sandbox_tests[],
    rights_tests[], confine_tests[], diag_tests[], pid_tests[], executor_tests[], starting_tests[],
    restart_tests[], hang_tests[], stop_plan_tests[], state_tests[], log_tests[];

/* How long anything may be waited for, milliseconds. Nothing is expected to take it; valgrind needs its time.
 */
#define PATIENCE_MS 60000

__attribute__((noreturn, format(printf, 3, 4))) void fail_at(const char *file, int line, const char *format,
                                                             ...);
__attribute__((noreturn)) void skip(const char *reason);

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            fail_at(__FILE__, __LINE__, "%s", #condition);                                                   \
    } while (0)

#define CHECK_EQUAL(actual, expected)                                                                        \
    do {                                                                                                     \
        long long actual_ = (long long)(actual), expected_ = (long long)(expected);                          \
        if (actual_ != expected_)                                                                            \
            fail_at(__FILE__, __LINE__, "%s is %lld, not %lld", #actual, actual_, expected_);                \
    } while (0)

#define CHECK_TEXT(actual, expected)                                                                         \
    do {                                                                                                     \
        const char *actual_ = (actual), *expected_ = (expected);                                             \
        if (strcmp(actual_, expected_) != 0)                                                                 \
            fail_at(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #actual, actual_, expected_);            \
    } while (0)

/* This program, to be started again as a helper or as pmd. */
extern const char *self_path;
/* The pm-init to test. */
extern const char *init_path;
/* A directory for the test's files; removed when it is over. */
const char *scratch(void);

/* Whether PM_TEST_SLOW says that pm-init runs under a tool that makes it slow and large. */
bool is_slow(void);
/* Open descriptors of this process. */
int open_descriptors(void);
/* Waits until the descriptor is readable or its peer closed; fails the test when that takes too long. */
void wait_readable(int fd);
/* Reads to the end; the text lies in static memory. */
const char *read_all(int fd);
/* Waits for a child and gives its wait status. */
int wait_for(pid_t pid);
/* Waits until a process of any parent has ended. */
void wait_gone(pid_t pid);
/* Makes a system call fail with this error from now on, in this process and those it starts. */
void forbid(int syscall_number, int error);
/* Makes setsockopt(2) of this option fail as on a kernel that does not have it. */
void forbid_option(int option);
/*
 * A TCP connection whose last close blocks for an hour: it lingers, and its peer takes nothing. The peer and
 * its listener stay open in this process.
 */
int lingering_socket(void);
/* A socket for messages of sd_notify(3) in the scratch directory, with a sender that is connected to it. */
int notify_socket(int *sender);

#endif
