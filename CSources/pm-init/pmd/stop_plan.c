#include "stop_plan.h"
#include "times.h"

/* How long a killed tree may take to vanish before the next level is stopped anyway. */
#define KILLED_WAIT_NS (5u * (uint64_t)SECOND_NS)

bool stop_plan_is_gone(const record *r) {
    return r->stage == STOP_GIVEN_UP || r->state == CHILD_GONE || r->state == CHILD_FAILED ||
           r->state == CHILD_FORGOTTEN;
}

bool stop_plan_level(const table *t, uint32_t *level) {
    bool found = false;
    *level = 0;
    for (record *r = table_next(t, 0); r != NULL; r = table_after(t, r)) {
        if (stop_plan_is_gone(r) || (found && r->stop_order <= *level))
            continue;
        *level = r->stop_order;
        found = true;
    }
    return found;
}

static stop_action enter(record *r, stop_stage stage, uint64_t until_ns) {
    r->stage = (uint8_t)stage;
    r->stop_at_ns = until_ns;
    return stage == STOP_SIGNALLED ? STOP_SIGNAL : stage == STOP_KILLED ? STOP_KILL : STOP_WAIT;
}

stop_action stop_plan_next(record *r, uint64_t now_ns) {
    if (r->state == CHILD_DEAD)
        return STOP_WAIT; /* whether it left something is about to be judged */
    switch ((stop_stage)r->stage) {
    case STOP_NOT_YET: return enter(r, STOP_SIGNALLED, now_ns + r->stop_wait_ms * (uint64_t)MILLISECOND_NS);
    case STOP_SIGNALLED:
        return now_ns < r->stop_at_ns ? STOP_WAIT : enter(r, STOP_KILLED, now_ns + KILLED_WAIT_NS);
    case STOP_KILLED: return now_ns < r->stop_at_ns ? STOP_WAIT : enter(r, STOP_GIVEN_UP, 0);
    case STOP_GIVEN_UP: break;
    }
    return STOP_WAIT;
}

uint64_t stop_plan_deadline(const table *t) {
    uint64_t next = 0;
    for (record *r = table_next(t, 0); r != NULL; r = table_after(t, r))
        if (!stop_plan_is_gone(r) && r->stage != STOP_NOT_YET)
            next = earlier_deadline(next, r->stop_at_ns);
    return next;
}
