/* Packets that no sane pmd sends: ignored or answered with an error, and nothing is leaked. */
#define _GNU_SOURCE
#include "harness.h"
#include "rig.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static message m;

/* The descriptors of pm-init once it has done all that was asked of it. */
static int settled_descriptors(rig *r) {
    send_signal(r, 1u << 31, 0, PM_SCOPE_LEADER);
    expect(r, PM_SIGNAL_FAILED, 1u << 31, &m);
    return count_descriptors(r->init);
}

/* pm-init still does its work, holds as many descriptors as before, and has not lost its pmd. */
static void check_healthy(rig *r, int descriptors) {
    spawn_child(r, 1u << 30, &(child_spec){.role = "exit", .argument = {"3"}});
    expect(r, PM_EXITED, 1u << 30, &m);
    CHECK_EQUAL(WEXITSTATUS(m.exit.wait_status), 3);
    send_message(r, &(outgoing){PM_FORGET, 1u << 30, NULL, 0});
    CHECK_EQUAL(settled_descriptors(r), descriptors);
    CHECK_EQUAL(rig_stop(r), 0);
}

static void short_and_empty_packets(void) {
    rig r;
    const uint8_t bytes[64] = {0};
    rig_serve(&r, NULL);
    int descriptors = settled_descriptors(&r);
    CHECK_EQUAL(send(r.control, "", 0, 0), 0);
    for (size_t size = 1; size < sizeof(pm_message); size++)
        send_raw(&r, &(raw_packet){bytes, size, (const int[]){0, 1}, size % 3});
    check_healthy(&r, descriptors);
}

static void unknown_types(void) {
    rig r;
    rig_serve(&r, NULL);
    int descriptors = settled_descriptors(&r);
    const uint32_t types[] = {0,
                              PM_ADOPT,
                              PM_HELD,
                              PM_HANDED_OVER,
                              PM_SPAWNED,
                              PM_SPAWN_FAILED,
                              PM_SIGNAL_FAILED,
                              PM_EXITED,
                              PM_STOP_REQUESTED,
                              PM_TREE,
                              PM_TREE_EMPTY,
                              19,
                              1000,
                              UINT32_MAX};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        send_message(&r, &(outgoing){types[i], 1, NULL, 0});
        send_message(&r, &(outgoing){types[i], 1, &types, sizeof types});
    }
    check_healthy(&r, descriptors);
}

static void wrong_sizes(void) {
    rig r;
    static uint8_t body[PM_CONTROL_MAX - sizeof(pm_message)];
    rig_serve(&r, NULL);
    int descriptors = settled_descriptors(&r);
    for (uint32_t type = PM_HELLO; type <= PM_TREE_EMPTY; type++) {
        if (type == PM_SPAWN || type == PM_SIGNAL)
            continue; /* these are answered, below */
        send_message(&r, &(outgoing){type, 7, body, 1});
        send_message(&r, &(outgoing){type, 7, body, 4000});
        const pm_message lies[] = {{.type = type, .size = 15}, {.type = type, .size = UINT32_MAX}};
        send_raw(&r, &(raw_packet){&lies[0], sizeof lies[0], NULL, 0});
        send_raw(&r, &(raw_packet){&lies[1], sizeof lies[1], NULL, 0});
    }
    send_message(&r, &(outgoing){PM_SIGNAL, 8, body, 3});
    expect(&r, PM_SIGNAL_FAILED, 8, &m);
    CHECK_EQUAL(m.failure.error, EBADMSG);
    send_message(&r, &(outgoing){PM_SPAWN, 9, body, 3});
    expect(&r, PM_SPAWN_FAILED, 9, &m);
    CHECK_EQUAL(m.failure.error, EBADMSG);
    const pm_message lie = {.type = PM_SPAWN, .size = 17, .id = 10};
    send_raw(&r, &(raw_packet){&lie, sizeof lie, NULL, 0});
    expect(&r, PM_SPAWN_FAILED, 10, &m);
    CHECK_EQUAL(m.failure.error, EBADMSG);
    check_healthy(&r, descriptors);
}

static void too_long_packets(void) {
    rig r;
    static struct {
        pm_message header;
        uint8_t rest[PM_CONTROL_MAX];
    } packet = {.header = {.type = PM_SPAWN, .size = sizeof packet, .id = 4}};
    rig_serve(&r, NULL);
    int descriptors = settled_descriptors(&r);
    send_raw(&r, &(raw_packet){&packet, sizeof packet, (const int[]){0, 1}, 2});
    expect(&r, PM_SPAWN_FAILED, 4, &m);
    CHECK_EQUAL(m.failure.error, EMSGSIZE);
    packet.header.type = PM_STATE;
    send_raw(&r, &(raw_packet){&packet, sizeof packet, NULL, 0});
    check_healthy(&r, descriptors);
}

static void too_many_descriptors(void) {
    rig r;
    int fds[PM_PACKET_FDS_MAX];
    for (size_t i = 0; i < PM_PACKET_FDS_MAX; i++)
        fds[i] = 2;
    rig_serve(&r, NULL);
    int descriptors = settled_descriptors(&r);
    const pm_message header = {.type = PM_SPAWN, .size = sizeof header, .id = 6};
    send_raw(&r, &(raw_packet){&header, sizeof header, fds, PM_PACKET_FDS_MAX});
    expect(&r, PM_SPAWN_FAILED, 6, &m);
    CHECK_EQUAL(m.failure.error, E2BIG);
    send_raw(&r, &(raw_packet){&header, sizeof header, fds, PM_FDS_MAX});
    expect(&r, PM_SPAWN_FAILED, 6, &m);
    CHECK_EQUAL(m.failure.error, EBADMSG);
    check_healthy(&r, descriptors);
}

typedef struct {
    pm_message header;
    pm_spawn_message body;
    char strings[32];
} small_spawn;

static small_spawn valid_spawn(void) {
    small_spawn s = {
        .header = {.type = PM_SPAWN, .size = sizeof s, .id = 3},
        .body = {.argc = 1, .envc = 1, .child_fds = 1, .strings_size = sizeof s.strings},
        .strings = "true\0\0true\0PATH=/usr/bin:/bin",
    };
    s.body.strings_size = 30;
    s.header.size = (uint32_t)(offsetof(small_spawn, strings) + s.body.strings_size);
    return s;
}

static void check_refused(rig *r, const small_spawn *s, int error) {
    send_raw(r, &(raw_packet){s, s->header.size, (const int[]){2}, 1});
    expect(r, PM_SPAWN_FAILED, 3, &m);
    CHECK_EQUAL(m.failure.step, error == EOPNOTSUPP ? PM_STEP_CGROUP : PM_STEP_REQUEST);
    CHECK_EQUAL(m.failure.error, error);
}

static const struct {
    size_t offset;
    uint32_t value;
    int error;
} bad_numbers[] = {
    {offsetof(pm_spawn_message, flags), 1u << 31, EINVAL},
    {offsetof(pm_spawn_message, argc), 0, EINVAL},
    {offsetof(pm_spawn_message, argc), 2, EBADMSG},
    {offsetof(pm_spawn_message, argc), UINT32_MAX, E2BIG},
    {offsetof(pm_spawn_message, envc), 0, EBADMSG},
    {offsetof(pm_spawn_message, envc), 2, EBADMSG},
    {offsetof(pm_spawn_message, envc), UINT32_MAX, E2BIG},
    {offsetof(pm_spawn_message, envc), 65536, E2BIG},
    {offsetof(pm_spawn_message, child_fds), 0, EBADMSG},
    {offsetof(pm_spawn_message, child_fds), 2, EBADMSG},
    {offsetof(pm_spawn_message, child_fds), UINT32_MAX, E2BIG},
    {offsetof(pm_spawn_message, held_fds), 1, EBADMSG},
    {offsetof(pm_spawn_message, held_fds), PM_HELD_MAX + 1, E2BIG},
    {offsetof(pm_spawn_message, strings_size), 29, EBADMSG},
    {offsetof(pm_spawn_message, strings_size), UINT32_MAX, EBADMSG},
    {offsetof(pm_spawn_message, flags), PM_SPAWN_STRINGS_IN_FD, EBADMSG},
    {offsetof(pm_spawn_message, ngroups), PM_GROUPS_MAX + 1, E2BIG},
    {offsetof(pm_spawn_message, nrlimits), PM_RLIMITS_MAX + 1, E2BIG},
    {offsetof(pm_spawn_message, flags), PM_SPAWN_IN_CGROUP, EOPNOTSUPP},
};

static void bad_counts(void) {
    rig r;
    rig_serve(&r, NULL);
    const small_spawn good = valid_spawn();
    send_raw(&r, &(raw_packet){&good, good.header.size, (const int[]){2}, 1});
    expect(&r, PM_SPAWNED, 3, &m);
    expect(&r, PM_EXITED, 3, &m);
    send_message(&r, &(outgoing){PM_FORGET, 3, NULL, 0});
    int descriptors = settled_descriptors(&r);
    for (size_t i = 0; i < sizeof bad_numbers / sizeof *bad_numbers; i++) {
        small_spawn s = valid_spawn();
        memcpy((char *)&s.body + bad_numbers[i].offset, &bad_numbers[i].value, sizeof bad_numbers[i].value);
        check_refused(&r, &s, bad_numbers[i].error);
    }
    small_spawn s = valid_spawn();
    s.strings[29] = 'x'; /* the last string has no end */
    check_refused(&r, &s, EBADMSG);
    s = valid_spawn();
    s.body.flags = PM_SPAWN_IN_CGROUP;
    memset(s.body.cgroup, 'c', sizeof s.body.cgroup);
    check_refused(&r, &s, EBADMSG);
    check_healthy(&r, descriptors);
}

static void bad_names_and_states(void) {
    rig r;
    struct {
        pm_message header;
        pm_name name;
    } hold = {.header = {.type = PM_HOLD, .size = sizeof hold}};
    struct {
        pm_message header;
        pm_state body;
        char state[PM_STATE_MAX + 8];
    } state = {.header = {.type = PM_STATE, .id = 5}};
    rig_serve(&r, NULL);
    spawn_child(&r, 5, &(child_spec){.role = "wait"});
    send_state(&r, &(state_wish){5, "good", 1, 1000});
    int descriptors = settled_descriptors(&r);
    send_raw(&r, &(raw_packet){&hold, sizeof hold, (const int[]){2}, 1}); /* no name */
    memset(&hold.name, 'n', sizeof hold.name);
    send_raw(&r, &(raw_packet){&hold, sizeof hold, (const int[]){2}, 1}); /* no end */
    hold.name = (pm_name){"twice"};
    send_raw(&r, &(raw_packet){&hold, sizeof hold, (const int[]){2, 2}, 2});
    send_raw(&r, &(raw_packet){&hold, sizeof hold, NULL, 0});
    hold.header.type = PM_DROP;
    send_raw(&r, &(raw_packet){&hold, sizeof hold, (const int[]){2}, 1});
    state.body.state_size = PM_STATE_MAX + 1;
    state.header.size = (uint32_t)(sizeof state.header + sizeof state.body + PM_STATE_MAX + 1);
    send_raw(&r, &(raw_packet){&state, state.header.size, NULL, 0});
    state.body.state_size = 8;
    send_raw(&r, &(raw_packet){&state, state.header.size, NULL, 0});
    state.header.id = 12345;
    send_raw(&r, &(raw_packet){&state, state.header.size, NULL, 0});
    CHECK_EQUAL(settled_descriptors(&r), descriptors);
    const pm_hello hello = {.version = PM_CONTROL_VERSION}; /* a second one: everything is told again */
    send_message(&r, &(outgoing){PM_HELLO, 0, &hello, sizeof hello});
    expect(&r, PM_HELLO, 0, &m);
    expect(&r, PM_ADOPT, 5, &m);
    CHECK_EQUAL(m.adopt.state_size, 4);
    expect(&r, PM_HANDED_OVER, 0, &m);
    check_healthy(&r, descriptors);
}

static void more_names_than_there_is_room_for(void) {
    rig r;
    struct {
        pm_message header;
        pm_name name;
    } hold = {.header = {.type = PM_HOLD, .size = sizeof hold}};
    rig_serve(&r, NULL);
    int descriptors = settled_descriptors(&r);
    for (int i = 0; i < (int)PM_NAMED_MAX + 5; i++) {
        snprintf(hold.name.name, sizeof hold.name.name, "name-%d", i);
        send_raw(&r, &(raw_packet){&hold, sizeof hold, (const int[]){2}, 1});
    }
    check_healthy(&r, descriptors + (int)PM_NAMED_MAX);
}

static void requests_before_hello(void) {
    rig r;
    rig_start(&r, NULL);
    send_spawn(&r, 1, &(child_spec){.role = "wait"});
    send_signal(&r, 1, SIGKILL, PM_SCOPE_TREE);
    CHECK_EQUAL(rig_hello(&r, NULL), 0); /* nothing of it was done or answered */
    check_healthy(&r, settled_descriptors(&r));
}

static void a_pmd_of_another_version(void) {
    rig r;
    const pm_hello hello = {.version = PM_CONTROL_VERSION + 1};
    rig_start(&r, NULL);
    send_message(&r, &(outgoing){PM_HELLO, 0, &hello, sizeof hello});
    expect(&r, PM_HELLO, 0, &m);
    CHECK_EQUAL(m.hello.version, PM_CONTROL_VERSION);
    send_spawn(&r, 1, &(child_spec){.role = "wait"});
    CHECK_EQUAL(rig_hello(&r, NULL), 0); /* it was not taken for attached */
    check_healthy(&r, settled_descriptors(&r));
}

static uint32_t random_number(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* The answer to the spawn with this id; what became of earlier ones may come before it. */
static void take_answer(rig *r, uint64_t id) {
    do
        receive(r, &m);
    while (m.header.id != id);
    CHECK(m.header.type == PM_SPAWNED || m.header.type == PM_SPAWN_FAILED || m.header.type == PM_STARTING);
}

static void mutated_spawns(void) {
    rig r;
    uint32_t seed = 20240917;
    const uint64_t spawns = is_slow() ? 200 : 2000;
    int started = 0;
    rig_serve(&r, NULL);
    for (uint64_t id = 1; id <= spawns; id++) {
        small_spawn s = valid_spawn();
        uint8_t *bytes = (uint8_t *)&s;
        s.header.id = id;
        for (uint32_t n = random_number(&seed) % 4; n > 0; n--)
            bytes[sizeof s.header + random_number(&seed) % (s.header.size - sizeof s.header)] =
                (uint8_t)random_number(&seed);
        send_raw(&r, &(raw_packet){&s, s.header.size, (const int[]){2}, 1});
        take_answer(&r, id);
        started += m.header.type == PM_SPAWNED;
    }
    CHECK(started > 10 && started < (int)spawns);
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* pm-init is stopped until more requests wait than one turn of its loop reads; a death comes between. */
static void a_flood_of_requests_does_not_hide_a_death(void) {
    rig r;
    uint64_t sent = 0;
    rig_serve(&r, NULL);
    const pid_t pid = spawn_child(&r, 1, &(child_spec){.role = "wait"});
    kill(r.init, SIGSTOP);
    CHECK(waitpid(r.init, NULL, WUNTRACED) == r.init);
    const struct {
        pm_message header;
        pm_signal body;
    } packet = {{PM_SIGNAL, sizeof packet, 99}, {.scope = PM_SCOPE_LEADER}};
    const pm_piece piece = {&packet, sizeof packet};
    while (pm_packet_send(r.control, &(pm_packet){&piece, 1, NULL, 0}) > 0)
        sent++;
    CHECK(sent > 100);
    kill(pid, SIGKILL);
    wait_gone(pid);
    kill(r.init, SIGCONT);
    uint64_t answers = 0;
    do {
        receive(&r, &m);
        answers += m.header.type == PM_SIGNAL_FAILED;
    } while (m.header.type != PM_EXITED);
    CHECK(answers < sent);
    while (answers < sent) {
        expect(&r, PM_SIGNAL_FAILED, 99, &m);
        answers++;
    }
    CHECK_EQUAL(rig_stop(&r), 0);
}

const test hostile_tests[] = {
    {"hostile: a flood of requests does not hide a death", a_flood_of_requests_does_not_hide_a_death},
    {"hostile: short and empty packets", short_and_empty_packets},
    {"hostile: unknown types", unknown_types},
    {"hostile: wrong sizes", wrong_sizes},
    {"hostile: too long packets", too_long_packets},
    {"hostile: too many descriptors", too_many_descriptors},
    {"hostile: bad counts and strings", bad_counts},
    {"hostile: bad names and states", bad_names_and_states},
    {"hostile: more names than there is room for", more_names_than_there_is_room_for},
    {"hostile: requests before HELLO", requests_before_hello},
    {"hostile: a pmd of another version", a_pmd_of_another_version},
    {"hostile: mutated spawns", mutated_spawns},
    {NULL, NULL},
};
