/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Events as JSON lines and back: nesting, exact bytes, and lines that are none. */
#include <json-c/json.h>
#include <string.h>

#include "../../user/event.h"
#include "../../user/json.h"
#include "../../user/text.h"
#include "../../user/util.h"
#include "tap.h"

static void fill(struct event *ev)
{
	event_set_number(ev, EV_TIME, 1714979289000000001ull);
	event_set_number(ev, EV_SEQ, 7);
	event_set(ev, EV_EVENT, "file.access");
	event_set(ev, EV_AGENT, "demo");
	event_set(ev, EV_PATH, "/home/u/.ssh/id_rsa");
	event_set_number(ev, EV_PID, 812);
	event_set_number(ev, EV_DIRECTORY, 1);
	event_add(ev, EV_ANCESTRY, "bash[3]", 7);
	event_add(ev, EV_ANCESTRY, "sshd[1]", 7);
}

static void test_line(struct tap *t)
{
	static const char want[] =
		"{\"time\":\"2024-05-06T07:08:09.000000001Z\",\"seq\":7,\"event\":\"file.access\","
		"\"gen_ai\":{\"agent\":{\"name\":\"demo\"}},"
		"\"hydraguard\":{\"ancestry\":[\"bash[3]\",\"sshd[1]\"],\"file\":{\"directory\":"
		"true}},"
		"\"file\":{\"path\":\"/home/u/.ssh/id_rsa\"},\"process\":{\"pid\":812}}";
	_event_ struct event ev = {};
	_free_ char *line = NULL;
	size_t len;

	fill(&ev);
	tap_ok(t, !event_to_json(&ev, &line, &len) && len == strlen(line), "an event has a line");
	if (!tap_ok(t, !strcmp(line, want), "its keys nest at the dots"))
		tap_note("%s", line);
}

/* No two keys may be the same, and none may be both a value and an object. */
static void test_table(struct tap *t)
{
	unsigned int i, k, bad = 0;
	size_t len;

	for (i = 0; i < EV_N; i++)
		for (k = 0; k < EV_N; k++) {
			len = strlen(event_fields[i].name);
			if (i != k && !strncmp(event_fields[i].name, event_fields[k].name, len) &&
			    (event_fields[k].name[len] == '.' || !event_fields[k].name[len] ||
			     !strcmp(event_fields[k].name + len, "_b64"))) {
				tap_note("%s and %s", event_fields[i].name, event_fields[k].name);
				bad++;
			}
		}
	tap_ok(t, !bad, "keys do not get in each other's way");
	tap_ok(t, EV_TIME == 0 && EV_SEQ == 1, "time first, seq second");
}

static bool same(const struct event *a, const struct event *b)
{
	unsigned int i;

	for (i = 0; i < EV_N; i++) {
		const struct event_value *x = &a->value[i], *y = &b->value[i];

		if (x->set != y->set || x->number != y->number || x->len != y->len)
			return false;
		if (x->len && memcmp(x->bytes, y->bytes, x->len))
			return false;
	}
	return true;
}

static void test_bytes(struct tap *t)
{
	_event_ struct event ev = {}, back = {};
	_free_ char *line = NULL;
	size_t len;

	event_set_bytes(&ev, EV_PATH, "/a\xff\n\"\\\x01z", 8);
	event_to_json(&ev, &line, &len);
	if (!tap_ok(t,
		    !strcmp(line, "{\"file\":{\"path\":\"/a\xef\xbf\xbd\\n\\\"\\\\\\u0001z\","
				  "\"path_b64\":\"L2H/CiJcAXo=\"}}"),
		    "what is not UTF-8 becomes U+FFFD beside its exact bytes"))
		tap_note("%s", line);
	tap_ok(t, !event_from_json(line, len, &back) && same(&ev, &back), "and comes back exactly");
}

/* Any bytes in any field: a line is valid UTF-8, one line, one object, and means the same. */
static void test_random(struct tap *t)
{
	unsigned int i, k, n, bad_line = 0, bad_back = 0;
	uint64_t seed = 3;
	char bytes[48];

	for (i = 0; i < 3000; i++) {
		_event_ struct event ev = {}, back = {};
		_free_ char *line = NULL;
		size_t len;

		for (k = 0; k < EV_N; k++) {
			if (event_fields[k].type != EVENT_BYTES || tap_random(&seed) & 1)
				continue;
			for (n = 0; n < sizeof(bytes); n++)
				bytes[n] = tap_random(&seed) & 3 ? (char)tap_random(&seed)
								 : "\0\n\"\xc3\xa4\xff"[n % 6];
			event_set_bytes(&ev, k, bytes, tap_random(&seed) % sizeof(bytes));
		}
		event_set_number(&ev, EV_PID, (uint64_t)tap_random(&seed) << 32 | 1);
		event_to_json(&ev, &line, &len);
		bad_line += strlen(line) != len || !utf8_valid(line, len) || strchr(line, '\n');
		bad_back += event_from_json(line, len, &back) || !same(&ev, &back);
	}
	tap_ok(t, !bad_line, "any bytes give one line of UTF-8 (%u did not)", bad_line);
	tap_ok(t, !bad_back, "and are the same when read (%u were not)", bad_back);
}

static void test_refused(struct tap *t)
{
	static const char *const lines[] = {
		"",
		" ",
		"{",
		"[]",
		"1",
		"null",
		"\"x\"",
		"{}}",
		"{} {}",
		"{\"a\":}",
		"{\"time\":1}",
		"{\"time\":\"now\"}",
		"{\"seq\":\"1\"}",
		"{\"event\":1}",
		"{\"process\":{\"pid\":\"1\"}}",
		"{\"file\":{\"path\":{}}}",
		"{\"file\":{\"path\":\"x\",\"path_b64\":\"*\"}}",
		"{\"file\":{\"path\":\"x\",\"path_b64\":1}}",
		"{\"hydraguard\":{\"ancestry\":\"x\"}}",
		"{\"hydraguard\":{\"ancestry\":[1]}}",
		"{\"hydraguard\":{\"file\":{\"directory\":1}}}",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		_event_ struct event ev = {};

		tap_ok(t, event_from_json(lines[i], strlen(lines[i]), &ev) == -EBADMSG,
		       "refused: %s", lines[i]);
	}
}

static void test_lenient(struct tap *t)
{
	static const char line[] = "{\"file\":7,\"later\":{\"x\":1},\"seq\":18446744073709551615}";
	_event_ struct event ev = {};

	tap_ok(t,
	       !event_from_json(line, strlen(line), &ev) && !event_has(&ev, EV_PATH) &&
		       event_number(&ev, EV_SEQ) == UINT64_MAX,
	       "keys of later versions are passed over");
}

/* Cut anywhere, a line is refused and nothing is read beyond it. */
static void test_cut(struct tap *t)
{
	_event_ struct event ev = {};
	_free_ char *line = NULL;
	size_t len, i, taken = 0;

	fill(&ev);
	event_to_json(&ev, &line, &len);
	for (i = 0; i < len; i++) {
		_event_ struct event back = {};
		_free_ char *part = strndup(line, i);

		taken += !event_from_json(part, i, &back);
	}
	tap_ok(t, !taken, "no beginning of a line is an event");
}

int main(void)
{
	struct tap t = {};

	test_line(&t);
	test_table(&t);
	test_bytes(&t);
	test_random(&t);
	test_refused(&t);
	test_lenient(&t);
	test_cut(&t);
	return tap_done(&t);
}
