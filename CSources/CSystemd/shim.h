/* The journal as the system's libsystemd reads it. */
#ifndef CSYSTEMD_SHIM_H
#define CSYSTEMD_SHIM_H

#include <systemd/sd-journal.h>

#endif
