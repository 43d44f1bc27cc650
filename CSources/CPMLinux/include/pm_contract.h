/*
 * Messages between pm-init, pmd and pm beside the control protocol: over the status pipe, in the lock file
 * and in the environment. Docs/Contracts.md lists all contracts between programs. Readers ignore unknown
 * messages.
 */
#ifndef PM_CONTRACT_H
#define PM_CONTRACT_H

/*
 * The status pipe: progress of a start, for the program that launched pm-init. The variable has the number of
 * the pipe's write end; pm-init inherits it from its launcher, and the first pmd from pm-init. A line for
 * each stage, "L", "S", or "E", a blank, an exit code of pm, a blank and a message whose line ends are unit
 * separators (0x1f). After "S" and "E" it is closed.
 */
#define PM_STATUS_VARIABLE "PM_STATUS_FD"
#define PM_STATUS_LOADED "L"
#define PM_STATUS_SERVING "S"
#define PM_STATUS_FAILED "E"

/*
 * The failure note: content of the lock file while pmd fails to start, a word and a number in each line:
 * starts in a row that failed, the wait status of the last, and the time of the next in seconds since 1970.
 * Empty while all is well.
 */
#define PM_NOTE_FAILURES "failures"
#define PM_NOTE_STATUS "status"
#define PM_NOTE_RETRY "retry"

/*
 * The marker: the first variable of everything that pm-init starts, "PM_MARKER=TOKEN-NUMBER", TOKEN the same
 * for all of one pm-init, NUMBER the child's. By it the processes of a service are found again.
 */
#define PM_MARKER_VARIABLE "PM_MARKER"

#endif
