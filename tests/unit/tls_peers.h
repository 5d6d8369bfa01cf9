/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * OpenSSL and GnuTLS without a network: what their clients send first, and whom their servers take
 * a first payload to be for.
 */
#ifndef HG_TLS_PEERS_H
#define HG_TLS_PEERS_H

#include <errno.h>
#include <gnutls/gnutls.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "hello_read.h"

/* What a server made of the bytes: nothing, a hello that names nobody, a name. */
struct heard {
	bool asked, named;
	char name[1024];
};

struct client {
	const char *name;
	int min, max;	  /* TLS1_2_VERSION and so on, 0: as the library likes */
	long fragment;	  /* SSL_set_max_send_fragment, 0: none */
	size_t protocols; /* bytes of ALPN protocols */
	SSL_SESSION *session;
};

static inline void heard_name(struct heard *heard, const char *name, size_t len)
{
	heard->asked = true;
	if (!name || len >= sizeof(heard->name))
		return;
	heard->named = true;
	memcpy(heard->name, name, len);
	heard->name[len] = 0;
}

static inline SSL *openssl_client(SSL_CTX *ctx, const struct client *c)
{
	uint8_t protocols[8192];
	SSL *ssl = SSL_new(ctx);
	size_t i;

	for (i = 0; i < sizeof(protocols); i++)
		protocols[i] = i % 64 ? 'p' : 63;
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(ssl);
	if (c->name)
		SSL_set_tlsext_host_name(ssl, c->name);
	SSL_set_min_proto_version(ssl, c->min);
	SSL_set_max_proto_version(ssl, c->max);
	if (c->fragment)
		SSL_set_max_send_fragment(ssl, c->fragment);
	if (c->protocols)
		SSL_set_alpn_protos(ssl, protocols, (unsigned)c->protocols);
	if (c->session)
		SSL_set_session(ssl, c->session);
	return ssl;
}

static inline void openssl_says(SSL_CTX *ctx, const struct client *c, struct packet *ret)
{
	SSL *ssl = openssl_client(ctx, c);

	SSL_do_handshake(ssl);
	ret->len = (size_t)BIO_read(SSL_get_wbio(ssl), ret->bytes, sizeof(ret->bytes));
	SSL_free(ssl);
}

static inline int openssl_heard(SSL *ssl, int *alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	if (SSL_get_app_data(ssl))
		heard_name(SSL_get_app_data(ssl), name, name ? strlen(name) : 0);
	return SSL_TLSEXT_ERR_OK;
}

static inline SSL_CTX *openssl_server(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	X509 *cert = X509_new();

	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_sign(cert, key, EVP_sha256());
	SSL_CTX_use_certificate(ctx, cert);
	SSL_CTX_use_PrivateKey(ctx, key);
	SSL_CTX_set_tlsext_servername_callback(ctx, openssl_heard);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

static inline struct heard openssl_hears(SSL_CTX *ctx, const void *bytes, size_t len)
{
	struct heard heard = {0};
	SSL *ssl = SSL_new(ctx);

	SSL_set_app_data(ssl, &heard);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	BIO_write(SSL_get_rbio(ssl), bytes, (int)len);
	SSL_accept(ssl);
	SSL_free(ssl);
	return heard;
}

static inline void carry(SSL *from, SSL *to)
{
	char bytes[16384];
	int n;

	while ((n = BIO_read(SSL_get_wbio(from), bytes, sizeof(bytes))) > 0)
		BIO_write(SSL_get_rbio(to), bytes, n);
}

/* A session to be resumed: from a handshake of the two with each other. */
static inline SSL_SESSION *openssl_session(SSL_CTX *client, SSL_CTX *server, const struct client *c)
{
	SSL *a = openssl_client(client, c), *b = SSL_new(server);
	SSL_SESSION *session;
	char byte;
	int i;

	SSL_set_bio(b, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(b);
	for (i = 0; i < 4; i++) {
		SSL_do_handshake(a);
		carry(a, b);
		SSL_do_handshake(b);
		carry(b, a);
	}
	/* TLS 1.3's tickets come behind the handshake. */
	SSL_read(a, &byte, 1);
	session = SSL_get1_session(a);
	SSL_shutdown(a);
	SSL_free(a);
	SSL_free(b);
	return session;
}

struct pipe {
	const uint8_t *bytes;
	size_t left;
	struct packet *sent;
	gnutls_session_t session;
};

static inline ssize_t pipe_push(gnutls_transport_ptr_t pipe, const void *bytes, size_t len)
{
	struct packet *sent = ((struct pipe *)pipe)->sent;

	if (sent)
		put(sent, bytes, len);
	return (ssize_t)len;
}

static inline ssize_t pipe_pull(gnutls_transport_ptr_t pipe, void *to, size_t len)
{
	struct pipe *p = pipe;

	if (!p->left) {
		gnutls_transport_set_errno(p->session, EAGAIN);
		return -1;
	}
	len = len < p->left ? len : p->left;
	memcpy(to, p->bytes, len);
	p->bytes += len;
	p->left -= len;
	return (ssize_t)len;
}

static inline int pipe_wait(gnutls_transport_ptr_t pipe, unsigned ms)
{
	return ((struct pipe *)pipe)->left != 0;
}

static inline void pipe_open(struct pipe *pipe, unsigned flags, const char *priority)
{
	gnutls_init(&pipe->session, flags | GNUTLS_NONBLOCK);
	gnutls_priority_set_direct(pipe->session, priority, NULL);
	gnutls_transport_set_ptr(pipe->session, pipe);
	gnutls_transport_set_push_function(pipe->session, pipe_push);
	gnutls_transport_set_pull_function(pipe->session, pipe_pull);
	gnutls_transport_set_pull_timeout_function(pipe->session, pipe_wait);
}

static inline void gnutls_says(const char *name, const char *priority, struct packet *ret)
{
	struct pipe pipe = {.sent = ret};
	gnutls_certificate_credentials_t cred;

	ret->len = 0;
	gnutls_certificate_allocate_credentials(&cred);
	pipe_open(&pipe, GNUTLS_CLIENT, priority);
	gnutls_credentials_set(pipe.session, GNUTLS_CRD_CERTIFICATE, cred);
	if (name)
		gnutls_server_name_set(pipe.session, GNUTLS_NAME_DNS, name, strlen(name));
	gnutls_handshake(pipe.session);
	gnutls_deinit(pipe.session);
	gnutls_certificate_free_credentials(cred);
}

static inline int gnutls_heard(gnutls_session_t session)
{
	struct heard *heard = gnutls_session_get_ptr(session);
	char name[sizeof(heard->name)];
	size_t len = sizeof(name);
	unsigned type;

	if (gnutls_server_name_get(session, name, &len, &type, 0) < 0)
		heard_name(heard, NULL, 0);
	else
		heard_name(heard, name, strnlen(name, len));
	/* More is not wanted. */
	return GNUTLS_E_NO_CIPHER_SUITES;
}

static inline struct heard gnutls_hears(const void *bytes, size_t len)
{
	struct pipe pipe = {.bytes = bytes, .left = len};
	struct heard heard = {0};

	pipe_open(&pipe, GNUTLS_SERVER, "NORMAL");
	gnutls_session_set_ptr(pipe.session, &heard);
	gnutls_handshake_set_post_client_hello_function(pipe.session, gnutls_heard);
	gnutls_handshake(pipe.session);
	gnutls_deinit(pipe.session);
	return heard;
}

#endif
