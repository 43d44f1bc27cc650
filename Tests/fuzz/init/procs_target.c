/*
 * What the kernel writes about processes, read out of buffers. An input is a kind, the size of the pieces in
 * which the text comes, and the text.
 */
#define _GNU_SOURCE
#include "lines.h"
#include "pm_pidfd.h"
#include "proc_text.h"
#include "rules.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARKER "PM_MARKER=fuzz-"
#define LINE_ROOM 40u
#define PIDS_MAX 4096u

/* What the text is; others are taken modulo KINDS. */
enum {
    KIND_STAT,
    KIND_ENVIRONMENT,
    KIND_LIMITS,
    KIND_CGROUP, /* a name up to the first zero byte, then the file */
    KIND_LIST,
    KINDS,
};

typedef struct {
    const char *bytes; /* memory of exactly that size, so that who reads beyond it is caught */
    size_t size;
    size_t piece;
} source;

const char *const target_name = "texts of /proc";

/* The field at *at as C reads it; false where there is none, or where it does not fit. */
static bool read_field(const char **at, uint64_t *out) {
    char *end;
    *at += strspn(*at, " ");
    if (!isdigit((unsigned char)(**at == '-' ? (*at)[1] : **at)))
        return false;
    errno = 0;
    *out = strtoull(*at, &end, 10);
    *at = end;
    return errno == 0;
}

static void read_stat(const source *s) {
    pm_process got;
    const int result = pm_process_parse(77, s->bytes, s->size, &got);
    char *text = strndup(s->bytes, s->size);
    const char *at = memchr(s->bytes, '\0', s->size) == NULL ? strrchr(text, ')') : NULL;
    uint64_t fields[23] = {0};
    int field = 3;
    require(result == 0 || result == -EBADMSG, "a stat is read or refused");
    if (at != NULL && at[1] == ' ' && at[2] != '\0') {
        at += 3;
        while (++field < 23 && read_field(&at, &fields[field])) {
        }
        require(result == 0 || field < 23, "a whole stat is read");
        if (field == 23)
            require(got.parent == (int32_t)fields[4] && got.group == (int32_t)fields[5] &&
                        got.session == (int32_t)fields[6] && got.is_ending == (int32_t)(fields[9] >> 2 & 1) &&
                        got.cpu_ticks == fields[14] + fields[15] && got.start_ticks == fields[22] &&
                        got.pid == 77,
                    "fields are what they are");
    }
    free(text);
}

/* The id of the first string that is the marker and a number. The last few numbers below 2^64 are none. */
static bool find_marker(const source *s, uint64_t *id) {
    const char *end = s->bytes + s->size;
    for (const char *at = s->bytes; at <= end;) {
        const char *stop = memchr(at, '\0', (size_t)(end - at));
        char *string = strndup(at, (size_t)((stop != NULL ? stop : end) - at));
        const char *digits = strncmp(string, MARKER, strlen(MARKER)) == 0 ? string + strlen(MARKER) : "";
        const size_t length = strspn(digits, "0123456789");
        errno = 0;
        *id = strtoull(digits, NULL, 10);
        const bool is_it =
            length > 0 && digits[length] == '\0' && errno == 0 && *id / 10 <= (UINT64_MAX - 9) / 10;
        free(string);
        if (is_it)
            return true;
        at = stop != NULL ? stop + 1 : end + 1;
    }
    return false;
}

static void read_environment(const source *s) {
    marker_search search = marker_search_for(MARKER, strlen(MARKER));
    bool is_found = false;
    uint64_t id;
    for (size_t at = 0; at < s->size && !is_found; at += s->piece)
        is_found =
            marker_search_take(&search, s->bytes + at, s->piece < s->size - at ? s->piece : s->size - at);
    is_found = is_found || marker_search_end(&search);
    require(is_found == find_marker(s, &id), "a marker is found where it is");
    require(!is_found || search.id == id, "a marker's number is read whole");
}

static void read_limits(const source *s) {
    struct rlimit got = {0};
    const bool is_read = proc_text_file_locks(s->bytes, s->size, &got);
    char *text = strndup(s->bytes, s->size);
    const char *at = memchr(s->bytes, '\0', s->size) == NULL ? strstr(text, "\nMax file locks") : NULL;
    uint64_t soft, hard;
    if (at != NULL) {
        at += strlen("\nMax file locks");
        const char *digits = at + strspn(at, " ");
        const bool is_expected =
            *digits != '-' && read_field(&at, &soft) && at[strspn(at, " ")] != '-' && read_field(&at, &hard);
        require(is_read == is_expected, "a limit is read where it is");
        require(!is_read || (got.rlim_cur == soft && got.rlim_max == hard), "a limit is what it is");
    }
    free(text);
}

/* The same in the plainest way. */
static bool find_line(const source *s, char line[LINE_ROOM]) {
    const char *end = s->bytes + s->size;
    for (const char *at = s->bytes, *stop; at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL)
            return false;
        if (stop - at < 3 || memcmp(at, "0::", 3) != 0)
            continue;
        const size_t length = (size_t)(stop - at) - 3;
        memcpy(line, at + 3, length < LINE_ROOM ? length : 0);
        line[length < LINE_ROOM ? length : 0] = '\0';
        return length < LINE_ROOM;
    }
    return false;
}

static bool search_line(const source *s, char line[LINE_ROOM]) {
    line_search search = line_search_for("0::", line, LINE_ROOM);
    for (size_t at = 0; at < s->size; at += s->piece)
        if (line_search_take(&search, s->bytes + at, s->piece < s->size - at ? s->piece : s->size - at))
            break;
    return line_search_end(&search);
}

static void read_cgroup(const source *s) {
    char pieces[LINE_ROOM], whole[LINE_ROOM], name[LINE_ROOM] = "";
    const char *end = memchr(s->bytes, '\0', s->size);
    if (end == NULL || end == s->bytes || (size_t)(end - s->bytes) >= sizeof name)
        return;
    memcpy(name, s->bytes, (size_t)(end - s->bytes));
    const source file = {.bytes = end + 1, .size = s->size - (size_t)(end + 1 - s->bytes), .piece = s->piece};
    const bool is_found = search_line(&file, pieces);
    require(is_found == find_line(&file, whole) && (!is_found || strcmp(pieces, whole) == 0),
            "a line is found where it is, and read whole");
    if (!is_found || !cgroup_line_holds(whole, "/base", name))
        return;
    char first[2 * LINE_ROOM], below[2 * LINE_ROOM];
    snprintf(first, sizeof first, "/%s", name);
    snprintf(below, sizeof below, "/base/%s", name);
    require(strncmp(whole, first, strlen(first)) == 0 || strstr(whole, below) != NULL,
            "a cgroup that holds is named, at the root or below the base");
}

typedef struct {
    int32_t pids[PIDS_MAX];
    size_t count;
} listed;

static void note(void *context, int32_t pid) {
    listed *l = context;
    require(pid > 0, "a pid is positive");
    if (l->count < PIDS_MAX)
        l->pids[l->count++] = pid;
}

static void read_list(const source *s) {
    static listed pieces, whole;
    pid_list list = {.visit = note, .context = &pieces}, once = {.visit = note, .context = &whole};
    pieces.count = whole.count = 0;
    for (size_t at = 0; at < s->size; at += s->piece)
        pid_list_take(&list, s->bytes + at, s->piece < s->size - at ? s->piece : s->size - at);
    pid_list_take(&once, s->bytes, s->size);
    require(pieces.count == whole.count &&
                memcmp(pieces.pids, whole.pids, whole.count * sizeof whole.pids[0]) == 0,
            "pieces are as good as the whole");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    char *bytes = malloc(size - 2);
    require(bytes != NULL || size == 2, "there is memory");
    memcpy(bytes, data + 2, size - 2);
    const source s = {.bytes = bytes, .size = size - 2, .piece = data[1] == 0 ? size : data[1]};
    switch (data[0] % KINDS) {
    case KIND_STAT: read_stat(&s); break;
    case KIND_ENVIRONMENT: read_environment(&s); break;
    case KIND_LIMITS: read_limits(&s); break;
    case KIND_CGROUP: read_cgroup(&s); break;
    case KIND_LIST: read_list(&s); break;
    }
    free(bytes);
    return 0;
}
