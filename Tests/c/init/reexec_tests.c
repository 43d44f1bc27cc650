/* pm-init goes on as another program, in place. */
#define _GNU_SOURCE
#include "harness.h"
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BURST 40
#define ROUNDS 8
/* A pm-init that has not read for so long does not read. */
#define STANDSTILL_MS 1000

static message m;

static void ask(rig *r, const char *path) {
    pm_program body = {0};
    memcpy(body.path, path, strlen(path));
    send_message(r, &(outgoing){PM_REEXEC, 0, &body, sizeof body});
}

static void expect_refusal(rig *r, pm_step step, int error) {
    expect(r, PM_REEXEC_FAILED, 0, &m);
    CHECK_TEXT(pm_step_name((pm_step)m.failure.step), pm_step_name(step));
    CHECK_EQUAL(m.failure.error, error);
}

static ino_t inode_of(const char *path) {
    struct stat status;
    CHECK_EQUAL(stat(path, &status), 0);
    return status.st_ino;
}

/* The file that the process runs. */
static ino_t program_of(pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    return inode_of(path);
}

/* Another file with the same program, as an upgrade leaves it. */
static const char *copy_of_init(void) {
    copy_program("pm-exec", "pm-exec");
    return copy_program("pm-init", "pm-init-2");
}

static const char *script(const char *text) {
    static char path[96];
    snprintf(path, sizeof path, "%s/program", scratch());
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    CHECK(fd >= 0);
    CHECK_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void hold(rig *r, const char *name, int fd) {
    struct {
        pm_message header;
        pm_name body;
    } packet = {.header = {.type = PM_HOLD, .size = sizeof packet}};
    memcpy(packet.body.name, name, strlen(name));
    send_raw(r, &(raw_packet){&packet, sizeof packet, &fd, 1});
}

static void the_same_process_goes_on_as_another_program(void) {
    rig r;
    int write_end, read_end = make_pipe(&write_end);
    rig_serve(&r, NULL);
    pid_t pid = spawn_child(&r, 42, &(child_spec){.role = "wait", .held = {read_end}, .held_count = 1});
    close(read_end);
    send_state(&r, &(state_wish){42, "state", 3, 1000});
    hold(&r, "socket", write_end);
    const char *path = copy_of_init();
    bool is_in_tool =
        program_of(r.init) != inode_of(init_path); /* which runs it, and is what the kernel sees */
    send_signal(&r, 42, 0,
                PM_SCOPE_TREE); /* answered: all before was taken, and nothing is open for a moment */
    expect(&r, PM_TREE, 42, &m);
    int before = count_descriptors(r.init);
    ask(&r, path);
    expect(&r, PM_REEXECED, 0, &m);
    if (!is_in_tool) { /* which has descriptors of its own */
        CHECK_EQUAL(program_of(r.init), inode_of(path));
        CHECK_EQUAL(count_descriptors(r.init), before);
    }
    CHECK_EQUAL(kill(pid, 0), 0);
    /* The next pmd is told what the one before gave. */
    rig_kill_pmd(&r);
    rig_next_pmd(&r);
    CHECK_EQUAL(rig_hello(&r, &m), 1);
    CHECK_EQUAL(r.starts, 2);
    CHECK_EQUAL(m.header.id, 42);
    CHECK_EQUAL(m.adopt.pid, pid);
    CHECK_EQUAL(m.adopt.state_size, 5);
    CHECK(memcmp(m.bytes + sizeof m.adopt, "state", 5) == 0);
    CHECK_EQUAL(m.fd_count, 1);
    CHECK_EQUAL(write(write_end, "x", 1), 1);
    char byte;
    CHECK_EQUAL(read(m.fds[0], &byte, 1), 1);
    close_fds(&m);
    close(write_end);
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* The leftovers of children before it may be told meanwhile. */
static void spawn_waiting(rig *r, uint64_t id) {
    send_spawn(r, id, &(child_spec){.role = "wait", .argument = {"exit"}});
    do
        receive(r, &m);
    while (m.header.type == PM_TREE_EMPTY);
    CHECK_EQUAL(m.header.type, PM_SPAWNED);
    CHECK_EQUAL(m.header.id, id);
}

static void deaths_around_the_change_are_told_once(void) {
    rig r;
    rig_serve(&r, NULL);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        int told[BURST] = {0}, left = BURST;
        for (uint64_t i = 0; i < BURST; i++)
            spawn_waiting(&r, round * BURST + i + 1);
        for (uint64_t i = 0; i < BURST; i++) {
            send_signal(&r, round * BURST + i + 1, SIGKILL, PM_SCOPE_LEADER);
            if (i == BURST / 2)
                ask(&r, init_path);
        }
        for (bool is_changed = false; left > 0 || !is_changed;) {
            receive(&r, &m);
            if (m.header.type == PM_REEXECED) {
                is_changed = true;
                continue;
            }
            if (m.header.type == PM_TREE_EMPTY)
                continue;
            CHECK_EQUAL(m.header.type, PM_EXITED);
            CHECK_EQUAL(told[m.header.id - round * BURST - 1]++, 0);
            send_message(&r, &(outgoing){PM_FORGET, m.header.id, "", 0});
            left--;
        }
    }
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void a_tree_is_found_after_the_change(void) {
    rig r;
    int write_end, read_end = make_pipe(&write_end);
    rig_serve(&r, NULL);
    spawn_child(&r, 7, &(child_spec){.role = "escape", .output = write_end});
    pid_t escaped = read_ready(read_end);
    expect(&r, PM_EXITED, 7, &m);
    ask(&r, init_path);
    expect(&r, PM_REEXECED, 0, &m);
    int end = pm_pidfd_open(escaped);
    CHECK(end >= 0);
    send_signal(&r, 7, SIGKILL, PM_SCOPE_TREE);
    wait_readable(end);
    close(end);
    close(write_end);
    close(read_end);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void a_program_that_does_not_understand_is_refused(void) {
    rig r;
    rig_serve(&r, NULL);
    ino_t program = program_of(r.init);
    pid_t pid = spawn_child(&r, 1, &(child_spec){.role = "wait"});
    ask(&r, "/bin/false");
    expect_refusal(&r, PM_STEP_TRIAL, ENOEXEC);
    ask(&r, "/nowhere/pm-init");
    expect_refusal(&r, PM_STEP_EXEC, ENOENT);
    ask(&r, script("#!/bin/sh\nkill -KILL $$\n"));
    expect_refusal(&r, PM_STEP_TRIAL, ENOEXEC);
    ask(&r, script("#!/bin/sh\nexec sleep 1000\n"));
    ask(&r, init_path);
    expect_refusal(&r, PM_STEP_REQUEST, EBUSY);
    expect_refusal(&r, PM_STEP_TRIAL, ETIMEDOUT);
    CHECK_EQUAL(program_of(r.init), program);
    send_signal(&r, 1, SIGKILL, PM_SCOPE_LEADER);
    expect(&r, PM_EXITED, 1, &m);
    CHECK(pid > 0);
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* The trial says yes, the execution fails: all goes on as it was. */
static void a_program_that_cannot_be_executed_after_its_trial_is_refused(void) {
    rig r;
    char text[256];
    rig_serve(&r, NULL);
    pid_t pid = spawn_child(&r, 1, &(child_spec){.role = "wait"});
    snprintf(text, sizeof text, "#!/bin/sh\nchmod 0 %s/program\nexit 0\n", scratch());
    ask(&r, script(text));
    expect_refusal(&r, PM_STEP_EXEC, EACCES);
    rig_kill_pmd(&r);
    rig_next_pmd(&r);
    CHECK_EQUAL(rig_hello(&r, &m), 1);
    CHECK_EQUAL(m.adopt.pid, pid);
    /* Nothing of pm-init's was left open for children. */
    int write_end, read_end = make_pipe(&write_end);
    spawn_child(&r, 2, &(child_spec){.role = "report", .output = write_end});
    close(write_end);
    char report[64] = "";
    wait_readable(read_end);
    CHECK(read(read_end, report, sizeof report - 1) > 0);
    CHECK(strncmp(report, "fds=0 1 2 \n", 11) == 0);
    close(read_end);
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* Another file takes the name between trial and execution. */
static void the_program_that_was_tried_is_the_one_executed(void) {
    rig r;
    char text[512];
    rig_serve(&r, NULL);
    pid_t pid = spawn_child(&r, 1, &(child_spec){.role = "wait"});
    snprintf(text, sizeof text, "#!/bin/sh\nln -sfn /bin/false %s/program\nexec %s \"$@\"\n", scratch(),
             init_path);
    ask(&r, script(text));
    expect(&r, PM_REEXECED, 0, &m);
    send_signal(&r, 1, SIGKILL, PM_SCOPE_LEADER);
    expect(&r, PM_EXITED, 1, &m);
    CHECK(pid > 0);
    CHECK_EQUAL(rig_stop(&r), 0);
}

/* Asks for spawns that fail until pm-init reads no more; gives how many. */
static uint64_t fill_channel(rig *r) {
    struct {
        pm_message header;
        pm_spawn_message body;
    } packet = {.header = {.type = PM_SPAWN, .size = sizeof packet}};
    struct pollfd room = {.fd = r->control, .events = POLLOUT};
    while (poll(&room, 1, STANDSTILL_MS) == 1) {
        packet.header.id++;
        send_raw(r, &(raw_packet){&packet, sizeof packet, NULL, 0});
    }
    return packet.header.id;
}

/* A trial that fails while an answer waits takes nothing from it. */
static void a_failed_trial_takes_no_answer_away(void) {
    rig r;
    char text[512], go[128], hello[128];
    snprintf(go, sizeof go, "%s/go", scratch());
    snprintf(hello, sizeof hello, "%s/hello", scratch());
    CHECK(mkfifo(go, 0600) == 0 && mkfifo(hello, 0600) == 0);
    rig_serve(&r, NULL);
    snprintf(text, sizeof text, "#!/bin/sh\necho ready $$ >%s\nread word <%s\nexit 1\n", hello, go);
    ask(&r, script(text));
    int said = open(hello, O_RDONLY | O_CLOEXEC);
    pid_t trial = read_ready(said);
    close(said);
    uint64_t asked = fill_channel(&r), answered = 0;
    int word = open(go, O_WRONLY | O_CLOEXEC);
    close(word);
    pm_process process;
    while (pm_process_read(trial, &process) == 0) /* until pm-init has taken note */
        poll(NULL, 0, 1);
    for (bool is_refused = false; !is_refused || answered < asked;) {
        receive(&r, &m);
        if (m.header.type == PM_REEXEC_FAILED) {
            CHECK(!is_refused && m.failure.step == PM_STEP_TRIAL);
            is_refused = true;
            continue;
        }
        CHECK_EQUAL(m.header.type, PM_SPAWN_FAILED);
        CHECK_EQUAL(m.header.id, ++answered);
    }
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void a_pmd_that_ends_meanwhile_cancels_it(void) {
    rig r;
    rig_serve(&r, NULL);
    ino_t program = program_of(r.init);
    pid_t pid = spawn_child(&r, 1, &(child_spec){.role = "wait"});
    ask(&r, script("#!/bin/sh\nexec sleep 1000\n"));
    rig_kill_pmd(&r);
    rig_next_pmd(&r);
    CHECK_EQUAL(rig_hello(&r, &m), 1);
    CHECK_EQUAL(m.adopt.pid, pid);
    CHECK_EQUAL(program_of(r.init), program);
    CHECK_EQUAL(rig_stop(&r), 0);
}

static void an_image_of_another_kind_is_not_understood(void) {
    int image = pm_memfd_create("image");
    CHECK_EQUAL(ftruncate(image, 4096), 0);
    const char *const argv[] = {init_path, "--check", "3", "--", "/bin/true", NULL};
    const int32_t fds[] = {0, 1, 2, image};
    const pm_spawn_request request = {.path = init_path,
                                      .argv = argv,
                                      .fds = fds,
                                      .fd_count = 4,
                                      .cgroup_fd = -1,
                                      .envp = (const char *const *)environ};
    pm_child child;
    pm_spawn_failure failure;
    CHECK(pm_spawn(&request, &child, &failure));
    CHECK_EQUAL(wait_for(child.pid), 1 << 8);
    close(image);
}

static void it_still_stops_its_children(void) {
    rig r;
    rig_serve(&r, NULL);
    pid_t pid = spawn_child(&r, 1, &(child_spec){.role = "wait"});
    ask(&r, init_path);
    expect(&r, PM_REEXECED, 0, &m);
    CHECK_EQUAL(kill(r.init, SIGTERM), 0);
    expect(&r, PM_STOP_REQUESTED, 0, &m);
    CHECK_EQUAL(rig_stop(&r), 0);
    CHECK(kill(pid, 0) < 0 && errno == ESRCH);
}

const test reexec_tests[] = {
    {"reexec: the same process goes on as another program", the_same_process_goes_on_as_another_program},
    {"reexec: deaths around the change are told once", deaths_around_the_change_are_told_once},
    {"reexec: a tree is found after the change", a_tree_is_found_after_the_change},
    {"reexec: a program that does not understand is refused", a_program_that_does_not_understand_is_refused},
    {"reexec: a program that cannot be executed after its trial is refused",
     a_program_that_cannot_be_executed_after_its_trial_is_refused},
    {"reexec: the program that was tried is the one executed",
     the_program_that_was_tried_is_the_one_executed},
    {"reexec: a failed trial takes no answer away", a_failed_trial_takes_no_answer_away},
    {"reexec: a pmd that ends meanwhile cancels it", a_pmd_that_ends_meanwhile_cancels_it},
    {"reexec: an image of another kind is not understood", an_image_of_another_kind_is_not_understood},
    {"reexec: it still stops its children", it_still_stops_its_children},
    {NULL, NULL},
};
