#define _GNU_SOURCE
#include "resume.h"
#include "cpmlinux.h"
#include "image.h"
#include "reap.h"

#include <sys/prctl.h>

int resume_state(pm_init *i) {
    /* It was executed by a descriptor, whose number would be its name. */
    prctl(PR_SET_NAME, "pm-init");
    int result = image_read(i, i->options.image_fd);
    image_set_cloexec(i, true);
    pm_fd_close(i->options.image_fd);
    pm_fd_close(i->reexec.program);
    i->reexec.program = -1;
    return result;
}

/* What the program before had watched, and what died while nobody looked. */
static void look_after_children(pm_init *i) {
    const table *t = &i->lineage.table;
    for (record *r = table_next(t, 0); r != NULL; r = table_after(t, r)) {
        executor_resume(&i->executor, r); /* without it the child's end still tells */
        if (r->state == CHILD_FORGOTTEN)
            orphans_forget(&i->orphans, r);
    }
    i->has_more_to_reap = reap_batch(i);
    orphans_judge(&i->orphans);
}

int resume_service(pm_init *i) {
    const int epoll = i->watch.epoll, page = i->watch.page;
    const bool is_understood = i->channel.state == CHANNEL_ATTACHED;
    i->watch.epoll = i->watch.page = -1;
    int result = channel_reopen(&i->channel, i->channel.fd);
    if (result < 0)
        return result;
    if (epoll >= 0)
        watch_begin(&i->watch, epoll, page);
    if (is_understood) {
        channel_reply(&i->channel, &(outgoing){PM_REEXECED, 0, "", 0});
    } else {
        channel_close(&i->channel);
        pmd_expect_end(&i->pmd);
    }
    look_after_children(i);
    return 0;
}
