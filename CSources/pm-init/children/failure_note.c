#define _GNU_SOURCE
#include "failure_note.h"
#include "pm_clock.h"
#include "pm_contract.h"
#include "pm_file.h"
#include "text.h"
#include "times.h"

#include <unistd.h>

static void replace(const failure_note *note, const char *content, size_t size) {
    /* Who reads in between sees less, and a full disk is no reason to fail. */
    if (note->lock < 0 || ftruncate(note->lock, 0) < 0 || lseek(note->lock, 0, SEEK_SET) < 0)
        return;
    pm_fd_write(note->lock, content, size);
}

static void add_line(text *content, const char *key, uint64_t value) {
    text_add(content, key);
    text_add(content, " ");
    text_add_number(content, value);
    text_add(content, "\n");
}

void failure_note_write(failure_note *note, const failure_facts *facts) {
    char buffer[128];
    text content = text_in(buffer, sizeof buffer);
    uint64_t now = pm_clock_read(PM_CLOCK_MONOTONIC);
    uint64_t left_ns = facts->retry_at_ns > now ? facts->retry_at_ns - now : 0;
    add_line(&content, PM_NOTE_FAILURES, facts->failures);
    add_line(&content, PM_NOTE_STATUS, (uint64_t)facts->last_status);
    add_line(&content, PM_NOTE_RETRY, (pm_clock_realtime() + left_ns) / SECOND_NS);
    note->is_written = true;
    replace(note, buffer, content.size);
}

void failure_note_clear(failure_note *note) {
    if (!note->is_written)
        return;
    note->is_written = false;
    replace(note, "", 0);
}
