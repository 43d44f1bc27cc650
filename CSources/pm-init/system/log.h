/*
 * The log: lines "<time> pm-init: <text>" on standard error, which whoever started pm-init has chosen, as pmd
 * writes them. A reader that does not read loses lines, and never makes pm-init wait.
 */
#ifndef LOG_H
#define LOG_H

#include "text.h"

/* Opens it. Before, and where it cannot be opened, lines are lost. */
void log_open(void);
/* Writes a line of these strings, the last one followed by a null: log_line("pmd ended", reason, NULL). */
void log_line(const char *first, ...) __attribute__((sentinel));
/* Adds a time since 1970 as pmd writes it: "2026-11-23T01:02:03.456789Z". */
void log_add_time(text *line, uint64_t since_1970_ns);
/* A number as a string, in one of a few places that are used in turn: for arguments of log_line alone. */
const char *log_number(uint64_t number);

#endif
