#include "identity.h"
#include "pm_contract.h"
#include "pm_pidfd.h"
#include "text.h"

#include <string.h>
#include <unistd.h>

#define MARKER_PREFIX PM_MARKER_VARIABLE "="

static void make_marker(identity *self, const char *token) {
    text marker = text_in(self->marker, sizeof self->marker);
    text_add(&marker, MARKER_PREFIX);
    if (token != NULL) {
        text_add(&marker, token);
    } else {
        text_add_number(&marker, (uint64_t)self->pid);
        text_add(&marker, ".");
        text_add_number(&marker, self->start_ticks);
    }
    text_add(&marker, "-");
    self->marker_size = marker.size;
}

void identity_find(identity *self, const char *token) {
    pm_process process;
    self->pid = getpid();
    if (pm_process_read(self->pid, &process) == 0)
        self->start_ticks = process.start_ticks;
    make_marker(self, token);
}

void identity_name(const identity *self, char *buffer, size_t capacity) {
    text name = text_in(buffer, capacity);
    text_add(&name, "pm-");
    text_add(&name, self->marker + strlen(MARKER_PREFIX));
    if (name.size > 0)
        buffer[name.size - 1] = '\0'; /* the '-' that ends the marker */
}
