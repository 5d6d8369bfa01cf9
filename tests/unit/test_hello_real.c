/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ClientHellos that OpenSSL and GnuTLS send, and changed ones: whenever one of their servers takes
 * a hello for a name, that name must be what is read here, or the hello refused.
 */
#include <stdlib.h>
#include <strings.h>

#include "tap.h"
#include "tls_peers.h"

#define NAME   "www.real.example"
#define N_REAL 24

static struct packet real[N_REAL];
static unsigned n_real;

static void check_one(struct tap *t, const char *name, const char *says)
{
	struct packet *p = &real[n_real++];
	struct reading r = hello_read(p->bytes, p->len);
	unsigned bad = 0;
	size_t n;

	tap_ok(t, name ? names(r, name) : r.status == HG_HELLO_NO_NAME, "%s: %zu bytes, %u turns",
	       says, p->len, r.turns);
	for (n = 0; n < p->len; n++) {
		struct reading part = hello_read(p->bytes, n);

		bad += part.status != HG_HELLO_NEED || part.need <= n || part.need > p->len;
	}
	if (bad)
		tap_ok(t, false, "%s: %u of its parts want something wrong", says, bad);
}

static void test_openssl(struct tap *t, SSL_CTX *client, SSL_CTX *server)
{
	static const struct {
		struct client c;
		bool resume;
		const char *says;
	} all[] = {
		{{.name = NAME}, false, "OpenSSL"},
		{{.name = NULL}, false, "OpenSSL without a name"},
		{{.name = NAME, .max = TLS1_2_VERSION}, false, "OpenSSL, TLS 1.2"},
		{{.name = NULL, .max = TLS1_2_VERSION}, false, "OpenSSL, TLS 1.2 without a name"},
		{{.name = NAME, .min = TLS1_3_VERSION}, false, "OpenSSL, TLS 1.3"},
		{{.name = NAME, .fragment = 512}, false, "OpenSSL, records of 512 bytes"},
		{{.name = NAME, .fragment = 512, .protocols = 2048},
		 false,
		 "OpenSSL, records of 512 bytes and many protocols"},
		{{.name = NAME, .protocols = 8192}, false, "OpenSSL with many protocols"},
		{{.name = NAME, .max = TLS1_2_VERSION}, true, "OpenSSL, TLS 1.2 with a ticket"},
		{{.name = NAME, .min = TLS1_3_VERSION}, true, "OpenSSL, TLS 1.3 with a ticket"},
		{{.name = NAME, .min = TLS1_3_VERSION, .fragment = 512},
		 true,
		 "OpenSSL, TLS 1.3 with a ticket in records of 512 bytes"},
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct client c = all[i].c;

		if (all[i].resume)
			c.session = openssl_session(client, server, &c);
		openssl_says(client, &c, &real[n_real]);
		SSL_SESSION_free(c.session);
		check_one(t, c.name, all[i].says);
	}
}

static void test_gnutls(struct tap *t)
{
	gnutls_says(NAME, "NORMAL", &real[n_real]);
	check_one(t, NAME, "GnuTLS");
	gnutls_says(NULL, "NORMAL", &real[n_real]);
	check_one(t, NULL, "GnuTLS without a name");
	gnutls_says(NAME, "NORMAL:-VERS-TLS1.3", &real[n_real]);
	check_one(t, NAME, "GnuTLS, TLS 1.2");
	gnutls_says(NAME, "NORMAL:-VERS-ALL:+VERS-TLS1.3", &real[n_real]);
	check_one(t, NAME, "GnuTLS, TLS 1.3");
	gnutls_says(NAME, "SECURE256:%DUMBFW", &real[n_real]);
	check_one(t, NAME, "GnuTLS, padded");
}

/* Other than real ones: a hello with a second name somewhere. */
static void make_doubtful(void)
{
	struct packet e = {0}, message = {0};
	unsigned i;

	for (i = 0; i < 4; i++) {
		e.len = message.len = 0;
		put_extension(&e, 43, "\2\3\4", 3);
		put_extension(&e, 10, "\0\2\0\x1d", 4);
		if (i == 0)
			put_extension(&e, 0,
				      "\0\x16\0\0\x08"
				      "a.sample"
				      "\0\0\x08"
				      "b.sample",
				      24);
		if (i == 1)
			put_extension(&e, 0,
				      "\0\x16\0\0\x08"
				      "a.sample"
				      "\1\0\x08"
				      "b.sample",
				      24);
		if (i > 1)
			put_server_name(&e, "a.sample", 8);
		put_extension(&e, 13, "\0\4\4\3\x08\4", 6);
		if (i == 3)
			put_server_name(&e, "b.sample", 8);
		put_hello(&message, &e);
		put_records(&real[n_real++], message.bytes, message.len, 16384);
	}
}

struct tally {
	unsigned long heard, agreed, refused, wrong;
};

static void judge(struct tally *tally, const struct packet *p, const struct heard *heard)
{
	struct reading r = hello_read(p->bytes, p->len);
	bool wrong;

	if (!heard->asked)
		return;
	tally->heard++;
	if (r.status == HG_HELLO_NAME)
		wrong = !heard->named || strcasecmp(heard->name, r.name);
	else
		wrong = r.status == HG_HELLO_NEED || (r.status == HG_HELLO_NO_NAME && heard->named);
	tally->agreed += !wrong && r.status == HG_HELLO_NAME;
	tally->refused += !wrong && r.status != HG_HELLO_NAME;
	if (wrong && tally->wrong++ < 5)
		tap_note("the server hears %s, here status %d %s",
			 heard->named ? heard->name : "nobody", r.status, r.name);
}

static void cut(struct packet *p, size_t at, size_t n)
{
	memmove(p->bytes + at, p->bytes + at + n, p->len - at - n);
	p->len -= n;
}

static void insert(struct packet *p, size_t at, size_t n)
{
	memmove(p->bytes + at + n, p->bytes + at, p->len - at);
	p->len += n;
}

static size_t name_at(const struct packet *p)
{
	static const char *const names[] = {NAME, "a.sample"};
	const uint8_t *at = NULL;
	unsigned i;

	for (i = 0; i < 2 && !at; i++)
		at = memmem(p->bytes, p->len, names[i], strlen(names[i]));
	return at && at - p->bytes > 40 ? (size_t)(at - p->bytes) : 40;
}

static void change(struct packet *p, uint64_t *seed)
{
	static const uint8_t bytes[] = {0, 1, 2, 3, 8, 16, 20, 22, 0xff, '.', 'a', '0'};
	size_t name = name_at(p), at;
	struct packet whole;

	switch (tap_random(seed) % 3) {
	case 0:
		at = tap_random(seed) % p->len;
		break;
	case 1:
		at = tap_random(seed) % (p->len < 60 ? p->len : 60);
		break;
	default:
		at = (name - 10 + tap_random(seed) % 40) % p->len;
	}
	switch (tap_random(seed) % 8) {
	case 0:
		cut(p, at, tap_random(seed) % 3 ? 1 : tap_random(seed) % (p->len - at));
		break;
	case 1:
		insert(p, at, 1 + tap_random(seed) % 4);
		break;
	case 2:
		p->bytes[at] += (uint8_t)(tap_random(seed) % 7 - 3);
		break;
	case 3:
		p->bytes[at] = (uint8_t)tap_random(seed);
		break;
	case 4:
		/* In other records, which is no harm by itself. */
		whole = *p;
		p->len = 0;
		put_records(p, whole.bytes + 5, whole.len - 5, 1 + tap_random(seed) % 200);
		break;
	default:
		p->bytes[at] = bytes[tap_random(seed) % sizeof(bytes)];
	}
	/* Until a server looks at the rest, the outer lengths must fit. */
	if (tap_random(seed) % 2 && p->len > 16 && p->len < 16384) {
		p->bytes[3] = (uint8_t)((p->len - 5) >> 8);
		p->bytes[4] = (uint8_t)(p->len - 5);
		p->bytes[7] = (uint8_t)((p->len - 9) >> 8);
		p->bytes[8] = (uint8_t)(p->len - 9);
	}
}

static void report(struct tap *t, const struct tally *tally, unsigned long rounds,
		   const char *server)
{
	tap_ok(t, !tally->wrong && tally->agreed > rounds / 20 && tally->refused > rounds / 100,
	       "of %lu hellos that %s takes, %lu give its name here and %lu are refused or "
	       "nameless",
	       tally->heard, server, tally->agreed, tally->refused);
}

/*
 * A server of its own, which knows no tickets: of a session that TLS 1.2 resumes OpenSSL says the
 * name that the session was begun with, whatever the hello says. No reader of hellos sees that.
 */
static void test_servers(struct tap *t, unsigned long rounds)
{
	SSL_CTX *server = openssl_server();
	struct tally openssl = {0}, gnutls = {0};
	static struct packet p;
	uint64_t seed = 20261121;
	struct heard heard;
	unsigned long i;
	unsigned n;

	make_doubtful();
	SSL_CTX_set_options(server, SSL_OP_NO_TICKET);
	for (i = 0; i < rounds; i++) {
		p = real[i % n_real];
		/* The first time as they are. */
		for (n = i < n_real ? 0 : 1 + tap_random(&seed) % 3; n && p.len > 60; n--)
			change(&p, &seed);
		heard = openssl_hears(server, p.bytes, p.len);
		judge(&openssl, &p, &heard);
		heard = gnutls_hears(p.bytes, p.len);
		judge(&gnutls, &p, &heard);
	}
	report(t, &openssl, rounds, "OpenSSL");
	report(t, &gnutls, rounds, "GnuTLS");
	SSL_CTX_free(server);
}

/*
 * Not a wish but what is so, and why reading a connection's first payload is not all there is to
 * do: asked for another key share, a client may name another host (against RFC 8446 4.1.2).
 */
static void test_retry(struct tap *t, SSL_CTX *client)
{
	struct client c = {.name = NAME, .min = TLS1_3_VERSION};
	SSL_CTX *server = openssl_server();
	struct heard heard = {0};
	SSL *a, *b = SSL_new(server);
	unsigned i;

	SSL_CTX_set1_groups_list(client, "P-256:X25519");
	SSL_set1_groups_list(b, "X25519");
	a = openssl_client(client, &c);
	SSL_set_app_data(b, &heard);
	SSL_set_bio(b, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(b);
	for (i = 0; i < 4; i++) {
		SSL_do_handshake(a);
		carry(a, b);
		SSL_do_handshake(b);
		carry(b, a);
		SSL_set_tlsext_host_name(a, "second.example");
	}
	tap_ok(t, SSL_is_init_finished(b) && !strcmp(heard.name, "second.example"),
	       "OpenSSL's server follows the second name when it asked for a second hello");
	SSL_free(a);
	SSL_free(b);
	SSL_CTX_free(server);
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
	SSL_CTX *client = SSL_CTX_new(TLS_client_method()), *server = openssl_server();
	struct tap t = {0};

	test_openssl(&t, client, server);
	test_gnutls(&t);
	test_servers(&t, rounds);
	test_retry(&t, client);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	return tap_done(&t);
}
