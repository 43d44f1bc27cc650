/* All of the library. */
#ifndef CPMLINUX_H
#define CPMLINUX_H

#include "control.h"
#include "pm_clock.h"
#include "pm_contract.h"
#include "pm_diag.h"
#include "pm_epoll.h"
#include "pm_event.h"
#include "pm_file.h"
#include "pm_memory.h"
#include "pm_mutex.h"
#include "pm_packet.h"
#include "pm_pidfd.h"
#include "pm_socket.h"
#include "pm_spawn.h"

#endif
