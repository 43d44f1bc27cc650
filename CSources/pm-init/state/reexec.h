/*
 * Taking on another program in place (PM_REEXEC): the same process, children and descriptors go on under it.
 *
 * The new program is first tried as a child: it must read an image of what pm-init knows and say that it
 * understands it. Only then, in a moment in which nothing is half done, this process executes it.
 */
#ifndef REEXEC_H
#define REEXEC_H

#include "pm_init.h"

/* pmd asks for the program at this path. */
void reexec_asked(pm_init *i, const char *path);
/* The program that is tried has ended. */
void reexec_tried(pm_init *i, int wait_status);
/* Nobody waits for it any more: pmd has ended. */
void reexec_cancel(pm_init *i);
/* Executes the program if it was found good and nothing is half done; gives up when its time is over. */
void reexec_tick(pm_init *i, uint64_t now_ns);
/* The image of options.image_fd is understood: the exit status of a program that is tried. */
int reexec_check(pm_init *i);

#endif
