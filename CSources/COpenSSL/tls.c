#include "pm_tls.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

/* pm_tls_context is OpenSSL's own type under our name. */
#define CONTEXT(context) ((SSL_CTX *)(context))

struct pm_tls_session {
    SSL *ssl;
    BIO *from_peer; /* owned by ssl */
    BIO *to_peer;   /* owned by ssl */
    char reason[PM_TLS_REASON_MAX];
};

/* The first error of OpenSSL's queue, which is emptied: the last ones tell of what followed from it. */
static void take_reason(char *reason) {
    unsigned long error = ERR_get_error();
    const char *text = error ? ERR_reason_error_string(error) : NULL;

    if (text)
        snprintf(reason, PM_TLS_REASON_MAX, "%s", text);
    else if (error)
        ERR_error_string_n(error, reason, PM_TLS_REASON_MAX);
    else
        snprintf(reason, PM_TLS_REASON_MAX, "unknown error");
    ERR_clear_error();
}

static bool load_identity(SSL_CTX *context, const char *certificate, const char *key) {
    return SSL_CTX_use_certificate_chain_file(context, certificate) == 1 &&
           SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 &&
           SSL_CTX_check_private_key(context) == 1;
}

pm_tls_context *pm_tls_context_new(const char *certificate, const char *key, char *reason) {
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context) {
        SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF);
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
            load_identity(context, certificate, key))
            return (pm_tls_context *)context;
    }
    take_reason(reason);
    SSL_CTX_free(context);
    return NULL;
}

bool pm_tls_context_ask(pm_tls_context *context, const char *authorities, bool is_required, char *reason) {
    ERR_clear_error();
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(authorities);
    if (!names || SSL_CTX_load_verify_file(CONTEXT(context), authorities) != 1) {
        take_reason(reason);
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return false;
    }
    SSL_CTX_set_client_CA_list(CONTEXT(context), names);
    SSL_CTX_set_purpose(CONTEXT(context), X509_PURPOSE_SSL_CLIENT);
    SSL_CTX_set_verify(CONTEXT(context),
                       SSL_VERIFY_PEER | (is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
    return true;
}

void pm_tls_context_free(pm_tls_context *context) {
    SSL_CTX_free(CONTEXT(context));
}

pm_tls_session *pm_tls_session_new(pm_tls_context *context) {
    pm_tls_session *session = calloc(1, sizeof *session);

    if (!session)
        return NULL;
    session->ssl = SSL_new(CONTEXT(context));
    session->from_peer = BIO_new(BIO_s_mem());
    session->to_peer = BIO_new(BIO_s_mem());
    if (!session->ssl || !session->from_peer || !session->to_peer) {
        SSL_free(session->ssl);
        BIO_free(session->from_peer);
        BIO_free(session->to_peer);
        free(session);
        return NULL;
    }
    /* An empty buffer is no end of the connection: more may come. */
    BIO_set_mem_eof_return(session->from_peer, -1);
    SSL_set_bio(session->ssl, session->from_peer, session->to_peer);
    SSL_set_accept_state(session->ssl);
    return session;
}

void pm_tls_session_free(pm_tls_session *session) {
    SSL_free(session->ssl);
    free(session);
}

bool pm_tls_give(pm_tls_session *session, const void *bytes, size_t count) {
    size_t written = 0;

    return BIO_write_ex(session->from_peer, bytes, count, &written) == 1 && written == count;
}

size_t pm_tls_pending(pm_tls_session *session) {
    return BIO_ctrl_pending(session->to_peer);
}

size_t pm_tls_take(pm_tls_session *session, void *bytes, size_t count) {
    size_t taken = 0;

    return BIO_read_ex(session->to_peer, bytes, count, &taken) == 1 ? taken : 0;
}

/* What a call that did not succeed means. */
static pm_tls_outcome outcome(pm_tls_session *session, int result) {
    long verdict;

    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return PM_TLS_WANTS;
    case SSL_ERROR_ZERO_RETURN: return PM_TLS_CLOSED;
    default:
        verdict = SSL_get_verify_result(session->ssl);
        if (verdict != X509_V_OK) {
            snprintf(session->reason, sizeof session->reason, "%s", X509_verify_cert_error_string(verdict));
            ERR_clear_error();
        } else {
            take_reason(session->reason);
        }
        return PM_TLS_FAILED;
    }
}

pm_tls_outcome pm_tls_handshake(pm_tls_session *session) {
    ERR_clear_error();
    int result = SSL_do_handshake(session->ssl);

    return result == 1 ? PM_TLS_DONE : outcome(session, result);
}

pm_tls_outcome pm_tls_read(pm_tls_session *session, void *bytes, size_t count, size_t *got) {
    ERR_clear_error();
    int result = SSL_read_ex(session->ssl, bytes, count, got);

    return result == 1 ? PM_TLS_DONE : outcome(session, result);
}

pm_tls_outcome pm_tls_write(pm_tls_session *session, const void *bytes, size_t count) {
    size_t written = 0;

    ERR_clear_error();
    int result = SSL_write_ex(session->ssl, bytes, count, &written);

    return result == 1 ? PM_TLS_DONE : outcome(session, result);
}

void pm_tls_close(pm_tls_session *session) {
    /* Before the handshake is done there is nothing to say goodbye to. */
    if (SSL_is_init_finished(session->ssl))
        SSL_shutdown(session->ssl);
    ERR_clear_error();
}

const char *pm_tls_reason(const pm_tls_session *session) {
    return session->reason;
}

bool pm_tls_peer_is_known(const pm_tls_session *session) {
    return SSL_get0_peer_certificate(session->ssl) && SSL_get_verify_result(session->ssl) == X509_V_OK;
}

bool pm_tls_equal(const void *one, const void *other, size_t count) {
    return CRYPTO_memcmp(one, other, count) == 0;
}
