/* What this program does when a test starts it again: the fake pmd, and children that misbehave in known
 * ways. */
#ifndef ROLES_H
#define ROLES_H

/* Gives the exit status. */
int play_role(const char *name, int argc, char **argv);

/* The role "probe": tries each argument and says how it ended, one line each (probe.c): "+DIR" makes a file,
 * "?PATH" looks for it, ">PATH" opens it for writing, "<PATH" reads it, "%DIR" moves a file in it, "@KEY"
 * finds a key, "#NUMBER" is a system call, other words have their own try. */
int play_probe(int argc, char **argv);

#endif
