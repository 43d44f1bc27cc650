/* The states of a child and of the channel, and what is reported from them. */
#define _GNU_SOURCE
#include "harness.h"
#include "log.h"
#include "pm_init.h"
#include "pm_packet.h"
#include "pm_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A number that no process has. */
#define NOBODY 0x3ffffff0

static pm_init init;
/* pmd's end of the channel. */
static int pmd_end_fd;

static void open_in(channel_state state) {
    int ours;
    pm_init_begin(&init);
    CHECK_EQUAL(pm_init_connect(&init), 0);
    CHECK_EQUAL(table_init(&init.lineage.table, 100), 0);
    CHECK_EQUAL(pm_socket_pair(PM_SOCKET_SEQPACKET, &ours, &pmd_end_fd), 0);
    CHECK_EQUAL(channel_open(&init.channel, ours), 0);
    init.channel.state = state;
}

static void end(void) {
    channel_close(&init.channel);
    close(init.epoll);
    close(pmd_end_fd);
}

static record *child(uint64_t id, child_state state) {
    record *r;
    CHECK_EQUAL(table_add(&init.lineage.table, id, &r), 0);
    table_set_pid(&init.lineage.table, r, NOBODY);
    table_set_state(&init.lineage.table, r, state);
    return r;
}

static void a_death_that_a_search_settles_is_told(void) {
    open_in(CHANNEL_ATTACHED);
    record *r = child(1, CHILD_DEAD);
    orphans_settle(&init.orphans, r);
    CHECK_EQUAL(r->state, CHILD_GONE);
    CHECK_EQUAL(r->reports, REPORT_EXITED);
    CHECK_EQUAL(init.lineage.table.unsettled, 0);
    end();
}

static void leftovers_that_a_search_settles_are_told_to_be_gone(void) {
    open_in(CHANNEL_ATTACHED);
    record *r = child(1, CHILD_LEFT);
    orphans_settle(&init.orphans, r);
    CHECK_EQUAL(r->state, CHILD_GONE);
    CHECK_EQUAL(r->reports, REPORT_TREE_EMPTY);
    end();
}

static void the_table_counts_who_is_unsettled(void) {
    open_in(CHANNEL_ATTACHED);
    table *t = &init.lineage.table;
    record *r = child(1, CHILD_RUNNING);
    CHECK_EQUAL(t->unsettled, 0);
    table_set_state(t, r, CHILD_DEAD);
    table_set_state(t, r, CHILD_LEFT);
    CHECK_EQUAL(t->unsettled, 1);
    CHECK(table_find_dead(t, NOBODY) == r && table_find_running(t, NOBODY) == NULL);
    table_set_state(t, r, CHILD_FORGOTTEN);
    CHECK_EQUAL(t->unsettled, 0);
    CHECK(table_find(t, 1) == NULL && table_find_dead(t, NOBODY) == NULL);
    end();
}

static void an_id_is_refused_with_its_reason(void) {
    open_in(CHANNEL_ATTACHED);
    table *t = &init.lineage.table;
    record *r;
    child(1, CHILD_RUNNING);
    CHECK_EQUAL(table_add(t, 0, &r), -EINVAL);
    CHECK_EQUAL(table_add(t, 1, &r), -EEXIST);
    t->limit = 1;
    CHECK_EQUAL(table_add(t, 2, &r), -ENFILE);
    end();
}

static void a_broken_channel_remembers_whether_it_was_attached(void) {
    open_in(CHANNEL_ATTACHED);
    channel_break(&init.channel, -EMSGSIZE);
    CHECK_EQUAL(init.channel.state, CHANNEL_DRAINING);
    CHECK_EQUAL(init.channel.broken_by, -EMSGSIZE);
    CHECK(channel_has_attached(&init.channel) && !channel_is_quiet(&init.channel));
    channel_break(&init.channel, -EPIPE); /* the first reason stays */
    CHECK_EQUAL(init.channel.broken_by, -EMSGSIZE);
    channel_close(&init.channel);
    CHECK_EQUAL(init.channel.state, CHANNEL_CLOSED);
    end();

    open_in(CHANNEL_HANDING_OVER);
    channel_break(&init.channel, 0);
    CHECK_EQUAL(init.channel.state, CHANNEL_LOST);
    CHECK(!channel_has_attached(&init.channel));
    end();
}

static void reports_wait_for_pmd_in_their_order(void) {
    open_in(CHANNEL_OPEN);
    record *first = child(1, CHILD_GONE), *second = child(2, CHILD_GONE);
    channel_report(&init.channel, first, REPORT_EXITED);
    CHECK_EQUAL(first->reports, 0); /* whoever comes is told by ADOPT */
    init.channel.state = CHANNEL_ATTACHED;
    channel_report(&init.channel, second, REPORT_EXITED);
    channel_report(&init.channel, first, REPORT_EXITED);
    channel_report(&init.channel, second, REPORT_TREE_EMPTY);
    CHECK(!channel_is_quiet(&init.channel));
    channel_pump(&init.channel);
    CHECK(channel_is_quiet(&init.channel) && first->reports == 0 && second->reports == 0);
    for (uint64_t id = 2; id > 0; id--) {
        pm_message got[16];
        size_t count;
        int fds[1];
        CHECK(pm_packet_receive(pmd_end_fd, &(pm_packet_space){got, sizeof got, fds, 1}, &count) > 0);
        CHECK_EQUAL(got->type, PM_EXITED);
        CHECK_EQUAL(got->id, id);
    }
    end();
}

static void a_record_leaves_the_list_of_reports(void) {
    open_in(CHANNEL_ATTACHED);
    record *r[3];
    for (int i = 0; i < 3; i++) {
        r[i] = child((uint64_t)i + 1, CHILD_GONE);
        channel_report(&init.channel, r[i], REPORT_EXITED);
    }
    channel_unqueue(&init.channel, r[1]);
    channel_unqueue(&init.channel, r[1]);
    channel_unqueue(&init.channel, r[2]);
    CHECK_EQUAL(init.channel.first_report, init.channel.last_report);
    channel_unqueue(&init.channel, r[0]);
    CHECK(channel_is_quiet(&init.channel));
    end();
}

static void the_log_has_the_time_of_pmds(void) {
    static const struct {
        uint64_t seconds;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000000Z"},          {951782400, "2000-02-29T00:00:00.000000Z"},
        {951868799, "2000-02-29T23:59:59.000000Z"},  {1735689599, "2024-12-31T23:59:59.000000Z"},
        {4107542400, "2100-03-01T00:00:00.000000Z"}, {16725225600, "2500-01-01T00:00:00.000000Z"},
    };
    char buffer[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        text line = text_in(buffer, sizeof buffer);
        log_add_time(&line, cases[i].seconds * 1000000000u);
        CHECK_TEXT(buffer, cases[i].text);
    }
    text line = text_in(buffer, sizeof buffer);
    log_add_time(&line, 1795395723456789999u);
    CHECK_TEXT(buffer, "2026-11-23T01:02:03.456789Z");
}

const test state_tests[] = {
    {"states: a death that a search settles is told", a_death_that_a_search_settles_is_told},
    {"states: leftovers that a search settles are told to be gone",
     leftovers_that_a_search_settles_are_told_to_be_gone},
    {"states: the table counts who is unsettled", the_table_counts_who_is_unsettled},
    {"states: an id is refused with its reason", an_id_is_refused_with_its_reason},
    {"states: a broken channel remembers whether it was attached",
     a_broken_channel_remembers_whether_it_was_attached},
    {"states: reports wait for pmd in their order", reports_wait_for_pmd_in_their_order},
    {"states: a record leaves the list of reports", a_record_leaves_the_list_of_reports},
    {"log: its times are pmd's", the_log_has_the_time_of_pmds},
    {NULL, NULL},
};
