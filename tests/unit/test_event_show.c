/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The line people read, and that nothing in it can be faked. */
#include <string.h>
#include <time.h>

#include "../../user/event.h"
#include "../../user/reasons.h"
#include "../../user/util.h"
#include "tap.h"

static char *shown(const struct event *ev)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	event_show(f, ev, false);
	fclose(f);
	return text;
}

static void line_is(struct tap *t, const struct event *ev, const char *want)
{
	_free_ char *got = shown(ev);

	if (!tap_ok(t, !strcmp(got, want), "%.*s", (int)strcspn(want, "\n"), want))
		tap_note("got: %s", got);
}

static void denial(struct event *ev)
{
	event_set_number(ev, EV_TIME, 1714979289120000000ull);
	event_set(ev, EV_EVENT, "file.access");
	event_set(ev, EV_AGENT, "demo");
	event_set(ev, EV_VERDICT, "denied");
	event_set(ev, EV_ACTION, "read");
	event_set(ev, EV_REASON, "rule");
	event_set(ev, EV_RULE, "deny all **/.ssh/**");
	event_set(ev, EV_RULE_AT, "strict.yaml:12");
	event_set(ev, EV_PATH, "/home/u/.ssh/id_rsa");
	event_set(ev, EV_COMMAND, "cat");
	event_set_number(ev, EV_PID, 812);
	event_set_number(ev, EV_COUNT, 1);
}

static void test_lines(struct tap *t)
{
	_event_ struct event ev = {}, net = {}, lost = {}, socket = {};

	denial(&ev);
	line_is(t, &ev,
		"07:08:09.120 demo denied read /home/u/.ssh/id_rsa by cat[812] — "
		"deny all **/.ssh/** (strict.yaml:12)\n");
	event_set(&ev, EV_REASON, "no_approver");
	line_is(t, &ev,
		"07:08:09.120 demo denied read /home/u/.ssh/id_rsa by cat[812] — "
		"deny all **/.ssh/** (strict.yaml:12); the rule asks, and there is nobody to "
		"ask\n");
	event_set_number(&ev, EV_COUNT, 5);
	event_set_number(&ev, EV_MISSED, 9);
	event_set(&ev, EV_REASON, "a_later_reason");
	line_is(t, &ev,
		"07:08:09.120 demo denied read /home/u/.ssh/id_rsa by cat[812] — "
		"deny all **/.ssh/** (strict.yaml:12); a_later_reason (5 times) (9 events "
		"before it were lost)\n");

	event_set_number(&net, EV_TIME, 1714979289120000000ull);
	event_set(&net, EV_EVENT, "network.connect");
	event_set(&net, EV_VERDICT, "audited");
	event_set(&net, EV_ACTION, "connect");
	event_set(&net, EV_REASON, "default");
	event_set(&net, EV_ADDRESS, "2001:db8::1");
	event_set(&net, EV_NET_TYPE, "ipv6");
	event_set(&net, EV_TRANSPORT, "tcp");
	event_set_number(&net, EV_PORT, 443);
	line_is(t, &net,
		"07:08:09.120 audited connect [2001:db8::1]:443/tcp — no rule allows it\n");

	event_set_number(&lost, EV_TIME, 1714979289120000000ull);
	event_set(&lost, EV_EVENT, "events.lost");
	event_set(&lost, EV_AGENT, "demo");
	event_set_number(&lost, EV_COUNT, 40);
	line_is(t, &lost, "07:08:09.120 demo lost 40 events: its ring was full\n");

	event_set_number(&socket, EV_TIME, 1714979289120000000ull);
	event_set(&socket, EV_VERDICT, "denied");
	event_set(&socket, EV_ACTION, "socket");
	event_set(&socket, EV_REASON, "socket_family");
	event_set(&socket, EV_FAMILY, "packet");
	event_set(&socket, EV_SOCK_TYPE, "raw");
	event_set_number(&socket, EV_PROTOCOL, 3);
	line_is(t, &socket,
		"07:08:09.120 denied socket packet raw socket (protocol 3) — a kind of "
		"socket that no rule speaks of\n");
}

/* Whatever an agent calls itself, its files and its programs: one line without controls. */
static void test_random(struct tap *t)
{
	unsigned int i, k, n, bad = 0;
	uint64_t seed = 11;
	char bytes[40], *p;

	for (i = 0; i < 3000; i++) {
		_event_ struct event ev = {};
		_free_ char *line = NULL;

		for (k = 0; k < EV_N; k++) {
			for (n = 0; n < sizeof(bytes); n++)
				bytes[n] = tap_random(&seed) % 160;
			if (event_fields[k].type == EVENT_BYTES && tap_random(&seed) & 1)
				event_set_bytes(&ev, k, bytes, tap_random(&seed) % sizeof(bytes));
		}
		line = shown(&ev);
		p = strchr(line, '\n');
		bad += !p || p[1];
		for (p = line; *p && *p != '\n'; p++)
			bad += (unsigned char)*p < 0x20 || *p == 0x7f;
	}
	tap_ok(t, !bad, "one line without control characters, whatever is in it (%u)", bad);
}

static void test_empty(struct tap *t)
{
	_event_ struct event ev = {};
	_free_ char *line = shown(&ev);

	tap_ok(t, strchr(line, '\n') && !strchr(line, '\n')[1], "an empty event is a line");
}

static void test_reasons(struct tap *t)
{
	unsigned int i, k, bad = 0;

	for (i = 0; i < HG_N_WHY; i++) {
		bad += !reasons[i].name || !reasons[i].words;
		for (k = 0; !bad && k < i; k++)
			bad += !strcmp(reasons[i].name, reasons[k].name);
		bad += !bad && reason_by_name(reasons[i].name) != &reasons[i];
	}
	tap_ok(t, !bad, "every reason has a name of its own, and words");
}

int main(void)
{
	struct tap t = {};

	setenv("TZ", "UTC", 1);
	tzset();
	test_lines(&t);
	test_random(&t);
	test_empty(&t);
	test_reasons(&t);
	return tap_done(&t);
}
