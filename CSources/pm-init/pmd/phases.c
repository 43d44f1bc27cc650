#include "phases.h"

static phase after_serving(phase_event event, bool has_pmd) {
    switch (event) {
    case EVENT_STOP_SIGNAL: return has_pmd ? PHASE_STOP_ASKED : PHASE_STOPPING;
    case EVENT_PMD_STOPPED:
    case EVENT_NO_PMD: return PHASE_ENDING;
    case EVENT_PMD_ENDED: /* another one is started */
    case EVENT_DEADLINE:
    case EVENT_ALL_STOPPED:
    case EVENT_ALL_GONE: break;
    }
    return PHASE_SERVING;
}

static phase after_stop_asked(phase_event event) {
    switch (event) {
    case EVENT_STOP_SIGNAL:
    case EVENT_PMD_ENDED:
    case EVENT_DEADLINE: return PHASE_STOPPING;
    case EVENT_PMD_STOPPED:
    case EVENT_NO_PMD: return PHASE_ENDING;
    case EVENT_ALL_STOPPED:
    case EVENT_ALL_GONE: break;
    }
    return PHASE_STOP_ASKED;
}

static phase after_stopping(phase_event event) {
    switch (event) {
    case EVENT_STOP_SIGNAL:
    case EVENT_ALL_STOPPED: return PHASE_ENDING;
    case EVENT_PMD_STOPPED:
    case EVENT_PMD_ENDED:
    case EVENT_NO_PMD:
    case EVENT_DEADLINE:
    case EVENT_ALL_GONE: break;
    }
    return PHASE_STOPPING;
}

phase phase_after(phase now, phase_event event, bool has_pmd) {
    switch (now) {
    case PHASE_SERVING: return after_serving(event, has_pmd);
    case PHASE_STOP_ASKED: return after_stop_asked(event);
    case PHASE_STOPPING: return after_stopping(event);
    case PHASE_ENDING: return event == EVENT_ALL_GONE || event == EVENT_DEADLINE ? PHASE_DONE : PHASE_ENDING;
    case PHASE_DONE: break;
    }
    return PHASE_DONE;
}
