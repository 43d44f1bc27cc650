#define _GNU_SOURCE
#include "image.h"
#include "cpmlinux.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Says what the file is and which layout the structs below have: a change of any of them is another number.
 */
#define IMAGE_MAGIC 0x706d2d696e697402u

/* The pmd of the moment. */
typedef struct {
    int32_t pid;
    int32_t last_status;
    uint64_t starts;
    uint64_t started_at_ns;
    uint64_t restart_at_ns;
    uint64_t kill_at_ns;
    pmd_restarts history;
    uint8_t is_upgrading;
    uint8_t has_hung;
    uint8_t had_hung; /* the one before it */
    uint8_t has_taken_over;
    uint8_t has_attached; /* some pmd has completed the hand-over */
} image_pmd;

/* How far a start is. */
enum { IMAGE_START_DONE, IMAGE_START_STEPS, IMAGE_START_EXEC, IMAGE_START_FAILED };

typedef struct {
    uint64_t magic;
    uint32_t control_version; /* what is spoken with the pmd at the other end of the channel */
    uint32_t records;         /* that follow */
    uint32_t named;           /* that follow the records */
    int32_t channel;
    int32_t lock;
    int32_t cgroup;
    int32_t watched_epoll;
    int32_t watched_page;
    int32_t program; /* what is executed, open until it has read this */
    int32_t reserved;
    uint64_t open_files_soft;
    uint64_t open_files_hard;
    image_pmd pmd;
} image_head;

typedef struct {
    uint64_t id;
    uint64_t start_ticks;
    uint64_t exited_at_ns;
    pm_usage usage;
    int32_t pid;
    int32_t wait_status;
    int32_t held[PM_HELD_MAX];
    int32_t report;
    int32_t start_error;
    uint32_t stop_order;
    int32_t stop_signal;
    uint32_t stop_wait_ms;
    uint32_t state_size;
    uint8_t held_count;
    uint8_t phase;     /* a pm_child_phase */
    uint8_t leftovers; /* PM_LEFT_* */
    uint8_t is_fresh;  /* pmd does not know of its end */
    uint8_t is_forgotten;
    uint8_t start; /* IMAGE_START_* */
    uint8_t start_step;
    uint8_t clamped;
    char cgroup[PM_CGROUP_MAX];
    uint8_t state[PM_STATE_MAX];
} image_record;

static size_t size_of(uint32_t records, uint32_t named) {
    return sizeof(image_head) + (size_t)records * sizeof(image_record) + (size_t)named * sizeof(named_fd);
}

/* What of a record says in which state it is. */
typedef struct {
    uint8_t phase;
    uint8_t start;
    uint8_t leftovers;
    uint8_t is_fresh;
    uint8_t is_forgotten;
} image_state;

/* By state; no two are the same. */
static const image_state states[] = {
    [CHILD_RUNNING] = {PM_CHILD_RUNNING, IMAGE_START_DONE, PM_LEFT_NOTHING, 0, 0},
    [CHILD_PREPARING] = {PM_CHILD_RUNNING, IMAGE_START_STEPS, PM_LEFT_NOTHING, 0, 0},
    [CHILD_EXECUTING] = {PM_CHILD_RUNNING, IMAGE_START_EXEC, PM_LEFT_NOTHING, 0, 0},
    [CHILD_FAILING] = {PM_CHILD_RUNNING, IMAGE_START_FAILED, PM_LEFT_NOTHING, 0, 0},
    [CHILD_FAILED] = {PM_CHILD_EXITED, IMAGE_START_FAILED, PM_LEFT_NOTHING, 0, 0},
    [CHILD_DEAD] = {PM_CHILD_EXITED, IMAGE_START_DONE, PM_LEFT_MAYBE, 1, 0},
    [CHILD_LEFT] = {PM_CHILD_EXITED, IMAGE_START_DONE, PM_LEFT_MAYBE, 0, 0},
    [CHILD_GONE] = {PM_CHILD_EXITED, IMAGE_START_DONE, PM_LEFT_NOTHING, 0, 0},
    [CHILD_FORGOTTEN] = {PM_CHILD_EXITED, IMAGE_START_DONE, PM_LEFT_NOTHING, 0, 1},
};

/* The child_state of an image's record; -EBADMSG: there is none. A program of before may have written more of
 * a forgotten one. */
static int state_of(const image_record *from) {
    if (from->is_forgotten != 0)
        return from->phase == PM_CHILD_EXITED ? CHILD_FORGOTTEN : -EBADMSG;
    const image_state is = {from->phase, from->start, from->leftovers, from->is_fresh != 0, 0};
    for (int state = 0; state < (int)(sizeof states / sizeof *states); state++)
        if (memcmp(&states[state], &is, sizeof is) == 0)
            return state;
    return -EBADMSG;
}

static void write_record(image_record *to, const record *r) {
    *to = (image_record){
        .id = r->id,
        .start_ticks = r->start_ticks,
        .exited_at_ns = r->exited_at_ns,
        .usage = r->usage,
        .pid = r->pid,
        .wait_status = r->wait_status,
        .stop_order = r->stop_order,
        .stop_signal = r->stop_signal,
        .stop_wait_ms = r->stop_wait_ms,
        .state_size = r->blob_size,
        .held_count = r->held_count,
        .phase = states[r->state].phase,
        .leftovers = states[r->state].leftovers,
        .is_fresh = states[r->state].is_fresh,
        .is_forgotten = states[r->state].is_forgotten,
        .report = r->report,
        .start = states[r->state].start,
        .start_step = r->start_step,
        .start_error = r->start_error,
        .clamped = r->clamped,
    };
    memcpy(to->held, r->held, sizeof to->held);
    memcpy(to->cgroup, r->cgroup, sizeof to->cgroup);
    memcpy(to->state, r->blob, r->blob_size);
}

/* Forgotten ones first: their ids may have been given again, and the table takes an id only while no other
 * has it. */
static image_record *write_records(image_record *to, const table *t, bool forgotten) {
    for (record *r = table_next(t, 0); r != NULL; r = table_after(t, r))
        if ((r->state == CHILD_FORGOTTEN) == forgotten)
            write_record(to++, r);
    return to;
}

static image_pmd image_of_pmd(const pmd *p) {
    return (image_pmd){
        .pid = pmd_pid(p),
        .last_status = p->last_status,
        .starts = p->starts,
        .started_at_ns = p->started_at_ns,
        .restart_at_ns = p->restart_at_ns,
        .kill_at_ns = p->kill_at_ns,
        .history = p->history,
        .is_upgrading = p->end == PM_END_UPGRADE,
        .has_hung = p->end == PM_END_HUNG,
        .had_hung = p->last_end == PM_END_HUNG,
        .has_taken_over = p->stage == PMD_SERVING,
        .has_attached = p->stage == PMD_SERVING,
    };
}

static void fill(image_head *head, const pm_init *i) {
    *head = (image_head){
        .magic = IMAGE_MAGIC,
        .control_version = PM_CONTROL_VERSION,
        .records = i->lineage.table.count,
        .named = named_count(&i->named),
        .channel = i->channel.fd,
        .lock = i->note.lock,
        .cgroup = i->lineage.cgroup,
        .watched_epoll = i->watch.epoll,
        .watched_page = i->watch.page,
        .program = i->reexec.program,
        .open_files_soft = i->launcher.open_files.rlim_cur,
        .open_files_hard = i->launcher.open_files.rlim_max,
        .pmd = image_of_pmd(&i->pmd),
    };
    image_record *records = write_records((image_record *)(head + 1), &i->lineage.table, true);
    named_fd *named = (named_fd *)write_records(records, &i->lineage.table, false);
    for (uint32_t at = 0; at < PM_NAMED_MAX; at++)
        if (i->named.places[at].fd >= 0)
            *named++ = i->named.places[at];
}

int image_write(const pm_init *i) {
    size_t size = size_of(i->lineage.table.count, named_count(&i->named));
    int fd = pm_memfd_create("pm-init");
    if (fd < 0)
        return fd;
    void *memory = MAP_FAILED;
    if (ftruncate(fd, (off_t)size) == 0)
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        int result = -errno;
        pm_fd_close(fd);
        return result;
    }
    fill(memory, i);
    munmap(memory, size);
    return fd;
}

/* Whether a child can be so: nothing that is done with it later reaches beyond an array, or somebody else. */
static bool is_possible(const image_record *from) {
    const int state = state_of(from);
    const bool is_starting = state == CHILD_PREPARING || state == CHILD_EXECUTING;
    if (state < 0 || from->held_count > PM_HELD_MAX || from->state_size > PM_STATE_MAX ||
        memchr(from->cgroup, '\0', sizeof from->cgroup) == NULL)
        return false;
    for (uint8_t i = 0; i < from->held_count; i++)
        if (from->held[i] < 0)
            return false;
    return from->pid > 0 && from->stop_signal > 0 && from->stop_signal <= SIGRTMAX &&
           (from->report >= 0) == is_starting;
}

static int read_record(table *t, const image_record *from) {
    record *r;
    if (!is_possible(from) || (from->phase == PM_CHILD_RUNNING && table_find_running(t, from->pid) != NULL))
        return -EBADMSG;
    int result = table_add(t, from->id, &r);
    if (result < 0)
        return result == -ENOMEM ? -ENOMEM : -EBADMSG;
    r->start_ticks = from->start_ticks;
    r->exited_at_ns = from->exited_at_ns;
    r->usage = from->usage;
    r->wait_status = from->wait_status;
    r->stop_order = from->stop_order;
    r->stop_signal = from->stop_signal;
    r->stop_wait_ms = from->stop_wait_ms;
    r->blob_size = (uint16_t)from->state_size;
    r->held_count = from->held_count;
    r->report = from->report;
    r->start_step = from->start_step;
    r->start_error = from->start_error;
    r->clamped = from->clamped;
    memcpy(r->held, from->held, sizeof r->held);
    memcpy(r->cgroup, from->cgroup, sizeof r->cgroup);
    memcpy(r->blob, from->state, from->state_size);
    table_set_state(t, r, (child_state)state_of(from));
    table_set_pid(t, r, from->pid);
    return 0;
}

static void read_pmd(pm_init *i, const image_pmd *from) {
    pmd *p = &i->pmd;
    i->lineage.pmd_pid = from->pid;
    p->last_status = from->last_status;
    p->starts = from->starts;
    p->started_at_ns = from->started_at_ns;
    p->restart_at_ns = from->restart_at_ns;
    p->kill_at_ns = from->kill_at_ns;
    p->history = from->history;
    p->stage = from->pid == 0 ? PMD_NONE : from->has_taken_over != 0 ? PMD_SERVING : PMD_STARTING;
    p->end = from->is_upgrading != 0 ? PM_END_UPGRADE : from->has_hung != 0 ? PM_END_HUNG : PM_END_OWN;
    p->last_end = from->had_hung != 0 ? PM_END_HUNG : PM_END_OWN;
}

static int take_over(pm_init *i, const image_head *head) {
    const image_record *records = (const image_record *)(head + 1);
    i->channel.fd = head->channel;
    /* A pmd at its other end that speaks another protocol has to go; its successor will be of our age. */
    i->channel.state = head->control_version == PM_CONTROL_VERSION ? CHANNEL_ATTACHED : CHANNEL_LOST;
    i->note.lock = head->lock;
    i->lineage.cgroup = head->cgroup;
    i->launcher.open_files =
        (struct rlimit){.rlim_cur = head->open_files_soft, .rlim_max = head->open_files_hard};
    i->watch.epoll = head->watched_epoll;
    i->watch.page = head->watched_page;
    i->reexec.program = head->program;
    read_pmd(i, &head->pmd);
    for (uint32_t at = 0; at < head->records; at++) {
        int result = read_record(&i->lineage.table, &records[at]);
        if (result < 0)
            return result;
    }
    const named_fd *named = (const named_fd *)(records + head->records);
    for (uint32_t at = 0; at < head->named; at++) {
        if (named[at].fd < 0 || memchr(named[at].name, '\0', sizeof named[at].name) == NULL)
            return -EBADMSG;
        i->named.places[at] = named[at];
    }
    return 0;
}

int image_read(pm_init *i, int fd) {
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    if ((size_t)status.st_size < sizeof(image_head))
        return -EBADMSG;
    const image_head *head = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (head == MAP_FAILED)
        return -errno;
    int result = -EBADMSG;
    if (head->magic == IMAGE_MAGIC && head->named <= PM_NAMED_MAX &&
        (size_t)status.st_size == size_of(head->records, head->named))
        result = take_over(i, head);
    munmap((void *)head, (size_t)status.st_size);
    return result;
}

static void set_cloexec(int fd, bool on) {
    if (fd >= 0)
        pm_fd_set_cloexec(fd, on); /* fails only for a number that is not open */
}

void image_set_cloexec(const pm_init *i, bool on) {
    const table *t = &i->lineage.table;
    set_cloexec(i->channel.fd, on);
    set_cloexec(i->note.lock, on);
    set_cloexec(i->lineage.cgroup, on);
    set_cloexec(i->watch.epoll, on);
    set_cloexec(i->watch.page, on);
    set_cloexec(i->reexec.program, on);
    for (uint32_t at = 0; at < PM_NAMED_MAX; at++)
        set_cloexec(i->named.places[at].fd, on);
    for (record *r = table_next(t, 0); r != NULL; r = table_after(t, r)) {
        set_cloexec(r->report, on);
        for (uint8_t at = 0; at < r->held_count; at++)
            set_cloexec(r->held[at], on);
    }
}
