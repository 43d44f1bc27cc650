#include "hang_check.h"

/* So many looks in a row without a turn, and it hangs. */
#define DOUBTS_MOST 2

/* Whether a process that makes no turn is to blame: not while a debugger holds it, the disk makes it wait or
 * it gets no processor. */
static bool is_to_blame(const hang_look *look, bool has_run) {
    return look->state != 't' && look->state != 'D' && (look->state != 'R' || has_run);
}

hang_verdict hang_judge(hang_check *check, const hang_look *look) {
    if (look->turns != check->turns || !look->has_work || look->state == 0)
        return HANG_NONE;
    check->doubts += is_to_blame(look, look->cpu_ticks != check->cpu_ticks);
    check->cpu_ticks = look->cpu_ticks;
    return check->doubts < DOUBTS_MOST ? HANG_MAYBE : HANG_SURE;
}
