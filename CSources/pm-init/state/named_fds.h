/* Descriptors that pmd, or a service manager, has given under a name. */
#ifndef NAMED_FDS_H
#define NAMED_FDS_H

#include "control.h"

typedef struct {
    int fd; /* owned; -1: the place is free */
    char name[PM_NAME_MAX + 1];
} named_fd;

typedef struct {
    named_fd places[PM_NAMED_MAX];
} named_fds;

/* Makes all places free. */
void named_init(named_fds *fds);
/* How many places are in use. */
uint32_t named_count(const named_fds *fds);
/* The one with this name, or null. */
named_fd *named_find(named_fds *fds, const char *name);
/* The one with this name, or else a free place whose name is this one then, or null: there are PM_NAMED_MAX.
 */
named_fd *named_place(named_fds *fds, const char *name);

#endif
