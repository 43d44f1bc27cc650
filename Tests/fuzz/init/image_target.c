/*
 * The image that pm-init leaves to the program that takes its process over. An input makes a state with as
 * many children and named descriptors as the first two bytes say; the third is how much of its image is cut
 * off; and each four bytes after that change one byte of it: where, as three bytes, and what it becomes. What
 * is read of such an image is a state that is possible.
 */
#define _GNU_SOURCE
#include "cpmlinux.h"
#include "image.h"
#include "rules.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHILDREN_MAX 12u
#define NAMED_MAX 5u

const char *const target_name = "image of pm-init";

static holder before, after, again;

static void begin(holder *h) {
    memset(h, 0, sizeof *h);
    h->channel.fd = h->lock = h->cgroup = h->watched.epoll = h->watched.page = h->reexec.program = -1;
    for (uint32_t i = 0; i < PM_NAMED_MAX; i++)
        h->named[i].fd = -1;
    require(table_init(&h->table, UINT32_MAX) == 0, "a table is made");
}

static void end(holder *h) {
    munmap(h->table.records, h->table.capacity * sizeof(record));
    munmap(h->table.by_id, 2 * (size_t)h->table.capacity * sizeof(uint32_t));
}

static void add_child(holder *h, uint32_t number) {
    record *r = table_add(&h->table, number + 1);
    r->start_ticks = 1000 + number;
    r->stop_signal = SIGTERM;
    r->held_count = number % (PM_HELD_MAX + 1);
    for (uint8_t i = 0; i < r->held_count; i++)
        r->held[i] = (int32_t)(20 + number * PM_HELD_MAX + i);
    r->state_size = (uint16_t)(number * 31 % (PM_STATE_MAX + 1));
    memset(r->state, (int)number, r->state_size);
    if (number % 3 == 1)
        snprintf(r->cgroup, sizeof r->cgroup, PM_CGROUP_PREFIX "%u", number);
    if (number % 4 == 2) {
        r->phase = PM_CHILD_EXITED;
        table_set_leftovers(&h->table, r, PM_LEFT_MAYBE);
    } else if (number % 4 == 3) {
        r->start = START_STEPS;
        r->report = (int32_t)(10 + number);
    }
    table_set_pid(&h->table, r, (int32_t)(200 + number));
}

static void make(holder *h, uint8_t children, uint8_t named) {
    begin(h);
    for (uint32_t i = 0; i < children % (CHILDREN_MAX + 1); i++)
        add_child(h, i);
    for (uint32_t i = 0; i < named % (NAMED_MAX + 1); i++) {
        h->named[i].fd = (int)(15 + i);
        snprintf(h->named[i].name, sizeof h->named[i].name, "name-%u", i);
    }
}

static void change(int image, const uint8_t *data, size_t size) {
    struct stat status;
    require(fstat(image, &status) == 0, "an image has a size");
    for (; size >= 4 && status.st_size > 0; data += 4, size -= 4) {
        const uint32_t at = (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16;
        require(pwrite(image, data + 3, 1, at % status.st_size) == 1, "an image can be changed");
    }
}

static void check(const holder *h) {
    for (record *r = table_next(&h->table, 0); r != NULL; r = table_after(&h->table, r)) {
        require(r->pid > 0 && r->id != 0, "a child has an id and a pid");
        require(r->held_count <= PM_HELD_MAX && r->state_size <= PM_STATE_MAX,
                "counts are within their arrays");
        for (uint8_t i = 0; i < r->held_count; i++)
            require(r->held[i] >= 0, "what is held is a descriptor");
        require(memchr(r->cgroup, '\0', sizeof r->cgroup) != NULL, "a cgroup's name ends");
        require(r->stop_signal > 0 && r->stop_signal <= 64, "a child is stopped by a signal");
        require((r->report >= 0) == (r->start == START_STEPS || r->start == START_EXEC),
                "who is under way has a report, and nobody else");
        require(r->phase == PM_CHILD_EXITED || r->leftovers == PM_LEFT_NOTHING,
                "only the dead leave something");
        require(r->is_forgotten || table_find(&h->table, r->id) == r, "a child is found by its id");
        require(r->is_forgotten || r->phase != PM_CHILD_RUNNING || table_find_running(&h->table, r->pid) == r,
                "a child is found by its pid");
    }
    for (uint32_t i = 0; i < PM_NAMED_MAX; i++)
        require(memchr(h->named[i].name, '\0', sizeof h->named[i].name) != NULL, "a descriptor's name ends");
}

/* A copy of the image's bytes. */
static uint8_t *content(int image, size_t *size) {
    struct stat status;
    require(fstat(image, &status) == 0, "an image has a size");
    *size = (size_t)status.st_size;
    uint8_t *bytes = malloc(*size);
    require(pread(image, bytes, *size, 0) == (ssize_t)*size, "an image is read");
    return bytes;
}

/* Its image says the same as the image of who reads that. */
static void pass_on(const holder *h) {
    size_t size, other_size;
    int image = image_write(h);
    begin(&again);
    require(image >= 0 && image_read(&again, image) == 0, "pm-init understands its like");
    int other = image_write(&again);
    uint8_t *bytes = content(image, &size), *other_bytes = content(other, &other_size);
    require(size == other_size && memcmp(bytes, other_bytes, size) == 0, "nothing is lost on the way");
    free(bytes);
    free(other_bytes);
    close(image);
    close(other);
    end(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 3)
        return 0;
    make(&before, data[0], data[1]);
    int image = image_write(&before);
    require(image >= 0, "an image is written");
    change(image, data + 3, size - 3);
    if (data[2] != 0) {
        struct stat status;
        require(fstat(image, &status) == 0 &&
                    ftruncate(image, status.st_size > data[2] ? status.st_size - data[2] : 0) == 0,
                "an image can be cut");
    }
    begin(&after);
    const int result = image_read(&after, image);
    require(result == 0 || result == -EBADMSG, "an image is taken or refused");
    if (result == 0) {
        check(&after);
        pass_on(&after);
    }
    close(image);
    end(&after);
    end(&before);
    return 0;
}
