#include "cpmlinux.h"
