#include "pm_tls.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

bool pm_tls_context_revoke(pm_tls_context *context, const char *lists, char *reason) {
    X509_STORE *store = SSL_CTX_get_cert_store(CONTEXT(context));

    ERR_clear_error();
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    if (!lookup || X509_load_crl_file(lookup, lists, X509_FILETYPE_PEM) < 1 ||
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) != 1) {
        take_reason(reason);
        return false;
    }
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

/* The peer's certificate, if it was found good; the session keeps it. */
static const X509 *known_certificate(const pm_tls_session *session) {
    return pm_tls_peer_is_known(session) ? SSL_get0_peer_certificate(session->ssl) : NULL;
}

bool pm_tls_peer_fingerprint(const pm_tls_session *session, uint8_t *fingerprint) {
    const X509 *certificate = known_certificate(session);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;

    if (!certificate || X509_digest(certificate, EVP_sha256(), digest, &length) != 1 ||
        length != PM_TLS_FINGERPRINT)
        return false;
    memcpy(fingerprint, digest, length);
    return true;
}

/* What names are written to. */
struct names {
    char *start;
    size_t size;
    size_t used;
};

/* Adds a name in whatever coding the certificate has it. */
static void add_name(struct names *names, const ASN1_STRING *text) {
    unsigned char *name = NULL;
    int length = text ? ASN1_STRING_to_UTF8(&name, text) : -1;
    bool is_plain = length > 0 && (size_t)length < names->size - names->used;

    for (int i = 0; is_plain && i < length; i++)
        is_plain = name[i] > 0x1f && name[i] != 0x7f;
    if (is_plain) {
        memcpy(names->start + names->used, name, (size_t)length);
        names->start[names->used + (size_t)length] = '\0';
        names->used += (size_t)length + 1;
    }
    OPENSSL_free(name);
}

static void add_subject(struct names *names, const X509 *certificate) {
    const X509_NAME *subject = X509_get_subject_name(certificate);

    for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;)
        add_name(names, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));
}

static void add_alternatives(struct names *names, const X509 *certificate) {
    GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        int kind = 0;
        const ASN1_STRING *text = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(all, i), &kind);

        if (kind == GEN_DNS || kind == GEN_URI || kind == GEN_EMAIL)
            add_name(names, text);
    }
    GENERAL_NAMES_free(all);
}

size_t pm_tls_peer_names(const pm_tls_session *session, char *names, size_t size) {
    struct names all = {.start = names, .size = size};
    const X509 *certificate = known_certificate(session);

    if (certificate) {
        add_subject(&all, certificate);
        add_alternatives(&all, certificate);
    }
    ERR_clear_error();
    return all.used;
}
