/* The umbrella header: one header per facility. */
#ifndef CPMLINUX_H
#define CPMLINUX_H

#include "control.h"

#endif
