/* A pmd that hangs: the test makes up its loop, an epoll instance and a page of turns. */
#define _GNU_SOURCE
#include "harness.h"
#include "rig.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

/* Longer than pm-init needs to notice. */
#define OBSERVED_MS 4000

static message m;

/* What a pmd's loop consists of, seen from outside. */
typedef struct {
    pm_shared_page page;
    int epoll;
    int work; /* an eventfd in the instance: readable when there is something to do */
} loop;

static loop watched_loop(rig *r) {
    loop l;
    CHECK_EQUAL(pm_memory_share_page(&l.page), 0);
    l.epoll = pm_epoll_create();
    l.work = pm_eventfd_create();
    CHECK_EQUAL(pm_epoll_add(l.epoll, l.work, PM_EPOLL_IN, 0), 0);
    const pm_message header = {.type = PM_WATCH, .size = sizeof header};
    send_raw(r, &(raw_packet){&header, sizeof header, (const int[]){l.epoll, l.page.fd}, 2});
    return l;
}

static void close_loop(loop *l) {
    close(l->work);
    close(l->epoll);
    close(l->page.fd);
}

/* Milliseconds that the pmd of the moment lives on, at most OBSERVED_MS; its loop turns meanwhile if told. */
static int observe(const rig *r, _Atomic uint64_t *turns) {
    struct pollfd end = {.fd = pm_pidfd_open(r->pmd), .events = POLLIN};
    int lived = 0;
    CHECK(end.fd >= 0);
    for (; lived < OBSERVED_MS && poll(&end, 1, 100) == 0; lived += 100)
        if (turns != NULL)
            atomic_fetch_add(turns, 1);
    close(end.fd);
    return lived;
}

static void a_pmd_without_turns_is_replaced(void) {
    rig r;
    rig_serve(&r, NULL);
    pid_t pid = spawn_child(&r, 1, &(child_spec){.role = "wait"});
    loop l = watched_loop(&r);
    CHECK_EQUAL(pm_eventfd_signal(l.work), 0);
    int lived = observe(&r, NULL);
    CHECK(lived >= 2000 && lived < OBSERVED_MS);
    rig_next_pmd(&r);
    CHECK_EQUAL(rig_hello(&r, &m), 1);
    CHECK_EQUAL(m.adopt.pid, pid);
    CHECK(WIFSIGNALED(r.last_status) && WTERMSIG(r.last_status) == SIGKILL);
    CHECK_EQUAL(r.last_end, PM_END_HUNG);
    close_loop(&l);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void a_stopped_pmd_is_replaced(void) {
    rig r;
    rig_serve(&r, NULL);
    loop l = watched_loop(&r);
    CHECK_EQUAL(kill(r.pmd, SIGSTOP), 0);
    CHECK_EQUAL(pm_eventfd_signal(l.work), 0);
    CHECK(observe(&r, NULL) < OBSERVED_MS);
    rig_next_pmd(&r);
    CHECK_EQUAL(rig_hello(&r, &m), 0);
    close_loop(&l);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void an_idle_pmd_is_left_alone(void) {
    rig r;
    rig_serve(&r, NULL);
    loop l = watched_loop(&r);
    CHECK_EQUAL(observe(&r, NULL), OBSERVED_MS);
    close_loop(&l);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void a_busy_pmd_is_left_alone(void) {
    rig r;
    rig_serve(&r, NULL);
    loop l = watched_loop(&r);
    CHECK_EQUAL(pm_eventfd_signal(l.work), 0);
    CHECK_EQUAL(observe(&r, l.page.memory), OBSERVED_MS);
    close_loop(&l);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void a_page_that_could_be_cut_off_is_refused(void) {
    rig r;
    rig_serve(&r, NULL);
    int epoll = pm_epoll_create(), page = pm_memfd_create("page");
    CHECK_EQUAL(ftruncate(page, 4096), 0);
    const pm_message header = {.type = PM_WATCH, .size = sizeof header};
    send_raw(&r, &(raw_packet){&header, sizeof header, (const int[]){epoll, page}, 2});
    spawn_child(&r, 1, &(child_spec){.role = "wait"}); /* answered: the message before was taken */
    CHECK_EQUAL(ftruncate(page, 0), 0);
    close(epoll);
    close(page);
    CHECK_EQUAL(rig_stop(&r), 0);
}

const test watch_tests[] = {
    {"watch: a pmd without turns is replaced", a_pmd_without_turns_is_replaced},
    {"watch: a stopped pmd is replaced", a_stopped_pmd_is_replaced},
    {"watch: an idle pmd is left alone", an_idle_pmd_is_left_alone},
    {"watch: a busy pmd is left alone", a_busy_pmd_is_left_alone},
    {"watch: a page that could be cut off is refused", a_page_that_could_be_cut_off_is_refused},
    {NULL, NULL},
};
