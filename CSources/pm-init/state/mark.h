/*
 * Whose a process is, kept where a new session, a new parent and an empty environment leave it: in the limit
 * of file locks (RLIMIT_LOCKS), which Linux has counted nothing against since 2.4.25, which every child
 * inherits, and which everybody may read. The hard limit is a number made of pm-init's marker, the soft
 * one the child's id. A process can give it up by setting the limit itself.
 */
#ifndef MARK_H
#define MARK_H

#include "identity.h"

#include <stdbool.h>

/* Marks pm-init, and so all that it starts. Under another pm-init that may be refused: then there are no
 * marks. */
void mark_begin(identity *self);
/* What is started next is this child's; 0: no child's. */
void mark_next(const identity *self, uint64_t id);
/* The child's id, 0 for what belongs to none, of a process that pm-init, or one before it with the same
 * marker, has marked; else false. */
bool mark_of(const identity *self, int32_t pid, uint64_t *id);

#endif
