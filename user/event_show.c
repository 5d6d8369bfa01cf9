/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The line people read:
 *
 *   12:03:44.120 demo denied read /home/u/.ssh/id_rsa by cat[812] — deny all /home/u/.ssh
 * (p.yaml:12)
 *
 * Whatever an agent can choose goes through text_show(), so that no name can fake a line, move the
 * cursor or reorder what is read.
 */
#include <time.h>

#include "event.h"
#include "reasons.h"
#include "rule_short.h"
#include "text.h"
#include "util.h"
#include "../policy/rule_parse.h"

struct shower {
	FILE *f;
	const struct event *ev;
	bool colour;
};

#define RED    "31"
#define YELLOW "33"
#define GREEN  "32"
#define DIM    "2"
#define BOLD   "1"

static void colour_on(const struct shower *s, const char *code)
{
	if (s->colour)
		fprintf(s->f, "\033[%sm", code);
}

static void colour_off(const struct shower *s)
{
	if (s->colour)
		fputs("\033[0m", s->f);
}

static void show(const struct shower *s, enum event_key key)
{
	text_show(s->f, event_text(s->ev, key), s->ev->value[key].len);
}

static void show_coloured(const struct shower *s, const char *code, enum event_key key)
{
	colour_on(s, code);
	show(s, key);
	colour_off(s);
}

static void show_time(const struct shower *s)
{
	uint64_t ns = event_number(s->ev, EV_TIME);
	time_t seconds = ns / 1000000000;
	char text[16] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%H:%M:%S", &tm);
	colour_on(s, DIM);
	fprintf(s->f, "%s.%03u", text, (unsigned int)(ns / 1000000 % 1000));
	colour_off(s);
	fputc(' ', s->f);
}

static const char *verdict_colour(const char *verdict)
{
	if (!strcmp(verdict, "denied"))
		return RED;
	return strcmp(verdict, "audited") ? GREEN : YELLOW;
}

static void show_endpoint(const struct shower *s)
{
	bool v6 = !strcmp(event_text(s->ev, EV_NET_TYPE), "ipv6");

	fputc(' ', s->f);
	colour_on(s, BOLD);
	fputs(v6 ? "[" : "", s->f);
	show(s, EV_ADDRESS);
	fputs(v6 ? "]" : "", s->f);
	if (event_has(s->ev, EV_PORT))
		fprintf(s->f, ":%llu", (unsigned long long)event_number(s->ev, EV_PORT));
	colour_off(s);
	if (!event_has(s->ev, EV_TRANSPORT))
		return;
	fputc('/', s->f);
	show(s, EV_TRANSPORT);
}

/* Behind the name. Blanks within an argument are not told from those between two. */
static void show_arguments(const struct shower *s)
{
	const struct event_value *v = &s->ev->value[EV_ARGS];
	const char *p = v->bytes, *end = p + v->len;

	for (p += strlen(p) + 1; p < end; p += strlen(p) + 1) {
		fputc(' ', s->f);
		text_show(s->f, p, strlen(p));
	}
}

/* A name that is asked for, of which type: and who is asked, or which address answered. */
static void show_question(const struct shower *s)
{
	fputc(' ', s->f);
	show_coloured(s, BOLD, EV_DNS_NAME);
	if (event_has(s->ev, EV_DNS_TYPE)) {
		fputs(" (", s->f);
		show(s, EV_DNS_TYPE);
		fputc(')', s->f);
	}
	if (!event_has(s->ev, EV_ADDRESS))
		return;
	fputs(event_number(s->ev, EV_PORT) ? " of" : " with", s->f);
	show_endpoint(s);
}

/* What it was done to: a path, an address or a kind of socket, or nothing. */
static void show_object(const struct shower *s)
{
	if (!strcmp(event_text(s->ev, EV_EVENT), "dns.query")) {
		show_question(s);
		return;
	}
	if (event_has(s->ev, EV_PATH)) {
		fputs(event_has(s->ev, EV_UNPLACED) ? " (unnamed file system)" : " ", s->f);
		show_coloured(s, BOLD, EV_PATH);
	}
	if (event_has(s->ev, EV_ARGS))
		show_arguments(s);
	if (event_has(s->ev, EV_SCRIPT)) {
		fputs(" for ", s->f);
		show_coloured(s, BOLD, EV_SCRIPT);
	}
	if (event_has(s->ev, EV_TARGET)) {
		fputs(" with ", s->f);
		show_coloured(s, BOLD, EV_TARGET);
	}
	if (*event_text(s->ev, EV_ADDRESS) == '@') {
		fputc(' ', s->f);
		show_coloured(s, BOLD, EV_ADDRESS);
	} else if (event_has(s->ev, EV_ADDRESS)) {
		show_endpoint(s);
	}
	if (event_has(s->ev, EV_SAID_NAME)) {
		fputs(" as ", s->f);
		show_coloured(s, BOLD, EV_SAID_NAME);
	}
	if (event_has(s->ev, EV_PEER)) {
		fputs(" of agent ", s->f);
		show_coloured(s, BOLD, EV_PEER);
	}
	if (event_has(s->ev, EV_FAMILY)) {
		fputc(' ', s->f);
		colour_on(s, BOLD);
		show(s, EV_FAMILY);
		fputs(" ", s->f);
		show(s, EV_SOCK_TYPE);
		colour_off(s);
		fprintf(s->f, " socket (protocol %llu)",
			(unsigned long long)event_number(s->ev, EV_PROTOCOL));
	}
	if (event_has(s->ev, EV_MODULE)) {
		fputc(' ', s->f);
		show_coloured(s, BOLD, EV_MODULE);
	}
}

static void show_process(const struct shower *s)
{
	if (!event_has(s->ev, EV_PID))
		return;
	fputs(" by ", s->f);
	show(s, EV_COMMAND);
	fprintf(s->f, "[%llu]", (unsigned long long)event_number(s->ev, EV_PID));
}

static void show_rule(const struct shower *s)
{
	_free_ char *rule =
		rule_short(event_text(s->ev, EV_RULE),
			   event_has(s->ev, EV_PATH) ? event_text(s->ev, EV_PATH) : NULL);

	if (rule)
		text_show(s->f, rule, strlen(rule));
	fputs(" (", s->f);
	show(s, EV_RULE_AT);
	fputs(")", s->f);
}

/* Is the action one of the words of `use`? */
static bool is_use(const struct event *ev)
{
	const char *action = event_text(ev, EV_ACTION);
	unsigned int i;

	if (strcmp(event_text(ev, EV_EVENT), "privilege.use"))
		return false;
	for (i = 0; i < HG_N_USES; i++)
		if (rule_use_names[i] && !strcmp(rule_use_names[i], action))
			return true;
	return false;
}

static void show_reason(const struct shower *s)
{
	const struct reason *reason = reason_by_name(event_text(s->ev, EV_REASON));
	bool rule = event_has(s->ev, EV_RULE), use = is_use(s->ev);

	fputs(" — ", s->f);
	if (rule)
		show_rule(s);
	if (rule && reason == &reasons[HG_WHY_RULE])
		return;
	fputs(rule ? "; " : "", s->f);
	if (!reason) {
		show(s, EV_REASON);
		return;
	}
	fputs(reason->words, s->f);
	if (reason->hint)
		fprintf(s->f, " (%s)", reason->hint);
	else if (use && reason == &reasons[HG_WHY_DEFAULT])
		fprintf(s->f, " (the policy may say `allow use %s`)",
			event_text(s->ev, EV_ACTION));
}

static void show_decision(const struct shower *s)
{
	const char *event = event_text(s->ev, EV_EVENT);

	if (!strcmp(event, "guard.escape_attempt")) {
		colour_on(s, RED);
		fputs("a process left its cgroup,", s->f);
		colour_off(s);
		show_process(s);
		fputs(" — it stays confined", s->f);
		return;
	}
	show_coloured(s, verdict_colour(event_text(s->ev, EV_VERDICT)), EV_VERDICT);
	fputs(is_use(s->ev) ? " use " : " ", s->f);
	show(s, EV_ACTION);
	show_object(s);
	show_process(s);
	show_reason(s);
	if (event_number(s->ev, EV_UNSEEN))
		fputs(" (unless it was there already)", s->f);
}

/* hydraguard's own events: the name, and whatever of these is there. */
static void show_other(const struct shower *s)
{
	const char *event = event_text(s->ev, EV_EVENT);

	if (!strcmp(event, "events.lost")) {
		colour_on(s, RED);
		fprintf(s->f, "lost %llu events: its ring was full",
			(unsigned long long)event_number(s->ev, EV_COUNT));
		colour_off(s);
		return;
	}
	show(s, EV_EVENT);
	if (event_has(s->ev, EV_POLICY)) {
		fputs(": policy ", s->f);
		show(s, EV_POLICY);
	}
	if (event_has(s->ev, EV_GENERATION))
		fprintf(s->f, " generation %llu",
			(unsigned long long)event_number(s->ev, EV_GENERATION));
	if (event_has(s->ev, EV_MODE)) {
		fputs(" (", s->f);
		show(s, EV_MODE);
		fputs(")", s->f);
	}
	if (event_has(s->ev, EV_CGROUP)) {
		fputs(" on ", s->f);
		show(s, EV_CGROUP);
	}
	if (event_has(s->ev, EV_MESSAGE)) {
		fputs(" — ", s->f);
		show(s, EV_MESSAGE);
	}
}

void event_show(FILE *f, const struct event *ev, bool colour)
{
	struct shower s = {.f = f, .ev = ev, .colour = colour};

	show_time(&s);
	if (event_has(ev, EV_AGENT)) {
		show(&s, EV_AGENT);
		fputc(' ', f);
	}
	if (event_is_decision(ev))
		show_decision(&s);
	else
		show_other(&s);
	if (event_number(ev, EV_COUNT) > 1 && event_is_decision(ev))
		fprintf(f, " (%llu times)", (unsigned long long)event_number(ev, EV_COUNT));
	if (event_has(ev, EV_MISSED))
		fprintf(f, " (%llu events before it were lost)",
			(unsigned long long)event_number(ev, EV_MISSED));
	fputc('\n', f);
}
