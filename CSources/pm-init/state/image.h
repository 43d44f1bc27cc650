/*
 * All that pm-init knows, written into a memory file for the program that takes its process over
 * (reexec.h). Descriptors are told by number: they are the process's own and stay where they are.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include "pm_init.h"

/* Writes the image; a descriptor owned by the caller, or -errno. */
int image_write(const pm_init *i);
/* Takes the image over into a pm-init whose table is empty; the descriptor stays the caller's. 0, -EBADMSG
 * for an image that this program does not understand, or -errno. */
int image_read(pm_init *i, int fd);
/* Sets or clears FD_CLOEXEC on everything that an image tells of. */
void image_set_cloexec(const pm_init *i, bool on);

#endif
