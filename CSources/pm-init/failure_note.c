#define _GNU_SOURCE
#include "failure_note.h"
#include "pm_clock.h"
#include "pm_file.h"
#include "text.h"

#include <unistd.h>

static void replace(holder *h, const char *content, size_t size) {
    /* Who reads in between sees less, and a full disk is no reason to fail. */
    if (h->lock < 0 || ftruncate(h->lock, 0) < 0 || lseek(h->lock, 0, SEEK_SET) < 0)
        return;
    pm_fd_write(h->lock, content, size);
}

static void add_line(text *content, const char *key, uint64_t value) {
    text_add(content, key);
    text_add(content, " ");
    text_add_number(content, value);
    text_add(content, "\n");
}

void failure_note_write(holder *h, uint64_t retry_at_ns) {
    char buffer[128];
    text content = text_in(buffer, sizeof buffer);
    uint64_t now = pm_clock_read(PM_CLOCK_MONOTONIC);
    uint64_t left_ns = retry_at_ns > now ? retry_at_ns - now : 0;
    add_line(&content, "failures", h->pmd.failures);
    add_line(&content, "status", (uint64_t)h->pmd.last_status);
    add_line(&content, "retry", (pm_clock_realtime() + left_ns) / SECOND_NS);
    h->has_note = true;
    replace(h, buffer, content.size);
}

void failure_note_clear(holder *h) {
    if (!h->has_note)
        return;
    h->has_note = false;
    replace(h, "", 0);
}
