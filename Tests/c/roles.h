/* What this program does when a test starts it again: the fake pmd, and children that misbehave in known
 * ways. */
#ifndef ROLES_H
#define ROLES_H

/* Gives the exit status. */
int play_role(const char *name, int argc, char **argv);

/* The role "probe": tries each argument and says how it ended, one line each (sandbox_tests.c). */
int play_probe(int argc, char **argv);

#endif
