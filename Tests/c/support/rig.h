/*
 * A running pm-init whose pmd is the test: the fake pmd hands its end of the control socket over to the test,
 * which then speaks the raw protocol, and lives only so that it can end or be killed.
 */
#ifndef RIG_H
#define RIG_H

#include "cpmlinux.h"

#include <sys/types.h>

typedef struct {
    pid_t init;
    pid_t pmd;
    int listener;    /* where fake pmds announce themselves */
    int leash;       /* connection to the fake pmd of the moment */
    int control;     /* its control socket, or -1 */
    int status;      /* read end of the status pipe */
    int pmd_status;  /* the status descriptor that the first pmd got, or -1 */
    uint64_t starts; /* from the last HELLO */
    int32_t last_status;
    uint32_t last_end; /* a pm_pmd_end */
} rig;

/* One received packet. */
typedef struct {
    pm_message header;
    union {
        pm_hello hello;
        pm_adopt adopt;
        pm_name name;
        pm_spawned spawned;
        pm_failure failure;
        pm_exit exit;
        pm_tree tree;
        uint8_t bytes[PM_CONTROL_MAX];
    };
    int fds[PM_FDS_MAX];
    size_t fd_count;
} message;

/* What a child is started with; zeroed fields ask for the plain thing. */
typedef struct {
    const char *role;
    const char *argument[3];
    const char *cgroup;
    const char *path; /* instead of this program; without a role it gets the arguments alone */
    int held[PM_HELD_MAX];
    int held_count;
    uint32_t stop_order, stop_wait_ms, flags;
    const char *journal; /* what its streams to journald begin with */
    pm_rlimit limit;     /* when its resource is not 0, RLIMIT_CPU */
    int input;           /* descriptor 0, or 0 for /dev/null */
    int output;          /* descriptor 1, or 0 for /dev/null */
    uint32_t user;       /* its user and group, or 0: as pm-init */
    uint32_t group;      /* instead of `user` */
    uint32_t groups[48];
    uint32_t group_count;
} child_spec;

/* Words in front of pm-init's command line, null-terminated, or null. */
extern const char *const *rig_wrapper;
/* What pm-init gets as descriptors 3 and up. */
#define RIG_PASSED_MAX 2
extern int rig_passed[RIG_PASSED_MAX];
extern int rig_passed_count;
/* Its standard error, where its log is; PM_SPAWN_FD_NULL, as it is at first: nowhere. */
extern int rig_errors;
/* Starts pm-init with these further options, null-terminated, and takes the first pmd's control socket. */
void rig_start(rig *r, const char *const *options);
/* The same without waiting for a pmd. `program` null: the fake pmd. */
void rig_launch(rig *r, const char *const *options, const char *program);
/* Waits for the next fake pmd. */
void rig_next_pmd(rig *r);
/* Says HELLO and takes everything up to HANDED_OVER; gives the number of ADOPT messages, the last in
 * `adopted`. */
int rig_hello(rig *r, message *adopted);
/* rig_start, rig_hello. */
void rig_serve(rig *r, const char *const *options);
void rig_kill_pmd(rig *r);
/* Lets the fake pmd exit with this status. */
void rig_end_pmd(rig *r, int status);
/* BYE STOPPED, and waits for pm-init's exit status. */
int rig_stop(rig *r);
/* Waits for pm-init and gives its exit status, -signal if one ended it; closes everything. */
int rig_wait(rig *r);

typedef struct {
    const void *bytes;
    size_t size;
    const int *fds;
    size_t fd_count;
} raw_packet;
void send_raw(rig *r, const raw_packet *packet);
typedef struct {
    uint32_t type;
    uint64_t id;
    const void *body;
    size_t size;
} outgoing;
void send_message(rig *r, const outgoing *message);
void send_spawn(rig *r, uint64_t id, const child_spec *spec);
void send_signal(rig *r, uint64_t id, int signal, pm_signal_scope scope);
typedef struct {
    uint64_t id;
    const char *state;
    uint32_t order;
    uint32_t wait_ms;
} state_wish;
void send_state(rig *r, const state_wish *wish);
/* Waits for the next packet. */
void receive(rig *r, message *m);
/* Waits for the next packet, which must be of this type and id. */
void expect(rig *r, uint32_t type, uint64_t id, message *m);
/* Waits for STARTING and then STARTED, which nothing else may precede; gives the pid. */
pid_t expect_started(rig *r, uint64_t id);
/* Spawns and waits for SPAWNED; gives the pid. */
pid_t spawn_child(rig *r, uint64_t id, const child_spec *spec);
/* How many entries a process's list of descriptors has. */
int count_descriptors(pid_t pid);
/* Copies a program that lies beside pm-init into the scratch directory; gives the copy's path, in static
 * memory. "pm-init" is the one that is tested, whatever it is called. */
const char *copy_program(const char *name, const char *as);
/* A pipe whose write end a child gets; gives the read end. */
int make_pipe(int *write_end);
/* Reads "ready PID\n" and gives the PID. */
pid_t read_ready(int fd);
void close_fds(message *m);

#endif
