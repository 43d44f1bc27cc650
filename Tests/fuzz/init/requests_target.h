/* What the target of the control protocol and its stand-ins share. */
#ifndef REQUESTS_TARGET_H
#define REQUESTS_TARGET_H

#include "lineage.h"
#include "rules.h"

/* What kill(2) gives: 0, or -1 with ESRCH. */
extern int stand_in_kill_result;

/* Reads the bytes as one of the kernel's texts, which the first of them chooses. */
void read_texts(lineage *l, const uint8_t *bytes, size_t size);

/* The write ends of the reports of those children that pm-exec would make, by pid; closed by who takes one.
 */
int stand_in_take_report(int32_t pid);
/* Where pid's report is written; -1: it has none. */
int stand_in_report(int32_t pid);

#endif
