/*
 * Macros that every header of this library shares.
 *
 * Convention of the whole library: a function that returns int gives a value >= 0, or -errno. It never prints
 * and never touches the caller's errno contract. Every descriptor it makes is close-on-exec from birth and
 * belongs to the caller. Oldest kernel: Linux 5.10, where a function does not say otherwise.
 */
#ifndef PM_BASE_H
#define PM_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __clang__
/* An enum that Swift imports as a closed one: adding a case stops the Swift build until each switch has it.
 */
#define PM_CLOSED __attribute__((enum_extensibility(closed)))
#define PM_NULLABLE _Nullable
#define PM_NONNULL_BEGIN _Pragma("clang assume_nonnull begin")
#define PM_NONNULL_END _Pragma("clang assume_nonnull end")
#else
#define PM_CLOSED
#define PM_NULLABLE
#define PM_NONNULL_BEGIN
#define PM_NONNULL_END
#endif

#endif
