#define _GNU_SOURCE
#include "tree_rules.h"
#include "lifecycle.h"
#include "reap.h"
#include "reexec.h"
#include "requests.h"
#include "snapshot.h"

#include <signal.h>
#include <string.h>

/* More than there are steps, and so children. */
#define IDS_MAX 128

static lineage *the_lineage;
static uint64_t aim;
static uint8_t told[IDS_MAX]; /* REPORT_*, by the child's id */
static bool doomed[IDS_MAX];
static uint32_t pmd_ends;

static const process *each(uint32_t *at) {
    while (*at < WORLD_MAX)
        if (the_world.processes[(*at)++].pid != 0)
            return &the_world.processes[*at - 1];
    return NULL;
}

/* Somebody's /proc/PID/stat may say that others are whose they are not. */
static bool has_liars(void) {
    uint32_t at = 0;
    for (const process *p; (p = each(&at)) != NULL;)
        if (p->is_wild)
            return true;
    return false;
}

void rules_begin(pm_init *i) {
    the_lineage = &i->lineage;
    memset(told, 0, sizeof told);
    pmd_ends = 0;
    rules_aim_at_all();
}

/* Whether it has got the number that was a dead child's before it was found out that nothing is left of that
 * child: too soon for any kernel, whose numbers are not as few as here. */
static bool has_number_of(const record *r, const process *p) {
    return r != NULL && record_is_unsettled(r) && (p->group == r->pid || p->session == r->pid);
}

/* Whether it, or a process from which it descends, has. */
static bool has_ancestor_with_number_of(const record *r, const process *p) {
    for (uint32_t depth = 0; depth < WORLD_MAX && p != NULL; depth++) {
        if (has_number_of(r, p))
            return true;
        p = world_find(&the_world, p->parent);
    }
    return false;
}

static bool is_aimed_at(const process *p) {
    return p->child == aim || p->cgroup == aim ||
           has_ancestor_with_number_of(table_find(&the_lineage->table, aim), p);
}

static bool is_doomed(const process *p) {
    if (doomed[p->child] || doomed[p->cgroup])
        return true;
    for (record *r = table_next(&the_lineage->table, 0); r != NULL; r = table_after(&the_lineage->table, r))
        if (doomed[r->id] && has_ancestor_with_number_of(r, p))
            return true;
    return false;
}

static bool is_ours(const process *p) {
    return p->is_ours;
}

static bool is_anybody(const process *p) {
    (void)p;
    return true;
}

static void start_walk(bool (*rule)(const process *p)) {
    the_world.is_changing = false;
    the_world.may_signal = has_liars() ? is_anybody : rule;
}

void rules_aim(uint64_t id) {
    aim = id;
    start_walk(is_aimed_at);
}

void rules_aim_at_doomed(void) {
    start_walk(is_doomed);
}

void rules_aim_at_all(void) {
    start_walk(is_ours);
}

/* Nobody of whom it is known that it is the child's lives on. */
static void expect_dead(uint64_t id, bool is_in_cgroup) {
    uint32_t at = 0;
    if (the_world.is_changing || has_liars())
        return;
    for (const process *p; (p = each(&at)) != NULL;)
        if (is_in_cgroup)
            require(!the_world.has_cgroup_kill || p->cgroup != id || !world_lives(p),
                    "a killed cgroup is empty");
        else
            require(p->child != id || p->cgroup != 0 || !world_is_told(p), "a killed tree is dead");
}

void rules_after_signal(const record *r, int signal, const pm_tree *counted) {
    const bool is_in_cgroup = r->cgroup[0] != '\0';
    uint32_t at = 0, living = 0;
    require(!r->is_doomed, "a tree that was signalled is not doomed");
    for (uint32_t i = 0; i < PM_TREE_PIDS; i++)
        require(counted->pids[i] == 0 || i < counted->survivors, "who is named survives");
    if (signal == SIGKILL)
        expect_dead(r->id, is_in_cgroup);
    if (signal == SIGKILL || the_world.is_changing || has_liars())
        return;
    for (const process *p; (p = each(&at)) != NULL;)
        living += is_in_cgroup ? world_lives(p) && p->cgroup == r->id : world_is_told(p) && p->child == r->id;
    require(counted->survivors >= living, "who says whose it is, is counted");
}

void rules_before_kill(void) {
    memset(doomed, 0, sizeof doomed);
    for (record *r = table_next(&the_lineage->table, 0); r != NULL; r = table_after(&the_lineage->table, r))
        doomed[r->id] = r->is_doomed;
}

void rules_after_kill(void) {
    for (record *r = table_next(&the_lineage->table, 0); r != NULL; r = table_after(&the_lineage->table, r)) {
        require(!r->is_doomed, "nobody is doomed after the kill");
        if (doomed[r->id])
            expect_dead(r->id, r->cgroup[0] != '\0');
    }
}

void rules_after_all(void) {
    uint32_t at = 0;
    if (the_world.is_changing || has_liars())
        return;
    for (const process *p; (p = each(&at)) != NULL;) {
        /* A helper of pmd's that says nothing of itself is found once pmd has ended. */
        const bool is_silent = p->child == 0 && !p->has_mark && (!p->has_environment || p->is_ending);
        require(!p->is_ours || !world_lives(p) || is_silent || p->pid == the_lineage->pmd_pid ||
                    discard_is_by(&the_lineage->closers, p->pid),
                "all that descends from pm-init is dead");
    }
}

void rules_after_all_that_tell(void) {
    uint32_t at = 0;
    if (the_world.is_changing || has_liars())
        return;
    for (const process *p; (p = each(&at)) != NULL;)
        require(!world_is_told(p), "what carries the marker is dead");
}

void rules_reap(pm_init *i) {
    const table *t = &i->lineage.table;
    struct {
        uint64_t id;
        int status;
    } ended[WORLD_MAX];
    uint32_t count = 0, at = 0, ends = pmd_ends;
    bool has_pmd_ended = false;
    for (const process *p; (p = each(&at)) != NULL;) {
        const record *r = table_find_running(t, p->pid);
        if (!p->is_zombie || p->parent != i->lineage.self.pid)
            continue;
        has_pmd_ended |= r == NULL && p->pid == i->lineage.pmd_pid;
        if (r != NULL) {
            ended[count].id = r->id;
            ended[count++].status = p->wait_status;
        }
    }
    rules_aim_at_all();
    while (reap_batch(i)) {
    }
    require(pmd_ends - ends == has_pmd_ended, "pmd's end is noticed once");
    while (count-- > 0) {
        const record *r = table_find(t, ended[count].id);
        require(r != NULL && record_is_reaped(r) && r->wait_status == ended[count].status,
                "a child that ended is known to have, and how");
    }
    for (at = 0; at < WORLD_MAX; at++)
        require(the_world.processes[at].pid == 0 || !the_world.processes[at].is_zombie ||
                    the_world.processes[at].parent != i->lineage.self.pid,
                "nobody is left to be reaped");
}

void rules_of_table(void) {
    const table *t = &the_lineage->table;
    uint32_t count = 0, unsettled = 0;
    for (record *r = table_next(t, 0); r != NULL; r = table_after(t, r)) {
        count++;
        unsettled += record_is_unsettled(r);
        require(r->pid > 0 && r->state <= CHILD_FORGOTTEN, "a child has a pid and a state");
        require(!record_is_reaped(r)     ? table_find_running(t, r->pid) == r
                : record_is_unsettled(r) ? table_find_dead(t, r->pid) != NULL
                                         : true,
                "a child is found by its pid");
    }
    require(count == t->count && unsettled == t->unsettled, "the table counts its records");
}

static void check_entry(const snapshot_entry *e) {
    const table *t = &the_lineage->table;
    const process *p = world_find(&the_world, e->process.pid);
    require(p != NULL && p->pid != the_lineage->self.pid && p->pid != the_lineage->pmd_pid,
            "who is seen is there");
    require(e->owner <= t->used, "an owner is a record");
    const record *owner = e->owner == OWNER_UNKNOWN ? NULL : &t->records[e->owner - 1];
    require(p->is_ours || !e->is_descendant, "a stranger is nobody's");
    require(owner == NULL || owner->id == p->child || has_ancestor_with_number_of(owner, p),
            "nobody is taken for another child's");
    const record *r = table_find(t, p->child);
    if (world_is_told(p))
        require(e->is_descendant && (r == NULL || owner == r), "whose it says that it is, it is");
}

/* Whose parent is somebody's, is somebody's; and so is an orphan of pm-init's. */
static void check_descent(const snapshot *s, const snapshot_entry *e) {
    const snapshot_entry *parent = snapshot_find(s, e->process.parent);
    require(e->is_descendant ||
                (e->process.parent != the_lineage->self.pid && (parent == NULL || !parent->is_descendant)),
            "who descends from pm-init is known to");
    require(!e->is_descendant || e->owner != OWNER_UNKNOWN || parent == NULL ||
                parent->owner == OWNER_UNKNOWN || world_find(&the_world, e->process.pid)->child == 0,
            "who descends from a child's belongs to that child");
}

void rules_of_snapshot(void) {
    const size_t script_size = the_world.script_size;
    snapshot s;
    the_world.script_size = 0;
    snapshot_take(the_lineage, &s);
    the_world.script_size = script_size;
    for (uint32_t i = 0; i < s.count; i++) {
        require(i == 0 || s.entries[i - 1].process.pid < s.entries[i].process.pid, "entries are in order");
        require(snapshot_find(&s, s.entries[i].process.pid) == &s.entries[i], "an entry is found");
        check_descent(&s, &s.entries[i]);
        if (!has_liars())
            check_entry(&s.entries[i]);
    }
    snapshot_end(&s);
}

void rules_at_the_end(void) {
    for (record *r = table_next(&the_lineage->table, 0); r != NULL; r = table_after(&the_lineage->table, r)) {
        if (!record_is_reaped(r)) { /* its end was not seen, for it was taken away */
            table_set_state(&the_lineage->table, r, CHILD_GONE);
            continue;
        }
        require(r->state == CHILD_FORGOTTEN ||
                    (!record_is_unsettled(r) && (told[r->id] & REPORT_EXITED) != 0),
                "pmd is told of each end");
    }
}

/* Whether somebody says that it is the child's, or is in its cgroup. */
static bool has_members(const record *r) {
    uint32_t at = 0;
    for (const process *p; (p = each(&at)) != NULL;)
        if (r->cgroup[0] != '\0' ? world_lives(p) && p->cgroup == r->id
                                 : world_is_told(p) && p->child == r->id)
            return true;
    return false;
}

/* In place of what is said to pmd, and of what pmd's and other ends lead to. */
void channel_report(channel *c, record *r, uint8_t report) {
    require(c->table == &the_lineage->table && record_is_reaped(r) && (told[r->id] & report) == 0,
            "an end is told once");
    require(report == REPORT_EXITED || (told[r->id] & REPORT_EXITED) != 0,
            "an end is told before what is left");
    told[r->id] |= report;
    if (r->state == CHILD_GONE && !the_world.is_changing && !has_liars())
        require(!has_members(r), "a tree that is told to be empty is");
}

void channel_unqueue(channel *c, record *r) {
    require(table_find(c->table, r->id) == r, "a record is forgotten once");
}

void requests_finish(pm_init *i) {
    require(pmd_pid(&i->pmd) != 0, "what pmd sent is read before its end");
}

void lifecycle_pmd_ended(pm_init *i, int wait_status) {
    (void)wait_status;
    pmd_ends++;
    i->lineage.pmd_pid = 0;
}

void reexec_tried(pm_init *i, int wait_status) {
    (void)i;
    (void)wait_status;
    fail("no program is tried");
}

bool executor_reaped(executor *x, record *r) {
    (void)x;
    (void)r;
    fail("no start is under way");
}
