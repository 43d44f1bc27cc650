/*
 * The connection between pm-worker and the host of its pool (Sources/node/host/pool): frames on a unix stream
 * socket. A frame is the length of its payload (u32, little-endian), a type (one byte) and the payload.
 *
 * pm-worker says to the host:
 *
 * S: start, the first frame, once. Payload: strings that each end with a NUL: the process id of pm-worker,
 * the name of the service, the descriptors in pm-worker of the pipes to pmd ("-1" for none): the one that the
 * worker writes to and the one that it reads from, by which it opens them (/proc/PID/fd), the limit of its
 * heap in MiB (0: none), the heartbeat in milliseconds (0: none), the number of arguments, the arguments (the
 * program first), the environment.
 *
 * T: a signal for the worker. Payload: its number, one byte.
 *
 * C: pmd has closed the channel. No payload.
 *
 * The host says to pm-worker:
 *
 * R: the worker has opened its pipes, or never will. No payload.
 *
 * O, E: bytes for standard output and for standard error.
 *
 * X: the worker has ended, and nothing follows. Payload: its exit status, one byte.
 *
 * If pm-worker ends, the host ends the worker. If the host ends, pm-worker ends with EX_TEMPFAIL.
 */
#ifndef POOL_H
#define POOL_H

#include <stddef.h>
#include <stdint.h>

#define POOL_START 'S'
#define POOL_SIGNAL 'T'
#define POOL_CLOSED 'C'
#define POOL_RUNS 'R'
#define POOL_OUTPUT 'O'
#define POOL_ERRORS 'E'
#define POOL_EXIT 'X'
#define POOL_HEADER_SIZE 5u
/* Longest start frame, bytes: what execve(2) takes of arguments and environment is less. */
#define POOL_START_MAX (8u << 20)

/* The arguments and the environment of pm-worker. */
typedef struct {
    const char *socket;    /* path of the pool's socket */
    const char *name;      /* of the service */
    const char *heap_mib;  /* a decimal number */
    const char *heartbeat; /* milliseconds, a decimal number */
    char **arguments;      /* the program first, then NULL */
    char **environment;
} pool_order;

/*
 * Connects to the pool's socket, and waits for it at most 30 s; `signals` is readable when a signal has come,
 * which ends the wait. A blocking descriptor owned by the caller, or -errno; -EINTR after a signal.
 */
int pool_connect(const char *path, int signals);
/* Sends the start frame; `pipes` are the two descriptors for the worker, -1 for none. 0 or -errno; -E2BIG
 * when it is too long. */
int pool_send_start(int pool, const pool_order *order, const int pipes[2]);
/* Sends a signal. 0 or -errno. */
int pool_send_signal(int pool, int number);
/* Says that pmd has closed the channel. 0 or -errno. */
int pool_send_closed(int pool);

#endif
