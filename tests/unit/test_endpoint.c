/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Endpoints: their encoding, and prefixes and port ranges against plain arithmetic. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/ruleset.h"
#include "tap.h"

static struct hg_endpoint v4(const char *text, uint8_t proto, uint16_t port, bool peer)
{
	struct hg_endpoint ep = {0};
	uint8_t addr[4];

	inet_pton(AF_INET, text, addr);
	hg_endpoint_v4(&ep, addr, proto, port, peer);
	return ep;
}

static struct hg_endpoint v6(const char *text, uint8_t proto, uint16_t port, bool peer)
{
	struct hg_endpoint ep = {0};
	uint8_t addr[16];

	inet_pton(AF_INET6, text, addr);
	hg_endpoint_v6(&ep, addr, proto, port, peer);
	return ep;
}

static bool equal(struct hg_endpoint a, struct hg_endpoint b)
{
	return a.len == b.len && !memcmp(a.bytes, b.bytes, a.len);
}

static bool is(struct hg_endpoint ep, const void *bytes, uint32_t len)
{
	return ep.len == len && !memcmp(ep.bytes, bytes, len);
}

static void test_encoding(struct tap *t)
{
	static const uint8_t plain[] = {4, 192, 0, 2, 1, 6, 0x01, 0xbb};
	static const uint8_t ping[] = {4, 192, 0, 2, 1, 1, 0, 0};
	static const uint8_t long_one[] = {6, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0,	0, 0,
					   0, 0,    0,	  0,	0,    0, 1, 17, 0, 53};

	tap_ok(t, is(v4("192.0.2.1", HG_TCP, 443, true), plain, 8),
	       "v4: family, address, tcp, 443");
	tap_ok(t, is(v6("2001:db8::1", HG_UDP, 53, true), long_one, 20), "v6: twenty bytes");
	tap_ok(t, sizeof(long_one) == HG_ENDPOINT_MAX, "which is the most");
	tap_ok(t, is(v4("192.0.2.1", HG_ICMP, 0, true), ping, 8), "ICMP");
	tap_ok(t, v6("2001:db8::1", HG_ICMPV6, 0, true).bytes[17] == HG_ICMP, "ICMPv6 is ICMP");
	tap_ok(t,
	       equal(v6("::ffff:192.0.2.1", HG_TCP, 443, true), v4("192.0.2.1", HG_TCP, 443, true)),
	       "::ffff:a.b.c.d is a.b.c.d");
	tap_ok(t, equal(v6("::ffff:0.0.0.0", HG_TCP, 1, true), v4("127.0.0.1", HG_TCP, 1, true)),
	       "a peer ::ffff:0.0.0.0 is the loopback");
	tap_ok(t, equal(v4("0.0.0.0", HG_TCP, 1, true), v4("127.0.0.1", HG_TCP, 1, true)),
	       "a peer 0.0.0.0 is 127.0.0.1");
	tap_ok(t, !equal(v4("0.0.0.0", HG_TCP, 1, false), v4("127.0.0.1", HG_TCP, 1, false)),
	       "listening on 0.0.0.0 is not listening on 127.0.0.1");
	tap_ok(t, equal(v6("::", HG_TCP, 1, true), v6("::1", HG_TCP, 1, true)), "a peer :: is ::1");
	tap_ok(t, !equal(v6("::", HG_TCP, 1, false), v6("::1", HG_TCP, 1, false)),
	       "listening on :: is not listening on ::1");
	tap_ok(t,
	       v6("::fffe:192.0.2.1", HG_TCP, 1, true).bytes[0] == 6 &&
		       v6("::1:ffff:192.0.2.1", HG_TCP, 1, true).bytes[0] == 6 &&
		       v6("::192.0.2.1", HG_TCP, 1, true).bytes[0] == 6,
	       "no other v6 address is v4");
}

/* The number of an address, as far as its first 64 bits go: enough for prefixes up to 64. */
static uint64_t top64(const uint8_t *addr, unsigned len)
{
	uint64_t n = 0;
	unsigned i;

	for (i = 0; i < 8; i++)
		n = n << 8 | (i < len ? addr[i] : 0);
	return n;
}

static bool in_set(const struct ruleset_endpoint *set, const struct hg_endpoint *ep)
{
	unsigned len = ep->bytes[0] == 4 ? 4 : 16;
	uint64_t mask = set->prefix_len ? UINT64_MAX << (64 - set->prefix_len) : 0;
	uint8_t proto = ep->bytes[len + 1];
	unsigned port = ep->bytes[len + 2] * 256u + ep->bytes[len + 3];

	if (set->family && set->family != ep->bytes[0])
		return false;
	if (set->family && ((top64(set->address, len) ^ top64(ep->bytes + 1, len)) & mask))
		return false;
	return port >= set->port_low && port <= set->port_high &&
	       ((proto == HG_TCP && set->tcp) || (proto == HG_UDP && set->udp) ||
		(proto == HG_ICMP && set->icmp));
}

static const uint16_t ports[] = {0,    1,    22,    80,	   255,	  256,	 257,
				 443,  511,  512,   1023,  1024,  8000,	 8080,
				 8191, 8192, 32767, 65279, 65280, 65534, 65535};
#define N_PORTS (sizeof(ports) / sizeof(*ports))

static void random_address(uint64_t *seed, uint8_t *addr, unsigned len)
{
	unsigned i;

	/* Few values, so that prefixes meet. */
	for (i = 0; i < len; i++)
		addr[i] = tap_random(seed) % 3	 ? 10 * (tap_random(seed) % 2)
			  : tap_random(seed) % 2 ? 0xff
						 : tap_random(seed);
}

static struct ruleset_endpoint random_set(uint64_t *seed)
{
	struct ruleset_endpoint set = {.family = 4};
	unsigned i, kind = tap_random(seed) % 5;
	uint16_t a = ports[tap_random(seed) % N_PORTS], b = ports[tap_random(seed) % N_PORTS];

	set.port_low = a < b ? a : b;
	set.port_high = a < b ? b : a;
	if (tap_random(seed) % 3 == 0) {
		set.port_low = 0;
		set.port_high = 65535;
	}
	set.tcp = tap_random(seed) % 2;
	set.udp = !set.tcp || tap_random(seed) % 2;
	set.icmp = tap_random(seed) % 4 == 0;
	if (kind == 0) {
		set.family = 0;
		return set;
	}
	set.family = kind < 4 ? 4 : 6;
	random_address(seed, set.address, set.family == 4 ? 4 : 16);
	set.prefix_len = tap_random(seed) % (set.family == 4 ? 33 : 65);
	for (i = set.prefix_len; i < 128; i++)
		set.address[i / 8] &= ~(0x80 >> i % 8);
	return set;
}

static struct hg_endpoint random_endpoint(uint64_t *seed)
{
	static const uint8_t protos[] = {HG_TCP, HG_UDP, HG_ICMP, HG_ICMPV6, 132};
	uint16_t port = tap_random(seed) % 2 ? ports[tap_random(seed) % N_PORTS]
					     : (uint16_t)tap_random(seed);
	uint8_t proto = protos[tap_random(seed) % 5], addr[16];
	struct hg_endpoint ep = {0};
	bool peer = tap_random(seed) % 2;

	random_address(seed, addr, 16);
	if (tap_random(seed) % 3)
		hg_endpoint_v4(&ep, addr, proto, port, peer);
	else
		hg_endpoint_v6(&ep, addr, proto, port, peer);
	return ep;
}

#define MAX_SETS 24

struct rules {
	struct ruleset *rs;
	struct ruleset_endpoint sets[MAX_SETS];
	uint8_t actions[MAX_SETS];
	unsigned n;
};

static struct rules random_rules(uint64_t *seed)
{
	struct rules r = {.n = 1 + tap_random(seed) % MAX_SETS};
	uint16_t rule;
	unsigned i;

	ruleset_new(&r.rs);
	for (i = 0; i < r.n; i++) {
		r.sets[i] = random_set(seed);
		r.actions[i] = 1 + tap_random(seed) % 3;
		ruleset_add(r.rs, (enum hg_verdict)(tap_random(seed) % 3), 0, &rule);
		if (ruleset_endpoint(r.rs, rule, r.actions[i], &r.sets[i], NULL) < 0)
			r.actions[i] = 0;
	}
	return r;
}

static unsigned check(const struct rules *r, const struct image *im, const struct hg_endpoint *ep)
{
	uint16_t hits[MAX_SETS];
	struct hg_out out;
	unsigned bad = 0, a, i;
	size_t n;

	if (image_endpoint(im, ep, &out) < 0)
		return 1;
	for (a = 0; a < HG_N_EP_ACTIONS; a++) {
		uint16_t want = HG_RULE_NONE;

		for (i = 0; i < r->n; i++)
			if ((r->actions[i] & HG_BIT(a)) && in_set(&r->sets[i], ep))
				want = (uint16_t)i;
		n = ruleset_match_endpoint(r->rs, ep, a, hits, MAX_SETS);
		bad += out.rule[a] != want || (n ? hits[n - 1] : HG_RULE_NONE) != want;
	}
	return bad;
}

static void test_random(struct tap *t)
{
	unsigned bad = 0, allowed = 0, failed = 0, n, i;
	uint64_t seed = 21;

	for (n = 0; n < 150; n++) {
		struct rules r = random_rules(&seed);
		struct ruleset_error error = {0};
		struct image *im = NULL;

		if (ruleset_compile(r.rs, NULL, &im, &error) < 0) {
			tap_note("%s", error.message);
			failed++;
		}
		for (i = 0; im && i < 400; i++) {
			struct hg_endpoint ep = random_endpoint(&seed);
			struct hg_out out;

			bad += check(&r, im, &ep);
			image_endpoint(im, &ep, &out);
			allowed += out.allow != 0;
		}
		image_free(im);
		ruleset_free(r.rs);
	}
	tap_ok(t, !failed, "150 random sets of address rules compile");
	tap_ok(t, !bad && allowed > 1000, "each of 60,000 endpoints is decided as arithmetic says");
}

/* Every port, over ranges that begin and end at each kind of border. */
static void test_every_port(struct tap *t)
{
	unsigned bad = 0, i, k, port;

	for (i = 0; i < N_PORTS; i += 2)
		for (k = i; k < N_PORTS; k += 3) {
			struct ruleset_endpoint set = {.family = 0,
						       .port_low = ports[i],
						       .port_high = ports[k],
						       .tcp = true};
			struct ruleset *rs;
			struct image *im = NULL;
			uint16_t rule;

			ruleset_new(&rs);
			ruleset_add(rs, HG_ALLOW, 0, &rule);
			ruleset_endpoint(rs, rule, HG_BIT(HG_CONNECT), &set, NULL);
			ruleset_compile(rs, NULL, &im, NULL);
			for (port = 0; port < 65536; port++) {
				struct hg_endpoint ep = v4("192.0.2.1", HG_TCP, port, true);
				struct hg_out out = {0};

				image_endpoint(im, &ep, &out);
				bad += out.allow != (port >= ports[i] && port <= ports[k]);
			}
			image_free(im);
			ruleset_free(rs);
		}
	tap_ok(t, !bad, "each port of each range, no other");
}

static void test_refusals(struct tap *t)
{
	static const struct {
		struct ruleset_endpoint set;
		const char *says;
	} wrong[] = {
		{{.family = 5, .tcp = true}, "family"},
		{{.family = 4, .prefix_len = 33, .tcp = true}, "longer"},
		{{.family = 6, .prefix_len = 129, .tcp = true}, "longer"},
		{{.family = 0, .prefix_len = 1, .tcp = true}, "longer"},
		{{.family = 4, .address = {10, 0, 0, 1}, .prefix_len = 8, .tcp = true}, "beyond"},
		{{.family = 6, .address = {[10] = 0xff, 0xff, 10}, .prefix_len = 104, .tcp = true},
		 "IPv4"},
		{{.family = 4, .port_low = 2, .port_high = 1, .tcp = true}, "backwards"},
		{{.family = 4}, "protocol"},
	};
	struct ruleset *rs;
	uint16_t rule;
	size_t i;

	ruleset_new(&rs);
	ruleset_add(rs, HG_ALLOW, 0, &rule);
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct ruleset_error error = {0};
		int r = ruleset_endpoint(rs, rule, 1, &wrong[i].set, &error);

		tap_ok(t, r == -EINVAL && strstr(error.message, wrong[i].says), "refused: %s",
		       wrong[i].says);
	}
	tap_ok(t, ruleset_endpoint(rs, rule, 4, &wrong[0].set, NULL) == -EINVAL,
	       "refused: an unknown action");
	ruleset_free(rs);
}

int main(void)
{
	struct tap t = {0};

	test_encoding(&t);
	test_random(&t);
	test_every_port(&t);
	test_refusals(&t);
	return tap_done(&t);
}
