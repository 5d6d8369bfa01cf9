/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `run`'s account of its agent. */
#include <fcntl.h>
#include <inttypes.h>
#include <termios.h>

#include "cli.h"
#include "log.h"
#include "paths.h"
#include "report.h"
#include "util.h"

int report_open(struct report *r, const char *events_file, bool quiet, bool live)
{
	_close_ int dir = open_own_dir(HG_LOG_DIR, 0700), fd = -1;
	_close_ int run = open_own_dir(HG_RUN_DIR, 0700);
	int err;

	r->quiet = quiet;
	r->hold = !live && isatty(STDERR_FILENO);
	if (dir < 0)
		return log_errno(dir, "cannot use " HG_LOG_DIR);
	if (run < 0)
		return log_errno(run, "cannot use " HG_RUN_DIR);
	err = follow_open(&r->follow, HG_LOG_DIR, HG_EVENTS_NAME, HG_RUN_DIR, true);
	if (err)
		return log_errno(err, "cannot follow " HG_EVENTS_FILE);
	if (!events_file)
		return 0;
	fd = open(events_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
	r->events = fd < 0 ? NULL : fdopen(fd, "a");
	if (!r->events)
		return log_errno(errno, "cannot write events to %s", events_file);
	take_fd(&fd);
	return 0;
}

void report_begin(struct report *r, const struct agent_record *a)
{
	r->agent = a->name;
	snprintf(r->uid, sizeof(r->uid), "%016" PRIx64, a->uid);
}

void report_close(struct report *r)
{
	size_t i;

	follow_close(&r->follow);
	if (r->events)
		fclose(r->events);
	free(r->last);
	for (i = 0; i < r->n_held; i++) {
		free(r->held[i].kind);
		event_clear(&r->held[i].ev);
	}
	free(r->held);
	for (i = 0; i < REPORT_KINDS; i++)
		free(r->kinds[i].action);
}

int report_fd(const struct report *r)
{
	return follow_fd(&r->follow);
}

/* One write, and a carriage return where the agent has set its terminal to raw. */
static void print_line(const char *line, size_t len)
{
	struct termios t;

	if (len && line[len - 1] == '\n')
		len--;
	if (!tcgetattr(STDERR_FILENO, &t) && !(t.c_oflag & OPOST))
		dprintf(STDERR_FILENO, "%.*s\r\n", (int)len, line);
	else
		dprintf(STDERR_FILENO, "%.*s\n", (int)len, line);
}

static void print_again(struct report *r)
{
	char text[64];

	if (r->n_again && !r->quiet) {
		snprintf(text, sizeof(text), "             … and %" PRIu64 " more of it\n",
			 r->n_again);
		print_line(text, strlen(text));
	}
	r->n_again = 0;
}

static void count_kind(struct report *r, const struct event *ev)
{
	const char *action = event_text(ev, EV_ACTION);
	size_t i;

	for (i = 0; i < REPORT_KINDS; i++) {
		if (!r->kinds[i].action)
			r->kinds[i].action = strdup(action);
		if (!r->kinds[i].action || strcmp(r->kinds[i].action, action))
			continue;
		r->kinds[i].n += event_number(ev, EV_COUNT);
		return;
	}
}

static void event_print(const struct event *ev)
{
	_free_ char *line = NULL;
	size_t len;
	FILE *f = open_memstream(&line, &len);

	if (!f)
		return;
	event_show(f, ev, terminal_colour(STDERR_FILENO));
	if (!fclose(f))
		print_line(line, len);
}

/* For the end, when the command writes no more: the first of each kind, with their number. */
static void hold_event(struct report *r, struct event *ev)
{
	_free_ char *kind = event_kind(ev);
	struct report_held *h;
	size_t i;

	for (i = 0; kind && i < r->n_held; i++) {
		h = &r->held[i];
		if (!h->kind || strcmp(h->kind, kind))
			continue;
		event_set_number(&h->ev, EV_COUNT,
				 event_number(&h->ev, EV_COUNT) + event_number(ev, EV_COUNT));
		return;
	}
	h = r->n_held < REPORT_HELD_MAX ? reallocarray(r->held, r->n_held + 1, sizeof(*h)) : NULL;
	if (!h) {
		r->n_not_held++;
		return;
	}
	r->held = h;
	h[r->n_held++] = (struct report_held){.kind = take(kind), .ev = *ev};
	*ev = (struct event){};
}

static void held_print(struct report *r)
{
	size_t i;

	for (i = 0; i < r->n_held; i++) {
		event_print(&r->held[i].ev);
		event_clear(&r->held[i].ev);
		free(r->held[i].kind);
	}
	free(r->held);
	r->held = NULL;
	r->n_held = 0;
	if (r->n_not_held)
		log_note("and %" PRIu64 " more: `hydraguard tail --agent %s`", r->n_not_held,
			 r->agent);
}

static void print_event(struct report *r, struct event *ev)
{
	_free_ char *kind = NULL;

	if (r->hold) {
		hold_event(r, ev);
		return;
	}
	kind = event_kind(ev);
	if (kind && r->last && !strcmp(kind, r->last)) {
		r->n_again += event_number(ev, EV_COUNT);
		return;
	}
	print_again(r);
	free(r->last);
	r->last = take(kind);
	event_print(ev);
}

static void keep_line(struct report *r, const char *line, size_t len)
{
	if (!r->events || r->events_broken)
		return;
	if (fwrite(line, 1, len, r->events) == len && fputc('\n', r->events) != EOF &&
	    !fflush(r->events))
		return;
	log_errno(errno, "cannot write the events file any more");
	r->events_broken = true;
}

static void take_line(struct report *r, const char *line, size_t len)
{
	_event_ struct event ev = {};

	/* Cheaper than reading all of every agent's events. */
	if (!memmem(line, len, r->uid, strlen(r->uid)) || event_from_json(line, len, &ev) ||
	    strcmp(event_text(&ev, EV_UID), r->uid))
		return;
	keep_line(r, line, len);
	if (event_is_decision(&ev) && strcmp(event_text(&ev, EV_VERDICT), "allowed"))
		count_kind(r, &ev);
	if (!r->quiet &&
	    (event_is_decision(&ev) || !strcmp(event_text(&ev, EV_EVENT), "events.lost")))
		print_event(r, &ev);
}

void report_read(struct report *r)
{
	const char *line;
	size_t len;

	while (follow_next(&r->follow, &line, &len) == 1)
		take_line(r, line, len);
}

static uint64_t put_kinds(const struct report *r, FILE *f)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < REPORT_KINDS && r->kinds[i].n; i++) {
		fprintf(f, "%s%" PRIu64 " %s", sum ? ", " : "", r->kinds[i].n, r->kinds[i].action);
		sum += r->kinds[i].n;
	}
	return sum;
}

/* "hydraguard: demo: 3 denials (2 read, 1 connect)" */
void report_end(struct report *r, const struct agent_totals *t, bool audit)
{
	_free_ char *text = NULL;
	uint64_t sum;
	size_t len;
	FILE *f;

	report_read(r);
	print_again(r);
	held_print(r);
	if (r->quiet)
		return;
	f = open_memstream(&text, &len);
	if (!f)
		return;
	if (!t->denied) {
		fputs(audit ? "nothing would have been denied" : "no denials", f);
	} else {
		fprintf(f, "%" PRIu64 " %s%s (", t->denied, audit ? "would-be denial" : "denial",
			t->denied == 1 ? "" : "s");
		sum = put_kinds(r, f);
		if (sum < t->denied)
			fprintf(f, "%s%" PRIu64 " not reported", sum ? ", " : "", t->denied - sum);
		fputs(")", f);
	}
	if (t->logged)
		fprintf(f, ", %" PRIu64 " allowed and logged", t->logged);
	if (t->lost)
		fprintf(f, ", %" PRIu64 " events lost", t->lost);
	if (!fclose(f))
		log_note("%s: %s", r->agent, text);
}
