/* pm-init under a service manager, whose part the test plays. */
#define _GNU_SOURCE
#include "harness.h"
#include "rig.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static message m;

/* A socket for notifications at a new path; the variable names it. */
static int open_notify_socket(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", scratch());
    unlink(address.sun_path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    return fd;
}

static void expect_word(int fd, const char *word) {
    char text[PM_NOTIFY_MAX + 1] = "";
    wait_readable(fd);
    CHECK(recv(fd, text, sizeof text - 1, 0) >= 0);
    CHECK_TEXT(text, word);
}

static void passes_pmds_words_on(void) {
    rig r;
    int manager = open_notify_socket();
    rig_serve(&r, NULL);
    static const char word[] = "READY=1\nSTATUS=serving";
    send_message(&r, &(outgoing){PM_NOTIFY, 0, word, sizeof word - 1});
    expect_word(manager, word);
    close(manager);
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* Neither pmd nor its services may speak in pm-init's place. */
static void keeps_the_managers_variables_to_itself(void) {
    rig r;
    int manager = open_notify_socket();
    setenv("WATCHDOG_USEC", "60000000", 1);
    rig_serve(&r, NULL);
    char path[64], environment[65536];
    snprintf(path, sizeof path, "/proc/%d/environ", r.pmd);
    FILE *file = fopen(path, "re");
    CHECK(file != NULL);
    size_t size = fread(environment, 1, sizeof environment - 1, file);
    fclose(file);
    for (size_t i = 0; i < size; i += strlen(environment + i) + 1)
        CHECK(strncmp(environment + i, "NOTIFY_SOCKET=", 14) != 0 &&
              strncmp(environment + i, "WATCHDOG_USEC=", 14) != 0);
    close(manager);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void tells_the_watchdog_that_it_lives(void) {
    rig r;
    int manager = open_notify_socket();
    setenv("WATCHDOG_USEC", "100000", 1);
    rig_serve(&r, NULL);
    for (int i = 0; i < 3; i++)
        expect_word(manager, "WATCHDOG=1");
    close(manager);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void leaves_the_watchdog_of_another_process_alone(void) {
    rig r;
    int manager = open_notify_socket();
    setenv("WATCHDOG_USEC", "1000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    rig_serve(&r, NULL);
    spawn_child(&r, 1, &(child_spec){.role = "wait"});
    struct pollfd state = {.fd = manager, .events = POLLIN};
    CHECK_EQUAL(poll(&state, 1, 0), 0);
    close(manager);
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* The shell is what the manager starts, and becomes pm-init. */
static void hands_activated_sockets_to_pmd(void) {
    static const char *const wrapper[] = {
        "/bin/sh", "-c", "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=socket:other exec \"$@\"", "sh", NULL};
    rig r;
    int one = pm_memfd_create("one"), two = pm_memfd_create("two");
    struct stat passed, wanted;
    CHECK_EQUAL(fstat(one, &wanted), 0);
    rig_wrapper = wrapper;
    rig_passed[0] = one;
    rig_passed[1] = two;
    rig_passed_count = 2;
    rig_start(&r, NULL);
    const pm_hello hello = {.version = PM_CONTROL_VERSION, .pid = r.pmd};
    send_message(&r, &(outgoing){PM_HELLO, 0, &hello, sizeof hello});
    expect(&r, PM_HELLO, 0, &m);
    expect(&r, PM_HELD, 0, &m);
    CHECK_TEXT(m.name.name, "socket");
    CHECK_EQUAL(m.fd_count, 1);
    CHECK_EQUAL(fstat(m.fds[0], &passed), 0);
    CHECK_EQUAL(passed.st_ino, wanted.st_ino);
    close_fds(&m);
    expect(&r, PM_HELD, 0, &m);
    CHECK_TEXT(m.name.name, "other");
    close_fds(&m);
    expect(&r, PM_HANDED_OVER, 0, &m);
    close(one);
    close(two);
    CHECK_EQUAL(rig_stop(&r), 0);
}

const test manager_tests[] = {
    {"manager: pmd's words are passed on", passes_pmds_words_on},
    {"manager: its variables are pm-init's alone", keeps_the_managers_variables_to_itself},
    {"manager: its watchdog is told that pm-init lives", tells_the_watchdog_that_it_lives},
    {"manager: another process's watchdog is left alone", leaves_the_watchdog_of_another_process_alone},
    {"manager: activated sockets are handed to pmd", hands_activated_sockets_to_pmd},
    {NULL, NULL},
};
