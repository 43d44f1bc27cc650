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

static pm_init before, after, again;

static void start_init(pm_init *i) {
    pm_init_begin(i);
    require(pm_init_connect(i) == 0, "its parts are connected");
    require(table_init(&i->lineage.table, UINT32_MAX) == 0, "a table is made");
}

static void end(pm_init *i) {
    close(i->epoll);
    munmap(i->lineage.table.records, i->lineage.table.capacity * sizeof(record));
    munmap(i->lineage.table.by_id, 2 * (size_t)i->lineage.table.capacity * sizeof(uint32_t));
}

static void add_child(pm_init *i, uint32_t number) {
    table *t = &i->lineage.table;
    record *r;
    require(table_add(t, number + 1, &r) == 0, "a child is added");
    r->start_ticks = 1000 + number;
    r->stop_signal = SIGTERM;
    r->held_count = number % (PM_HELD_MAX + 1);
    for (uint8_t i = 0; i < r->held_count; i++)
        r->held[i] = (int32_t)(20 + number * PM_HELD_MAX + i);
    r->blob_size = (uint16_t)(number * 31 % (PM_STATE_MAX + 1));
    memset(r->blob, (int)number, r->blob_size);
    if (number % 3 == 1)
        snprintf(r->cgroup, sizeof r->cgroup, PM_CGROUP_PREFIX "%u", number);
    if (number % 4 == 2) {
        table_set_state(t, r, number % 8 == 2 ? CHILD_LEFT : CHILD_DEAD);
    } else if (number % 4 == 3) {
        table_set_state(t, r, CHILD_PREPARING);
        r->report = (int32_t)(10 + number);
    }
    table_set_pid(t, r, (int32_t)(200 + number));
}

static void make(pm_init *i, uint8_t children, uint8_t named) {
    start_init(i);
    for (uint32_t at = 0; at < children % (CHILDREN_MAX + 1); at++)
        add_child(i, at);
    for (uint32_t at = 0; at < named % (NAMED_MAX + 1); at++) {
        named_fd *place = &i->named.places[at];
        place->fd = (int)(15 + at);
        snprintf(place->name, sizeof place->name, "name-%u", at);
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

static void check(const pm_init *i) {
    for (record *r = table_next(&i->lineage.table, 0); r != NULL; r = table_after(&i->lineage.table, r)) {
        require(r->pid > 0 && r->id != 0, "a child has an id and a pid");
        require(r->held_count <= PM_HELD_MAX && r->blob_size <= PM_STATE_MAX,
                "counts are within their arrays");
        for (uint8_t at = 0; at < r->held_count; at++)
            require(r->held[at] >= 0, "what is held is a descriptor");
        require(memchr(r->cgroup, '\0', sizeof r->cgroup) != NULL, "a cgroup's name ends");
        require(r->stop_signal > 0 && r->stop_signal <= 64, "a child is stopped by a signal");
        require((r->report >= 0) == (record_is_starting(r)),
                "who is under way has a report, and nobody else");
        require(r->state <= CHILD_FORGOTTEN, "a child has a state");
        require(r->state == CHILD_FORGOTTEN || table_find(&i->lineage.table, r->id) == r,
                "a child is found by its id");
        require(record_is_reaped(r) || table_find_running(&i->lineage.table, r->pid) == r,
                "a child is found by its pid");
    }
    for (uint32_t at = 0; at < PM_NAMED_MAX; at++)
        require(memchr(i->named.places[at].name, '\0', sizeof i->named.places[at].name) != NULL,
                "a descriptor's name ends");
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
static void pass_on(const pm_init *i) {
    size_t size, other_size;
    int image = image_write(i);
    start_init(&again);
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
    start_init(&after);
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
