/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From the kernel side's records to events: names, places, cut paths, and records that are none. */
#include <string.h>

#include "../../user/decode.h"
#include "../../user/util.h"
#include "tap.h"

#define RECORD_MAX 1024

struct record {
	union {
		struct hg_event e;
		char bytes[RECORD_MAX];
	};
	size_t size;
};

static void append(struct record *r, const char *text)
{
	memcpy(r->bytes + r->size, text, strlen(text));
	r->size += strlen(text);
}

/* A denied read of <place>path by <place 16>/usr/bin/cat. */
static void record_path(struct record *r, uint32_t place, const char *path)
{
	*r = (struct record){.size = sizeof(r->e)};
	r->e.time = 5000000000;
	r->e.agent_uid = 0xabc;
	r->e.generation = 2;
	r->e.rule = 1;
	r->e.what = HG_WHAT_PATH;
	r->e.actions = HG_BIT(HG_READ) | HG_BIT(HG_MODIFY);
	r->e.why = HG_WHY_RULE;
	r->e.pid = 812;
	r->e.tid = 813;
	r->e.ppid = 1;
	r->e.uid = 1000;
	r->e.start = 4000;
	memcpy(r->e.comm, "cat", 3);
	r->e.ancestors[0].pid = 1;
	memcpy(r->e.ancestors[0].comm, "sixteen-bytes-ab", 16);
	r->e.place = place;
	r->e.path_len = strlen(path);
	append(r, path);
	r->e.exe_place = 16;
	r->e.exe_len = strlen("/usr/bin/cat");
	append(r, "/usr/bin/cat");
}

static struct rule_record rules[] = {
	{.file = (char *)"p.yaml", .text = (char *)"allow read /**", .line = 3},
	{.file = (char *)"p.yaml", .text = (char *)"deny all **/.ssh/**", .line = 4},
};
static const struct generation_record generation = {
	.generation = 2,
	.policy_name = (char *)"strict",
	.rules = rules,
	.n_rules = 2,
};

static struct decoder decoder = {.boot = "boot-id", .cgroup_fd = -1, .since_1970 = 1000};

static void decode(const struct record *r, struct event *ev)
{
	struct decode_agent agent = {"demo", &generation};

	event_decode(&decoder, &agent, &r->e, ev);
}

static bool is(const struct event *ev, enum event_key key, const char *want)
{
	if (event_has(ev, key) && !strcmp(event_text(ev, key), want))
		return true;
	tap_note("%s is \"%s\", not \"%s\"", event_fields[key].name, event_text(ev, key), want);
	return false;
}

static void test_path(struct tap *t)
{
	_event_ struct event ev = {};
	struct record r;

	record_path(&r, 17, "/u/.ssh/id_rsa");
	tap_ok(t, event_record_ok(&r, r.size), "a record");
	decode(&r, &ev);
	tap_ok(t, event_number(&ev, EV_TIME) == 5000001000, "time is since 1970");
	tap_ok(t,
	       is(&ev, EV_EVENT, "file.access") && is(&ev, EV_VERDICT, "denied") &&
		       is(&ev, EV_ACTION, "read,modify") && is(&ev, EV_REASON, "rule"),
	       "what and why");
	tap_ok(t,
	       is(&ev, EV_RULE, "deny all **/.ssh/**") && is(&ev, EV_RULE_AT, "p.yaml:4") &&
		       is(&ev, EV_POLICY, "strict"),
	       "the rule");
	tap_ok(t, is(&ev, EV_PATH, "/home/u/.ssh/id_rsa") && is(&ev, EV_EXE, "/usr/bin/cat"),
	       "paths below places");
	tap_ok(t,
	       is(&ev, EV_EXEC_ID, "boot-id:812:4000") && is(&ev, EV_COMMAND, "cat") &&
		       is(&ev, EV_USER, "1000") && is(&ev, EV_ANCESTRY, "sixteen-bytes-ab[1]"),
	       "the process");
	tap_ok(t, is(&ev, EV_UID, "0000000000000abc") && is(&ev, EV_AGENT, "demo"), "the agent");
}

static void test_places(struct tap *t)
{
	static const struct {
		uint32_t place;
		const char *path, *want;
	} cases[] = {
		{16, "", "/"},
		{16, "/etc", "/etc"},
		{17, "", "/home"},
		{HG_HOME_PROC, "/1/environ", "/proc/1/environ"},
		{HG_HOME_BPF, "", "/sys/fs/bpf"},
		{0, "/a/b", "/a/b"},
		{99, "/a", "/a"},
		{0, "", "/"},
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		_event_ struct event ev = {};
		struct record r;

		record_path(&r, cases[i].place, cases[i].path);
		decode(&r, &ev);
		tap_ok(t,
		       is(&ev, EV_PATH, cases[i].want) &&
			       event_has(&ev, EV_UNPLACED) == !cases[i].place,
		       "place %u and \"%s\"", cases[i].place, cases[i].path);
	}
}

/* A socket's abstract name is bytes, NUL too; what has none is a path. */
static void test_sockets(struct tap *t)
{
	_event_ struct event ev = {}, path = {};
	struct record r;

	record_path(&r, 17, "/u/x.sock");
	r.e.what = HG_WHAT_UNIX;
	decode(&r, &path);
	tap_ok(t,
	       is(&path, EV_EVENT, "unix.connect") && is(&path, EV_ACTION, "unix") &&
		       is(&path, EV_PATH, "/home/u/x.sock") && is(&path, EV_TRANSPORT, "unix"),
	       "a socket with a path");
	record_path(&r, 0, "n!me");
	((char *)(&r.e + 1))[1] = 0;
	r.e.what = HG_WHAT_UNIX_LISTEN;
	r.e.flags = HG_EVENT_ABSTRACT;
	decode(&r, &ev);
	tap_ok(t,
	       is(&ev, EV_EVENT, "unix.listen") && is(&ev, EV_ACTION, "listen") &&
		       !event_has(&ev, EV_PATH) && ev.value[EV_ADDRESS].len == 5 &&
		       !memcmp(event_text(&ev, EV_ADDRESS), "@n\0me", 5),
	       "an abstract name, every byte");
}

static void test_flags(struct tap *t)
{
	_event_ struct event ev = {};
	struct record r;

	record_path(&r, 16, "/x");
	r.e.flags = HG_EVENT_PATH_CUT | HG_EVENT_EXE_CUT | HG_EVENT_DIRECTORY | HG_EVENT_UNLINKED |
		    HG_EVENT_UNSEEN;
	decode(&r, &ev);
	tap_ok(t,
	       ev.value[EV_CUT].len ==
			       strlen("file.path") + strlen("process.executable.path") + 2 &&
		       is(&ev, EV_CUT, "file.path"),
	       "cut paths are named");
	tap_ok(t,
	       event_has(&ev, EV_DIRECTORY) && event_has(&ev, EV_UNLINKED) &&
		       event_has(&ev, EV_UNSEEN),
	       "directory, unlinked");
}

static void test_unknown_rule(struct tap *t)
{
	_event_ struct event ev = {}, none = {}, lost = {};
	struct decode_agent agent = {"demo", NULL};
	struct record r;

	record_path(&r, 16, "/x");
	r.e.rule = 2;
	decode(&r, &ev);
	tap_ok(t, is(&ev, EV_RULE, "rule 2") && is(&ev, EV_RULE_AT, "?"),
	       "a rule behind the table's end keeps its number");
	event_decode(&decoder, &agent, &r.e, &lost);
	tap_ok(t, is(&lost, EV_RULE, "rule 2") && !event_has(&lost, EV_POLICY), "so without table");
	r.e.rule = HG_RULE_NONE;
	r.e.why = HG_WHY_DEFAULT;
	decode(&r, &none);
	tap_ok(t, !event_has(&none, EV_RULE) && is(&none, EV_REASON, "default"), "no rule");
}

static void test_endpoints(struct tap *t)
{
	static const __u8 v4[] = {10, 1, 2, 3};
	static const __u8 v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	_event_ struct event a = {}, b = {}, c = {}, d = {};
	struct record r;

	record_path(&r, 0, "");
	r.e.what = HG_WHAT_CONNECT;
	r.e.actions = HG_BIT(HG_CONNECT);
	hg_endpoint_v4(&r.e.endpoint, v4, HG_TCP, 443, true);
	decode(&r, &a);
	tap_ok(t,
	       is(&a, EV_EVENT, "network.connect") && is(&a, EV_ADDRESS, "10.1.2.3") &&
		       event_number(&a, EV_PORT) == 443 && is(&a, EV_TRANSPORT, "tcp") &&
		       is(&a, EV_ACTION, "connect") && !event_has(&a, EV_PATH),
	       "an address");
	r.e.what = HG_WHAT_LISTEN;
	r.e.actions = HG_BIT(HG_LISTEN);
	hg_endpoint_v6(&r.e.endpoint, v6, HG_UDP, 53, false);
	decode(&r, &b);
	tap_ok(t,
	       is(&b, EV_EVENT, "network.listen") && is(&b, EV_ADDRESS, "2001:db8::1") &&
		       event_number(&b, EV_PORT) == 53 && is(&b, EV_NET_TYPE, "ipv6") &&
		       is(&b, EV_ACTION, "listen"),
	       "a v6 address");
	r.e.endpoint.len = 0;
	decode(&r, &c);
	tap_ok(t, !event_has(&c, EV_ADDRESS) && !event_has(&c, EV_PORT),
	       "none that was understood");
	r.e.what = HG_WHAT_SOCKET;
	memcpy(r.e.endpoint.bytes, "\x11\x03\x03\x01", 4);
	decode(&r, &d);
	tap_ok(t,
	       is(&d, EV_FAMILY, "packet") && is(&d, EV_SOCK_TYPE, "raw") &&
		       event_number(&d, EV_PROTOCOL) == 0x103 && is(&d, EV_EVENT, "privilege.use"),
	       "a kind of socket");
}

static void test_hosts(struct tap *t)
{
	static const __u8 v4[] = {192, 0, 2, 53}, inside[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 9};
	_event_ struct event a = {}, b = {}, c = {}, d = {};
	struct record r;

	record_path(&r, 0, "elpmaxe.a");
	r.e.what = HG_WHAT_DNS;
	r.e.why = HG_WHY_NAME_NOT_ALLOWED;
	r.e.rule = HG_RULE_NONE;
	r.e.actions = HG_BIT(HG_RESOLVE);
	r.e.flags = HG_EVENT_HOST;
	r.e.detail = 28;
	hg_endpoint_v4(&r.e.endpoint, v4, HG_UDP, 53, true);
	decode(&r, &a);
	tap_ok(t,
	       is(&a, EV_EVENT, "dns.query") && is(&a, EV_ACTION, "resolve") &&
		       is(&a, EV_DNS_NAME, "a.example") && is(&a, EV_DNS_TYPE, "AAAA") &&
		       is(&a, EV_REASON, "name_not_allowed") && is(&a, EV_ADDRESS, "192.0.2.53") &&
		       !event_has(&a, EV_PATH),
	       "a name that was asked for");
	r.e.detail = 4711;
	r.e.why = HG_WHY_PRIVATE_ANSWER;
	hg_endpoint_v6(&r.e.endpoint, inside, 0, 0, false);
	decode(&r, &b);
	tap_ok(t,
	       is(&b, EV_DNS_TYPE, "TYPE4711") && is(&b, EV_ADDRESS, "10.0.0.9") &&
		       !event_has(&b, EV_PORT) && !event_has(&b, EV_TRANSPORT),
	       "an address it was answered with, another type");
	r.e.what = HG_WHAT_HELLO;
	r.e.why = HG_WHY_NAME_MISMATCH;
	hg_endpoint_v4(&r.e.endpoint, v4, HG_TCP, 443, true);
	decode(&r, &c);
	tap_ok(t,
	       is(&c, EV_EVENT, "tls.client_hello") && is(&c, EV_SAID_NAME, "a.example") &&
		       is(&c, EV_REASON, "sni_mismatch") && event_number(&c, EV_PORT) == 443,
	       "a name that was said");
	r.e.flags = 0;
	r.e.path_len = 0;
	decode(&r, &d);
	tap_ok(t, !event_has(&d, EV_SAID_NAME) && !event_has(&d, EV_PATH), "none that was said");
}

/* On exact-size copies, so that reading beyond one is seen. */
static void test_refused(struct tap *t)
{
	unsigned int n_short = 0;
	struct record r;
	size_t i;

	record_path(&r, 16, "/some/path");
	for (i = 0; i < r.size; i++) {
		_free_ char *copy = malloc(i ? i : 1);

		memcpy(copy, r.bytes, i);
		n_short += event_record_ok(copy, i);
	}
	tap_ok(t, !n_short, "no beginning of a record is a record");
	r.e.path_len = r.e.path2_len = r.e.exe_len = 0xffff;
	tap_ok(t, !event_record_ok(&r, r.size), "lengths that lead out");
	record_path(&r, 16, "/x");
	r.e.what = HG_N_WHAT;
	tap_ok(t, !event_record_ok(&r, r.size), "an unknown kind");
	record_path(&r, 16, "/x");
	r.e.why = HG_N_WHY;
	tap_ok(t, !event_record_ok(&r, r.size), "an unknown reason");
	record_path(&r, 16, "/x");
	r.e.said = 9;
	tap_ok(t, !event_record_ok(&r, r.size), "an unknown verdict");
	record_path(&r, 16, "/x");
	r.e.endpoint.len = 33;
	tap_ok(t, !event_record_ok(&r, r.size), "an endpoint that is too long");
}

/* Arguments end where argc says, whatever lies behind them; what is not whole is told as cut. */
static void test_arguments(struct tap *t)
{
	static const struct {
		uint32_t argc;
		uint16_t len;
		const char *want;
		bool cut;
	} cases[] = {
		{2, 13, "a,bc", false}, {1, 13, "a", false}, {3, 13, "a,bc,", false},
		{4, 13, "a,bc,,SECRET=1", true}, {2, 4, "a,bc", true}, {5, 2, "a", true},
	};
	static const char bytes[] = "a\0bc\0\0SECRET=1";

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct decode_agent agent = {"demo", &generation};
		_event_ struct event ev = {};
		char joined[64] = "";
		struct record r;

		record_path(&r, 16, "");
		r.e.argv_len = cases[i].len;
		r.e.argc = cases[i].argc;
		memcpy(r.bytes + r.size, bytes, cases[i].len);
		event_decode(&decoder, &agent, &r.e, &ev);
		const char *p = event_text(&ev, EV_ARGS), *end = p + ev.value[EV_ARGS].len;
		for (const char *at = p; at < end; at += strlen(at) + 1)
			sprintf(joined + strlen(joined), "%s%s", at == p ? "" : ",", at);
		tap_ok(t, !strncmp(joined, cases[i].want, strlen(joined)) &&
				  event_has(&ev, EV_CUT) == cases[i].cut,
		       "arguments, %u of %u bytes: %s", cases[i].argc, cases[i].len, joined);
	}
}

/* As execve(2) was told, not below a place. */
static void test_script(struct tap *t)
{
	_event_ struct event ev = {};
	struct record r;

	record_path(&r, 16, "./s.sh");
	r.e.actions = HG_BIT(HG_EXEC);
	r.e.path2_len = r.e.path_len;
	r.e.path_len = 0;
	r.e.flags = HG_EVENT_SCRIPT | HG_EVENT_PATH2_CUT;
	decode(&r, &ev);
	tap_ok(t,
	       is(&ev, EV_EVENT, "process.exec") && is(&ev, EV_SCRIPT, "./s.sh") &&
		       is(&ev, EV_CUT, "hydraguard.script") && !event_has(&ev, EV_TARGET) &&
		       is(&ev, EV_EXE, "/usr/bin/cat"),
	       "a script beside its interpreter");
}

/* Every kind with every field at random: whatever passes the check can be decoded. */
static void test_random(struct tap *t)
{
	unsigned int i, n_ok = 0, bad = 0;
	uint64_t seed = 5;
	size_t k;

	for (i = 0; i < 4000; i++) {
		size_t size = sizeof(struct hg_event) + tap_random(&seed) % 64;
		_free_ struct hg_event *e = malloc(size);
		struct decode_agent agent = {"demo", tap_random(&seed) & 1 ? &generation : NULL};
		_event_ struct event ev = {};
		_free_ char *line = NULL;
		size_t len;

		for (k = 0; k < size; k++)
			((char *)e)[k] = tap_random(&seed);
		e->what %= HG_N_WHAT;
		e->why %= HG_N_WHY;
		e->said %= 3;
		e->path_len %= 24;
		e->path2_len %= 24;
		e->exe_len %= 24;
		e->argv_len %= 16;
		e->argc %= 8;
		e->endpoint.len %= 33;
		if (!event_record_ok(e, size))
			continue;
		n_ok++;
		event_decode(&decoder, &agent, e, &ev);
		bad += event_to_json(&ev, &line, &len) != 0;
	}
	tap_ok(t, n_ok > 500 && !bad, "%u random records, all decoded", n_ok);
}

int main(void)
{
	struct tap t = {};

	decoder.places.next = 16;
	places_add(&decoder.places, 8, 1, "/", "/", "ext4");
	places_add(&decoder.places, 8, 2, "/", "/home", "ext4");
	test_path(&t);
	test_sockets(&t);
	test_places(&t);
	test_flags(&t);
	test_unknown_rule(&t);
	test_endpoints(&t);
	test_hosts(&t);
	test_refused(&t);
	test_arguments(&t);
	test_script(&t);
	test_random(&t);
	places_clear(&decoder.places);
	return tap_done(&t);
}
