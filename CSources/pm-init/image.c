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
    pmd_state pmd;
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
    uint8_t phase;
    uint8_t leftovers;
    uint8_t is_fresh;
    uint8_t is_forgotten;
    uint8_t start;
    uint8_t start_step;
    uint8_t clamped;
    char cgroup[PM_CGROUP_MAX];
    uint8_t state[PM_STATE_MAX];
} image_record;

static size_t size_of(uint32_t records, uint32_t named) {
    return sizeof(image_head) + (size_t)records * sizeof(image_record) + (size_t)named * sizeof(named_fd);
}

static uint32_t count_named(const holder *h) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < PM_NAMED_MAX; i++)
        count += h->named[i].fd >= 0;
    return count;
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
        .state_size = r->state_size,
        .held_count = r->held_count,
        .phase = r->phase,
        .leftovers = r->leftovers,
        .is_fresh = r->is_fresh,
        .is_forgotten = r->is_forgotten,
        .report = r->report,
        .start = r->start,
        .start_step = r->start_step,
        .start_error = r->start_error,
        .clamped = r->clamped,
    };
    memcpy(to->held, r->held, sizeof to->held);
    memcpy(to->cgroup, r->cgroup, sizeof to->cgroup);
    memcpy(to->state, r->state, r->state_size);
}

/* Forgotten ones first: their ids may have been given again, and the table takes an id only while no other
 * has it. */
static image_record *write_records(image_record *to, const holder *h, bool forgotten) {
    for (record *r = table_next(&h->table, 0); r != NULL; r = table_after(&h->table, r))
        if (r->is_forgotten == forgotten)
            write_record(to++, r);
    return to;
}

static void fill(image_head *head, const holder *h) {
    *head = (image_head){
        .magic = IMAGE_MAGIC,
        .control_version = PM_CONTROL_VERSION,
        .records = h->table.count,
        .named = count_named(h),
        .channel = h->channel.fd,
        .lock = h->lock,
        .cgroup = h->cgroup,
        .watched_epoll = h->watched.epoll,
        .watched_page = h->watched.page,
        .program = h->reexec.program,
        .open_files_soft = h->open_files.rlim_cur,
        .open_files_hard = h->open_files.rlim_max,
        .pmd = h->pmd,
    };
    image_record *records = write_records((image_record *)(head + 1), h, true);
    named_fd *named = (named_fd *)write_records(records, h, false);
    for (uint32_t i = 0; i < PM_NAMED_MAX; i++)
        if (h->named[i].fd >= 0)
            *named++ = h->named[i];
}

int image_write(const holder *h) {
    size_t size = size_of(h->table.count, count_named(h));
    int fd = pm_memfd_create("pm-init");
    if (fd < 0)
        return fd;
    void *memory = MAP_FAILED;
    if (ftruncate(fd, (off_t)size) == 0)
        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        int error = errno;
        pm_fd_close(fd);
        return -error;
    }
    fill(memory, h);
    munmap(memory, size);
    return fd;
}

/* Whether a child can be so: nothing that is done with it later reaches beyond an array, or somebody else. */
static bool is_possible(const image_record *from) {
    const bool is_starting = from->start == START_STEPS || from->start == START_EXEC;
    if (from->held_count > PM_HELD_MAX || from->state_size > PM_STATE_MAX || from->phase > PM_CHILD_EXITED ||
        from->start > START_FAILED || from->leftovers > PM_LEFT_MAYBE ||
        memchr(from->cgroup, '\0', sizeof from->cgroup) == NULL)
        return false;
    for (uint8_t i = 0; i < from->held_count; i++)
        if (from->held[i] < 0)
            return false;
    return from->pid > 0 && from->stop_signal > 0 && from->stop_signal <= SIGRTMAX &&
           (from->report >= 0) == is_starting &&
           (from->phase == PM_CHILD_EXITED || from->leftovers == PM_LEFT_NOTHING);
}

static bool read_record(table *t, const image_record *from) {
    if (!is_possible(from) || (from->phase == PM_CHILD_RUNNING && table_find_running(t, from->pid) != NULL))
        return false;
    record *r = table_add(t, from->id);
    if (r == NULL)
        return false;
    r->start_ticks = from->start_ticks;
    r->exited_at_ns = from->exited_at_ns;
    r->usage = from->usage;
    r->wait_status = from->wait_status;
    r->stop_order = from->stop_order;
    r->stop_signal = from->stop_signal;
    r->stop_wait_ms = from->stop_wait_ms;
    r->state_size = (uint16_t)from->state_size;
    r->held_count = from->held_count;
    r->phase = from->phase;
    r->is_fresh = from->is_fresh != 0;
    r->is_forgotten = from->is_forgotten != 0;
    r->report = from->report;
    r->start = from->start;
    r->start_step = from->start_step;
    r->start_error = from->start_error;
    r->clamped = from->clamped;
    memcpy(r->held, from->held, sizeof r->held);
    memcpy(r->cgroup, from->cgroup, sizeof r->cgroup);
    memcpy(r->state, from->state, from->state_size);
    table_set_leftovers(t, r, from->leftovers);
    table_set_pid(t, r, from->pid);
    return true;
}

static int take_over(holder *h, const image_head *head) {
    const image_record *records = (const image_record *)(head + 1);
    h->channel.fd = head->channel;
    /* The pmd at its other end speaks another protocol; its successor will be of our age. */
    h->channel.is_broken = head->control_version != PM_CONTROL_VERSION;
    h->lock = head->lock;
    h->cgroup = head->cgroup;
    h->open_files = (struct rlimit){.rlim_cur = head->open_files_soft, .rlim_max = head->open_files_hard};
    h->pmd = head->pmd;
    h->watched.epoll = head->watched_epoll;
    h->watched.page = head->watched_page;
    h->reexec.program = head->program;
    for (uint32_t i = 0; i < head->records; i++)
        if (!read_record(&h->table, &records[i]))
            return -EBADMSG;
    const named_fd *named = (const named_fd *)(records + head->records);
    for (uint32_t i = 0; i < head->named; i++) {
        if (named[i].fd < 0 || memchr(named[i].name, '\0', sizeof named[i].name) == NULL)
            return -EBADMSG;
        h->named[i] = named[i];
    }
    return 0;
}

int image_read(holder *h, int fd) {
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
        result = take_over(h, head);
    munmap((void *)head, (size_t)status.st_size);
    return result;
}

static void set_cloexec(int fd, bool on) {
    if (fd >= 0)
        pm_fd_set_cloexec(fd, on); /* fails only for a number that is not open */
}

void image_set_cloexec(const holder *h, bool on) {
    set_cloexec(h->channel.fd, on);
    set_cloexec(h->lock, on);
    set_cloexec(h->cgroup, on);
    set_cloexec(h->watched.epoll, on);
    set_cloexec(h->watched.page, on);
    set_cloexec(h->reexec.program, on);
    for (uint32_t i = 0; i < PM_NAMED_MAX; i++)
        set_cloexec(h->named[i].fd, on);
    for (record *r = table_next(&h->table, 0); r != NULL; r = table_after(&h->table, r)) {
        set_cloexec(r->report, on);
        for (uint8_t i = 0; i < r->held_count; i++)
            set_cloexec(r->held[i], on);
    }
}
