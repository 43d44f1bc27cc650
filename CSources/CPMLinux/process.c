/* What the kernel writes into /proc/PID/stat (proc_pid_stat(5)), out of a buffer. */
#define _GNU_SOURCE
#include "include/pm_pidfd.h"

#include <errno.h>
#include <string.h>

/* PF_EXITING of the kernel's flags word, field 9. */
#define PROCESS_FLAG_EXITING 4u

/* What is left of the text. `is_short`: a field was asked for that is not there. */
typedef struct {
    const char *at;
    const char *end;
    bool is_short;
} fields;

/* The next field as a number; what does not fit wraps, and a negative one is a large one. */
static uint64_t next_number(fields *f) {
    uint64_t number = 0;
    while (f->at < f->end && *f->at == ' ')
        f->at++;
    const bool is_negative = f->at < f->end && *f->at == '-';
    f->at += is_negative;
    f->is_short |= f->at == f->end || *f->at < '0' || *f->at > '9';
    for (; f->at < f->end && *f->at >= '0' && *f->at <= '9'; f->at++)
        number = number * 10 + (uint64_t)(*f->at - '0');
    return is_negative ? -number : number;
}

static void skip(fields *f, int count) {
    while (count-- > 0)
        next_number(f);
}

int pm_process_parse(int pid, const char *text, size_t size, pm_process *out) {
    /* The command name, field 2, may hold anything, also ") 1 2"; the last ')' ends it. */
    const char *name_end = memrchr(text, ')', size);
    if (name_end == NULL || text + size - name_end < 3 || name_end[1] != ' ')
        return -EBADMSG;
    fields f = {.at = name_end + 3, .end = text + size};
    *out = (pm_process){.pid = pid, .state = name_end[2]};
    out->parent = (int32_t)next_number(&f);
    out->group = (int32_t)next_number(&f);
    out->session = (int32_t)next_number(&f);
    skip(&f, 2); /* 7, 8: terminal, and its foreground group */
    out->is_ending = (next_number(&f) & PROCESS_FLAG_EXITING) != 0;
    skip(&f, 4);
    out->cpu_ticks = next_number(&f);
    out->cpu_ticks += next_number(&f);
    skip(&f, 6);
    out->start_ticks = next_number(&f);
    return f.is_short ? -EBADMSG : 0;
}
