/* Reading /proc: which processes there are and which carry our marker. Without /proc there are none. */
#ifndef PROCS_H
#define PROCS_H

#include "identity.h"
#include "pm_pidfd.h"

/* The inode is the one of the process's directory in /proc, 0 when there is none: no two processes that ever
 * had a pid have the same. */
typedef void procs_visitor(void *context, int32_t pid, uint64_t inode);

/* As a visitor gets it. */
uint64_t procs_inode(int32_t pid);
/* Calls visit with the pid of each process, in ascending order; false when /proc cannot be read. */
bool procs_each(procs_visitor *visit, void *context);
/*
 * Calls visit with the pid of each child of this process, also those it did not start. Where the kernel has
 * no list of children (CONFIG_PROC_CHILDREN), all of /proc is visited: the visitor looks at the parent
 * itself.
 */
bool procs_each_child(procs_visitor *visit, void *context);
/* Calls visit with each pid of a list of the kernel's, numbers with anything between them; false when it
 * cannot be read to its end. */
bool procs_each_listed(int fd, void (*visit)(void *context, int32_t pid), void *context);
/* Finds the mark, or the marker in the environment: the child's id, or false. Programs may overwrite both. */
bool procs_marker(const identity *self, int32_t pid, uint64_t *id);
/* Signals the process if it still is the one that was seen: pid and start time. 0 or -errno. */
int procs_signal(const pm_process *seen, int signal);

#endif
