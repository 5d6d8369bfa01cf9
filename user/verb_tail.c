/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `hydraguard tail`: the event log, for people or as it is. */
#include <poll.h>
#include <time.h>

#include "cli.h"
#include "engine.h"
#include "event.h"
#include "follow.h"
#include "keeper.h"
#include "log.h"
#include "paths.h"
#include "state.h"
#include "text.h"
#include "util.h"
#include "verbs.h"

enum { OPT_AGENT = 1, OPT_SINCE, OPT_JSON };

static const struct option options[] = {
	{"agent", required_argument, NULL, OPT_AGENT},
	{"since", required_argument, NULL, OPT_SINCE},
	{"json", no_argument, NULL, OPT_JSON},
	{"follow", no_argument, NULL, 'f'},
	{"lines", required_argument, NULL, 'n'},
	{},
};
static const struct cli cli = {
	.usage = "tail [-f] [-n N] [--agent NAME] [--since TIME] [--json]",
	.help = "  -f, --follow      go on with what is written from now on\n"
		"  -n, --lines N     the last N (default 10; all with --since)\n"
		"  --agent NAME      only this agent's\n"
		"  --since TIME      from TIME on: RFC 3339, or a duration before now (90s, 10m, "
		"2h)\n"
		"  --json            the lines as they are in the log\n",
	.options = options,
	.letters = "fn:",
};

#define LINES_DEFAULT 10

struct tail {
	const char *agent;
	uint64_t since; /* ns since 1970; 0: any time */
	bool follow, json, colour;
	/* On a terminal what comes several times in a row is one line: the first, with their
	 * number. */
	bool fold;
	struct event pending;
	char *pending_kind;
	/* The last `keep` lines that fit; 0: all are printed at once. */
	char **kept;
	size_t keep, n;
	uint64_t n_broken;
};

static int since_parse(const char *text, uint64_t *ret)
{
	uint64_t ago, now = clock_ns(CLOCK_REALTIME);

	if (!time_parse(text, ret))
		return 0;
	if (duration_parse(text, &ago) || ago > now)
		return -EINVAL;
	*ret = now - ago;
	return 0;
}

static int options_read(struct tail *t, int argc, char **argv, int *ret_exit)
{
	uint64_t keep = LINES_DEFAULT;
	bool lines = false;
	int c;

	while ((c = cli_next(&cli, argc, argv, ret_exit)) != -1) {
		if (c == -2)
			return -EINVAL;
		if (c == OPT_AGENT)
			t->agent = optarg;
		if (c == OPT_JSON)
			t->json = true;
		if (c == 'f')
			t->follow = true;
		if (c == OPT_SINCE && since_parse(optarg, &t->since)) {
			*ret_exit = cli_usage(&cli, "--since %s: not a time or a duration", optarg);
			return -EINVAL;
		}
		lines |= c == 'n';
		if (c == 'n' && (parse_u64(optarg, 1000000, &keep) || !keep)) {
			*ret_exit = cli_usage(&cli, "-n %s: not a number of lines", optarg);
			return -EINVAL;
		}
	}
	if (argc != optind) {
		*ret_exit = cli_usage(&cli, "tail takes no argument");
		return -EINVAL;
	}
	t->keep = t->since && !lines ? 0 : keep;
	return 0;
}

static void pending_print(struct tail *t)
{
	if (t->pending_kind)
		event_show(stdout, &t->pending, t->colour);
	event_clear(&t->pending);
	free(t->pending_kind);
	t->pending_kind = NULL;
}

static void print_line(struct tail *t, const char *line)
{
	_event_ struct event ev = {};
	_free_ char *kind = NULL;

	if (t->json) {
		puts(line);
		return;
	}
	if (event_from_json(line, strlen(line), &ev))
		return;
	kind = t->fold ? event_kind(&ev) : NULL;
	if (kind && t->pending_kind && !strcmp(kind, t->pending_kind)) {
		event_set_number(&t->pending, EV_COUNT,
				 event_number(&t->pending, EV_COUNT) + event_number(&ev, EV_COUNT));
		return;
	}
	pending_print(t);
	if (!kind) {
		event_show(stdout, &ev, t->colour);
		return;
	}
	t->pending = ev;
	ev = (struct event){};
	t->pending_kind = take(kind);
}

/* Prints a line, or keeps it among the last. */
static int line_take(struct tail *t, const char *line, size_t len)
{
	char *copy = strndup(line, len), **at;

	if (!copy)
		return -ENOMEM;
	if (!t->keep) {
		print_line(t, copy);
		free(copy);
		return 0;
	}
	at = &t->kept[t->n++ % t->keep];
	free(*at);
	*at = copy;
	return 0;
}

static void kept_print(struct tail *t)
{
	size_t i, first = t->n > t->keep ? t->n - t->keep : 0;

	for (i = first; t->keep && i < t->n; i++)
		print_line(t, t->kept[i % t->keep]);
	for (i = 0; i < t->keep; i++)
		free(t->kept[i]);
	t->keep = 0;
	pending_print(t);
	fflush(stdout);
}

static bool line_fits(struct tail *t, const char *line, size_t len)
{
	_event_ struct event ev = {};

	if (event_from_json(line, len, &ev)) {
		t->n_broken++;
		return false;
	}
	return (!t->agent || !strcmp(event_text(&ev, EV_AGENT), t->agent)) &&
	       event_number(&ev, EV_TIME) >= t->since;
}

static int lines_take(struct tail *t, struct follow *f)
{
	const char *line;
	size_t len;
	int more, err;

	while ((more = follow_next(f, &line, &len)) == 1) {
		if (!line_fits(t, line, len))
			continue;
		err = line_take(t, line, len);
		if (err)
			return err;
	}
	return more;
}

static int go_on(struct tail *t, struct follow *f)
{
	struct pollfd p[] = {
		{.fd = follow_fd(f), .events = POLLIN},
		/* A reader that is gone: only its end says so, before the next line. */
		{.fd = STDOUT_FILENO, .events = 0},
	};
	int err;

	while (!ferror(stdout)) {
		if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
			return -errno;
		if (p[1].revents & (POLLERR | POLLHUP | POLLNVAL))
			return 0;
		err = lines_take(t, f);
		if (err)
			return err;
		pending_print(t);
		fflush(stdout);
	}
	return 0;
}

/* Agents without a keeper: nothing would be written that could be shown. */
static void keeper_revive(void)
{
	_close_ int dir = agents_dir_open(false), lock = -1;
	_engine_ struct engine *e = NULL;
	_records_ struct records agents = {};

	if (dir < 0 || keeper_alive(NULL) || records_read(dir, &agents) || !agents.n)
		return;
	keeper_warn();
	lock = state_lock();
	if (lock >= 0 && !engine_open(&e) && !keeper_ensure())
		log_warn("the keeper runs again");
}

static int tail(struct tail *t)
{
	struct follow f = {.fd = -1, .inotify = -1};
	_close_ int run = -1;
	int err;

	err = cli_need_root();
	if (err)
		return err;
	run = open_own_dir(HG_RUN_DIR, 0700);
	if (run < 0)
		return log_errno(run, "cannot use " HG_RUN_DIR);
	keeper_revive();
	t->colour = terminal_colour(STDOUT_FILENO);
	t->fold = isatty(STDOUT_FILENO);
	t->kept = calloc(t->keep ? t->keep : 1, sizeof(*t->kept));
	if (!t->kept)
		return log_errno(ENOMEM, "cannot keep the last lines");
	err = access(HG_LOG_DIR, F_OK) ? -errno
				       : follow_open(&f, HG_LOG_DIR, HG_EVENTS_NAME, HG_RUN_DIR, false);
	if (err == -ENOENT)
		log_error("there are no events yet (" HG_LOG_DIR " is not there)");
	else if (err)
		log_errno(err, "cannot read " HG_EVENTS_FILE);
	if (!err) {
		err = lines_take(t, &f);
		kept_print(t);
		if (!err && t->follow)
			err = go_on(t, &f);
		if (err)
			log_errno(err, "cannot read " HG_EVENTS_FILE);
	}
	follow_close(&f);
	free(t->kept);
	if (t->n_broken)
		log_warn("%llu lines of " HG_EVENTS_FILE " are not events",
			 (unsigned long long)t->n_broken);
	return err;
}

int verb_tail(int argc, char **argv)
{
	struct tail t = {};
	int code;

	return options_read(&t, argc, argv, &code) ? code : exit_code(tail(&t));
}
