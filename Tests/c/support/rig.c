#define _GNU_SOURCE
#include "rig.h"
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32

const char *const *rig_wrapper;
int rig_passed[RIG_PASSED_MAX];
int rig_passed_count;
int rig_errors = PM_SPAWN_FD_NULL;

static int socket_path(char path[96]) {
    return snprintf(path, 96, "%s/pmd", scratch());
}

void rig_launch(rig *r, const char *const *options, const char *program) {
    static char path[96], status[12];
    const char *argv[ARGUMENTS_MAX] = {0};
    int count = 0, status_end;
    for (const char *const *word = rig_wrapper; word != NULL && *word != NULL; word++)
        argv[count++] = *word;
    argv[count++] = init_path;
    *r = (rig){.leash = -1, .control = -1, .pmd_status = -1};
    socket_path(path);
    unlink(path); /* of a rig before */
    r->listener = pm_socket_listen(path, 16);
    CHECK(r->listener >= 0);
    /* Here descriptors are wanted: 83 is SO_PASSRIGHTS, which a kernel before 6.16 does not have. */
    setsockopt(r->listener, SOL_SOCKET, 83, &(int){1}, sizeof(int));
    CHECK_EQUAL(pm_pipe_create(&r->status, &status_end), 0);
    pm_fd_set_cloexec(status_end, false);
    snprintf(status, sizeof status, "%d", 3 + rig_passed_count);
    for (; options != NULL && *options != NULL; options++)
        argv[count++] = *options;
    const char *const tail[] = {"--status-fd", status, "--", program != NULL ? program : self_path,
                                "--role",      "pmd",  path};
    memcpy(argv + count, tail, sizeof tail);
    int32_t fds[3 + RIG_PASSED_MAX + 1] = {0, 1, rig_errors};
    for (int i = 0; i < rig_passed_count; i++)
        fds[3 + i] = rig_passed[i];
    fds[3 + rig_passed_count] = status_end;
    const pm_spawn_request request = {.path = argv[0],
                                      .argv = argv,
                                      .envp = (const char *const *)environ,
                                      .fds = fds,
                                      .fd_count = (uint32_t)(4 + rig_passed_count),
                                      .cgroup_fd = -1};
    pm_child child;
    pm_spawn_failure failure;
    if (!pm_spawn(&request, &child, &failure))
        fail_at(__FILE__, __LINE__, "%s: %s", init_path, strerror(failure.error));
    r->init = child.pid;
    close(status_end);
}

void rig_next_pmd(rig *r) {
    int32_t pid = 0;
    int fds[2];
    size_t count;
    char buffer[8];
    pm_fd_close(r->leash);
    pm_fd_close(r->control);
    wait_readable(r->listener);
    r->leash = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    CHECK(r->leash >= 0);
    wait_readable(r->leash);
    CHECK_EQUAL(pm_packet_receive(r->leash, &(pm_packet_space){buffer, sizeof buffer, fds, 2}, &count),
                sizeof pid);
    memcpy(&pid, buffer, sizeof pid);
    r->pmd = pid;
    r->control = fds[0];
    if (count == 2) {
        CHECK_EQUAL(r->pmd_status, -1);
        r->pmd_status = fds[1];
    }
}

void rig_start(rig *r, const char *const *options) {
    rig_launch(r, options, NULL);
    rig_next_pmd(r);
}

int rig_hello(rig *r, message *adopted) {
    static message m;
    const pm_hello hello = {.version = PM_CONTROL_VERSION, .pid = r->pmd};
    send_message(r, &(outgoing){PM_HELLO, 0, &hello, sizeof hello});
    expect(r, PM_HELLO, 0, &m);
    CHECK_EQUAL(m.hello.version, PM_CONTROL_VERSION);
    CHECK_EQUAL(m.hello.pid, r->init);
    r->starts = m.hello.pmd_starts;
    r->last_status = m.hello.last_status;
    r->last_end = m.hello.last_end;
    uint32_t children = m.hello.children, count = 0;
    for (receive(r, &m); m.header.type != PM_HANDED_OVER; receive(r, &m)) {
        count += m.header.type == PM_ADOPT;
        CHECK(m.header.type == PM_ADOPT || m.header.type == PM_HELD);
        if (adopted != NULL && m.header.type == PM_ADOPT)
            *adopted = m;
        else
            close_fds(&m);
    }
    CHECK_EQUAL(count, children);
    return (int)count;
}

void rig_serve(rig *r, const char *const *options) {
    rig_start(r, options);
    CHECK_EQUAL(rig_hello(r, NULL), 0);
    CHECK_EQUAL(r->starts, 1);
}

void rig_kill_pmd(rig *r) {
    CHECK_EQUAL(kill(r->pmd, SIGKILL), 0);
}

void rig_end_pmd(rig *r, int status) {
    const char command[] = {'x', (char)status};
    CHECK_EQUAL(write(r->leash, command, 2), 2);
}

int rig_stop(rig *r) {
    const pm_bye bye = {.reason = PM_BYE_STOPPED, .status = 0};
    send_message(r, &(outgoing){PM_BYE, 0, &bye, sizeof bye});
    rig_end_pmd(r, 0);
    return rig_wait(r);
}

int rig_wait(rig *r) {
    int status = wait_for(r->init);
    pm_fd_close(r->listener);
    pm_fd_close(r->leash);
    pm_fd_close(r->control);
    pm_fd_close(r->status);
    pm_fd_close(r->pmd_status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void send_raw(rig *r, const raw_packet *packet) {
    const pm_piece piece = {packet->bytes, packet->size};
    int sent = pm_packet_send(r->control, &(pm_packet){&piece, 1, packet->fds, packet->fd_count});
    if (sent != (int)packet->size)
        fail_at(__FILE__, __LINE__, "sending %zu bytes: %s", packet->size, strerror(-sent));
}

void send_message(rig *r, const outgoing *message) {
    const pm_message header = {
        .type = message->type, .size = (uint32_t)(sizeof header + message->size), .id = message->id};
    const pm_piece pieces[] = {{&header, sizeof header}, {message->body, message->size}};
    CHECK_EQUAL(pm_packet_send(r->control, &(pm_packet){pieces, 2, NULL, 0}), header.size);
}

static size_t add_string(char *strings, size_t at, const char *string) {
    memcpy(strings + at, string, strlen(string) + 1);
    return at + strlen(string) + 1;
}

static size_t add_strings(pm_spawn_message *body, const child_spec *spec, char *strings) {
    const char *const argv[] = {"c-tests",         spec->role != NULL ? "--role" : NULL,
                                spec->role,        spec->argument[0],
                                spec->argument[1], spec->argument[2]};
    size_t at = add_string(strings, 0, spec->path != NULL ? spec->path : self_path);
    at = add_string(strings, at, "");
    for (size_t i = 0; i < sizeof argv / sizeof *argv; i++)
        if (argv[i] != NULL) {
            at = add_string(strings, at, argv[i]);
            body->argc++;
        }
    at = add_string(strings, at, "PATH=/usr/bin:/bin");
    at = add_string(strings, at, "PM_MARKER=stale-1");
    body->envc = 2;
    if (spec->journal != NULL) {
        body->flags |= PM_SPAWN_TO_JOURNAL;
        at = add_string(strings, at, spec->journal);
    }
    return at;
}

void send_spawn(rig *r, uint64_t id, const child_spec *spec) {
    struct {
        pm_message header;
        pm_spawn_message body;
        char strings[4096];
    } packet = {.header = {.type = PM_SPAWN, .id = id}};
    pm_spawn_message *body = &packet.body;
    body->flags = PM_SPAWN_NEW_SESSION | spec->flags;
    body->strings_size = (uint32_t)add_strings(body, spec, packet.strings);
    body->child_fds = 3;
    body->held_fds = (uint32_t)spec->held_count;
    body->stop_order = spec->stop_order;
    body->stop_wait_ms = spec->stop_wait_ms != 0 ? spec->stop_wait_ms : PATIENCE_MS;
    body->stop_signal = SIGTERM;
    body->nrlimits = spec->limit.resource != 0;
    body->rlimits[0] = spec->limit;
    if (spec->cgroup != NULL) {
        body->flags |= PM_SPAWN_IN_CGROUP;
        memcpy(body->cgroup, spec->cgroup, strlen(spec->cgroup));
    }
    if (spec->user != 0) {
        body->flags |= PM_SPAWN_SET_IDS;
        body->uid = spec->user;
        body->gid = spec->group != 0 ? spec->group : spec->user;
        body->ngroups = spec->group_count;
        memcpy(body->groups, spec->groups, sizeof spec->groups);
    }
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int fds[3 + PM_HELD_MAX] = {spec->input > 0 ? spec->input : null, spec->output > 0 ? spec->output : null,
                                2};
    memcpy(fds + 3, spec->held, sizeof spec->held);
    packet.header.size = (uint32_t)(offsetof(typeof(packet), strings) + body->strings_size);
    send_raw(r, &(raw_packet){&packet, packet.header.size, fds, 3 + (size_t)spec->held_count});
    close(null);
}

void send_signal(rig *r, uint64_t id, int signal, pm_signal_scope scope) {
    const pm_signal body = {.signal = signal, .scope = scope};
    send_message(r, &(outgoing){PM_SIGNAL, id, &body, sizeof body});
}

void send_state(rig *r, const state_wish *wish) {
    struct {
        pm_state body;
        char bytes[PM_STATE_MAX];
    } packet = {.body = {.stop_order = wish->order, .stop_signal = SIGTERM, .stop_wait_ms = wish->wait_ms}};
    size_t length = strlen(wish->state);
    packet.body.state_size = (uint32_t)length;
    memcpy(packet.bytes, wish->state, length);
    send_message(r, &(outgoing){PM_STATE, wish->id, &packet, sizeof packet.body + length});
}

void receive(rig *r, message *m) {
    struct {
        pm_message header;
        uint8_t body[PM_CONTROL_MAX];
    } *packet = malloc(sizeof *packet);
    wait_readable(r->control);
    int size = pm_packet_receive(r->control, &(pm_packet_space){packet, sizeof *packet, m->fds, PM_FDS_MAX},
                                 &m->fd_count);
    if (size < (int)sizeof packet->header)
        fail_at(__FILE__, __LINE__, "receiving from pm-init: %s", size == 0 ? "closed" : strerror(-size));
    m->header = packet->header;
    CHECK_EQUAL(m->header.size, size);
    memcpy(m->bytes, packet->body, (size_t)size - sizeof packet->header);
    free(packet);
}

void expect(rig *r, uint32_t type, uint64_t id, message *m) {
    receive(r, m);
    if (m->header.type == PM_SPAWN_FAILED && type != PM_SPAWN_FAILED)
        fail_at(__FILE__, __LINE__, "spawn failed: %s: %s", pm_step_name((pm_step)m->failure.step),
                strerror(m->failure.error));
    CHECK_EQUAL(m->header.type, type);
    CHECK_EQUAL(m->header.id, id);
}

pid_t expect_started(rig *r, uint64_t id) {
    static message m;
    expect(r, PM_STARTING, id, &m);
    receive(r, &m);
    if (m.header.type == PM_START_FAILED)
        fail_at(__FILE__, __LINE__, "start failed: %s: %s", pm_step_name((pm_step)m.failure.step),
                strerror(m.failure.error));
    CHECK_EQUAL(m.header.type, PM_STARTED);
    CHECK_EQUAL(m.header.id, id);
    CHECK(m.spawned.pid > 0 && m.spawned.start_ticks > 0);
    return m.spawned.pid;
}

pid_t spawn_child(rig *r, uint64_t id, const child_spec *spec) {
    static message m;
    send_spawn(r, id, spec);
    expect(r, PM_SPAWNED, id, &m);
    CHECK(m.spawned.pid > 0 && m.spawned.start_ticks > 0);
    return m.spawned.pid;
}

int count_descriptors(pid_t pid) {
    char path[64];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *list = opendir(path);
    CHECK(list != NULL);
    while (readdir(list) != NULL)
        count++;
    closedir(list);
    return count;
}

const char *copy_program(const char *name, const char *as) {
    static char path[96];
    char source[4096], buffer[65536];
    ssize_t n;
    const char *slash = strrchr(init_path, '/');
    int length = slash != NULL ? (int)(slash - init_path) + 1 : 0;
    snprintf(source, sizeof source, "%.*s%s", length, init_path,
             strcmp(name, "pm-init") == 0 ? init_path + length : name);
    snprintf(path, sizeof path, "%s/%s", scratch(), as);
    unlink(path);
    int from = open(source, O_RDONLY | O_CLOEXEC);
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    if (from < 0 || to < 0)
        fail_at(__FILE__, __LINE__, "%s to %s: %s", source, path, strerror(errno));
    while ((n = read(from, buffer, sizeof buffer)) > 0)
        CHECK_EQUAL(write(to, buffer, (size_t)n), n);
    close(from);
    close(to);
    return path;
}

int make_pipe(int *write_end) {
    int read_end;
    CHECK_EQUAL(pm_pipe_create(&read_end, write_end), 0);
    return read_end;
}

pid_t read_ready(int fd) {
    char line[32];
    size_t size = 0;
    while (size == 0 || line[size - 1] != '\n') {
        wait_readable(fd);
        ssize_t n = read(fd, line + size, 1);
        CHECK(n == 1);
        CHECK(++size < sizeof line);
    }
    line[size - 1] = '\0';
    CHECK(strncmp(line, "ready ", 6) == 0);
    return (pid_t)atoi(line + 6);
}

void close_fds(message *m) {
    for (size_t i = 0; i < m->fd_count; i++)
        close(m->fds[i]);
    m->fd_count = 0;
}
