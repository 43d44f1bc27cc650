/* Going on as the successor of the program that this process ran before (reexec.h). */
#ifndef RESUME_H
#define RESUME_H

#include "pm_init.h"

/* Takes over what options.image_fd says. 0 or -errno. */
int resume_state(pm_init *i);
/* Answers pmd, and looks after what happened while nobody looked. 0 or -errno. */
int resume_service(pm_init *i);

#endif
