#define _GNU_SOURCE
#include "log.h"
#include "pm_clock.h"
#include "pm_file.h"
#include "text.h"
#include "times.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Longest line, bytes: what a pipe takes at once (pipe(7)). */
#define LINE_MAX_BYTES 1024
/* Numbers in one line. */
#define NUMBERS 4
#define SECONDS_A_DAY 86400u
/* 400 years, after which the calendar repeats. */
#define DAYS_AN_ERA 146097u
/* From 1 March 0000 to 1 January 1970. */
#define DAYS_BEFORE_1970 719468u

/* -1: there is no log. */
static int log_fd = -1;
static bool is_socket;

/* A pipe or a terminal may have no room, and O_NONBLOCK on the descriptor that we share would be everybody's:
 * it is opened once more. Where that is refused, the poll before each line has to do. */
void log_open(void) {
    struct stat status;
    if (fstat(STDERR_FILENO, &status) < 0)
        return;
    is_socket = S_ISSOCK(status.st_mode);
    if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))
        log_fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (log_fd < 0)
        log_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

static void add_padded(text *line, uint64_t number, unsigned width) {
    uint64_t least = 10;
    for (unsigned digit = 1; digit < width; digit++, least *= 10)
        if (number < least)
            text_add(line, "0");
    text_add_number(line, number);
}

/* The day of a time since 1970, in the calendar that has no other rules before it was made: years begin in
 * March, so that the leap day is the last one. */
static void add_day(text *line, uint64_t days) {
    const uint64_t shifted = days + DAYS_BEFORE_1970, of_era = shifted % DAYS_AN_ERA;
    const uint64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const uint64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    const uint64_t month = (5 * of_year + 2) / 153;
    add_padded(line, years + shifted / DAYS_AN_ERA * 400 + (month < 10 ? 0 : 1), 4);
    text_add(line, "-");
    add_padded(line, month < 10 ? month + 3 : month - 9, 2);
    text_add(line, "-");
    add_padded(line, of_year - (153 * month + 2) / 5 + 1, 2);
}

void log_add_time(text *line, uint64_t since_1970_ns) {
    const uint64_t seconds = since_1970_ns / SECOND_NS, of_day = seconds % SECONDS_A_DAY;
    add_day(line, seconds / SECONDS_A_DAY);
    text_add(line, "T");
    add_padded(line, of_day / 3600, 2);
    text_add(line, ":");
    add_padded(line, of_day / 60 % 60, 2);
    text_add(line, ":");
    add_padded(line, of_day % 60, 2);
    text_add(line, ".");
    add_padded(line, since_1970_ns % SECOND_NS / 1000, 6);
    text_add(line, "Z");
}

static void put(const char *line, size_t size) {
    struct pollfd room = {.fd = log_fd, .events = POLLOUT};
    if (is_socket)
        send(log_fd, line, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    else if (poll(&room, 1, 0) == 1 && (room.revents & POLLOUT) != 0)
        pm_fd_write(log_fd, line, size);
}

void log_line(const char *first, ...) {
    char buffer[LINE_MAX_BYTES];
    va_list rest;
    if (log_fd < 0)
        return;
    text line = text_in(buffer, sizeof buffer - 1);
    log_add_time(&line, pm_clock_realtime());
    text_add(&line, " pm-init: ");
    va_start(rest, first);
    for (const char *part = first; part != NULL; part = va_arg(rest, const char *))
        text_add(&line, part);
    va_end(rest);
    buffer[line.size] = '\n';
    put(buffer, line.size + 1);
}

const char *log_number(uint64_t number) {
    static char places[NUMBERS][21];
    static unsigned next;
    char *place = places[next++ % NUMBERS];
    text digits = text_in(place, sizeof places[0]);
    text_add_number(&digits, number);
    return place;
}
