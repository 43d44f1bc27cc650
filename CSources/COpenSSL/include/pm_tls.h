/*
 * TLS over memory: the engine that pm-gateway puts in front of its connections. It is OpenSSL's state machine
 * with two memory buffers; it never touches a socket. What came from the peer is given to it, and what is for
 * the peer is taken from it, by the caller.
 *
 * Threads: a context may be shared; a session belongs to one thread at a time.
 */
#ifndef PM_TLS_H
#define PM_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __clang__
#define PM_TLS_ENUM __attribute__((enum_extensibility(closed)))
#else
/* What these say is for Swift. */
#define PM_TLS_ENUM
#define _Nonnull
#define _Nullable
#endif

#define PM_TLS_REASON_MAX 256u
#define PM_TLS_FINGERPRINT 32u
#define PM_TLS_NAMES_MAX 8192u

/* What a server shows and asks for; opaque. */
typedef struct pm_tls_context pm_tls_context;
/* One connection; opaque. */
typedef struct pm_tls_session pm_tls_session;

/* How far a call came. */
typedef enum PM_TLS_ENUM {
    PM_TLS_DONE = 0,   /* it did what it was asked */
    PM_TLS_WANTS = 1,  /* more of the peer's bytes are needed first */
    PM_TLS_CLOSED = 2, /* the peer said that it sends no more */
    PM_TLS_FAILED =
        3, /* the session is of no more use; pm_tls_reason says why. An alert may wait to be taken. */
} pm_tls_outcome;

/*
 * Makes a server's context from PEM files: a certificate chain and its key. TLS 1.2 and later. Returns null
 * on failure, with the reason in `reason` (PM_TLS_REASON_MAX bytes, always terminated). The caller owns the
 * result: pm_tls_context_free.
 */
pm_tls_context *_Nullable pm_tls_context_new(const char *_Nonnull certificate, const char *_Nonnull key,
                                             char *_Nonnull reason);
/*
 * Asks clients for a certificate of one of the authorities in a PEM file; one that is shown must be good, and
 * with is_required there is no connection without one. False on failure, with the reason as above.
 */
bool pm_tls_context_ask(pm_tls_context *_Nonnull context, const char *_Nonnull authorities, bool is_required,
                        char *_Nonnull reason);
/*
 * Refuses certificates that the lists in a PEM file revoke. There must be a list of each authority that
 * issued one, and no list may be out of date: otherwise the certificate is refused as well. False on failure,
 * with the reason as above.
 */
bool pm_tls_context_revoke(pm_tls_context *_Nonnull context, const char *_Nonnull lists,
                           char *_Nonnull reason);
/* Sessions that were made from it may live on. */
void pm_tls_context_free(pm_tls_context *_Nonnull context);

/* A server's session, or null without memory. The caller owns it: pm_tls_session_free. */
pm_tls_session *_Nullable pm_tls_session_new(pm_tls_context *_Nonnull context);
void pm_tls_session_free(pm_tls_session *_Nonnull session);

/* Gives it bytes of the peer; false without memory. They are copied. */
bool pm_tls_give(pm_tls_session *_Nonnull session, const void *_Nonnull bytes, size_t count);
/* How many bytes wait for the peer. */
size_t pm_tls_pending(pm_tls_session *_Nonnull session);
/* Takes up to count bytes for the peer; returns how many. */
size_t pm_tls_take(pm_tls_session *_Nonnull session, void *_Nonnull bytes, size_t count);

/* Goes on with the handshake. */
pm_tls_outcome pm_tls_handshake(pm_tls_session *_Nonnull session);
/* Reads up to count bytes of what the peer said; *got is set with PM_TLS_DONE. */
pm_tls_outcome pm_tls_read(pm_tls_session *_Nonnull session, void *_Nonnull bytes, size_t count,
                           size_t *_Nonnull got);
/* Says all of it to the peer. count must not be 0. */
pm_tls_outcome pm_tls_write(pm_tls_session *_Nonnull session, const void *_Nonnull bytes, size_t count);
/* Says that nothing more comes (close_notify). */
void pm_tls_close(pm_tls_session *_Nonnull session);

/* Why the last call failed: lives as long as the session and changes with its next call. */
const char *_Nonnull pm_tls_reason(const pm_tls_session *_Nonnull session);
/* Whether the peer showed a certificate that was found good. */
bool pm_tls_peer_is_known(const pm_tls_session *_Nonnull session);
/* SHA-256 of the DER form of that certificate, PM_TLS_FINGERPRINT bytes; false when there is none. */
bool pm_tls_peer_fingerprint(const pm_tls_session *_Nonnull session, uint8_t *_Nonnull fingerprint);
/*
 * Writes the names in that certificate into `names`: the common names of its subject, and the DNS names, URIs
 * and e-mail addresses of its subjectAltName (RFC 5280, 4.2.1.6), as UTF-8, each with a zero byte behind it.
 * Names that do not fit or hold a control character are left out. Returns how many bytes were written.
 */
size_t pm_tls_peer_names(const pm_tls_session *_Nonnull session, char *_Nonnull names, size_t size);

#endif
