/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What verbs share. */
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>

#include "cli.h"
#include "journal.h"
#include "log.h"
#include "mounts.h"
#include "naming.h"
#include "paths.h"
#include "state.h"
#include "text.h"
#include "util.h"
#include "verbs.h"

#define MAX_OPTIONS 24
#define VAL_HELP    0x1000
#define VAL_VERBOSE 0x1001

const char *const cli_search[] = {HG_POLICY_DIR, NULL};

int exit_code(int err)
{
	if (err >= 0)
		return EXIT_DONE;
	switch (err) {
	case -EOPNOTSUPP:
		return EXIT_KERNEL;
	}
	return EXIT_REFUSED;
}

static void usage(const struct cli *cli, FILE *f)
{
	fprintf(f, "usage: hydraguard %s\n", cli->usage);
	if (cli->help && f == stdout)
		fprintf(f, "\n%s", cli->help);
}

int cli_usage(const struct cli *cli, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_error("%s", text);
	usage(cli, stderr);
	return EXIT_USAGE;
}

int cli_next(const struct cli *cli, int argc, char **argv, int *ret_exit)
{
	struct option options[MAX_OPTIONS + 3] = {};
	size_t n;
	int c;

	for (n = 0; n < MAX_OPTIONS && cli->options && cli->options[n].name; n++)
		options[n] = cli->options[n];
	options[n++] = (struct option){"help", no_argument, NULL, VAL_HELP};
	options[n] = (struct option){"verbose", no_argument, NULL, VAL_VERBOSE};
	for (;;) {
		c = getopt_long(argc, argv, cli->letters ? cli->letters : "", options, NULL);
		if (c == VAL_VERBOSE) {
			log_level = LOG_VERBOSE;
			continue;
		}
		if (c != VAL_HELP && c != '?')
			return c;
		/* getopt has said what is wrong. */
		usage(cli, c == VAL_HELP ? stdout : stderr);
		*ret_exit = c == VAL_HELP ? EXIT_DONE : EXIT_USAGE;
		return -2;
	}
}

bool terminal_colour(int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fd) && !(no && *no) && !(term && !strcmp(term, "dumb"));
}

int cli_need_root(void)
{
	if (!geteuid())
		return 0;
	log_error("this needs root");
	return -EPERM;
}

static void diag_print(const struct diag *d, bool colour)
{
	static const struct {
		const char *word, *code;
	} levels[] = {
		[DIAG_ERROR] = {"error", "31"},
		[DIAG_WARNING] = {"warning", "33"},
		[DIAG_NOTE] = {"note", "36"},
	};

	if (d->file) {
		text_show(stderr, d->file, strlen(d->file));
		if (d->line)
			fprintf(stderr, ":%u", d->line);
		if (d->line && d->col)
			fprintf(stderr, ":%u", d->col);
		fputs(": ", stderr);
	}
	if (colour)
		fprintf(stderr, "\033[%sm%s:\033[0m ", levels[d->level].code,
			levels[d->level].word);
	else
		fprintf(stderr, "%s: ", levels[d->level].word);
	/* Escaped where it was made (policy/diag.h). */
	fprintf(stderr, "%s\n", d->message);
}

static void policy_refused(const char *file, const char *agent, const struct diags *d)
{
	struct event ev = {};
	size_t i;

	event_set(&ev, EV_EVENT, "policy.rejected");
	event_set(&ev, EV_AGENT, agent);
	event_set(&ev, EV_POLICY, file);
	event_set_number(&ev, EV_PID, getpid());
	event_setf(&ev, EV_USER, "%u", getuid());
	for (i = 0; i < d->n; i++) {
		if (d->items[i].level != DIAG_ERROR)
			continue;
		event_setf(&ev, EV_MESSAGE, "%s:%u:%u: %s",
			   d->items[i].file ? d->items[i].file : "", d->items[i].line,
			   d->items[i].col, d->items[i].message);
		break;
	}
	journal_put(&ev);
}

int cli_policy_load(const char *file, const struct policy_params *params, struct diags *d,
		    struct policy **ret)
{
	_mount_names_ struct mount_names mounts = {};
	struct policy_params with = *params;
	char self[PATH_MAX] = "";
	const char *const guard[] = {self, NULL};
	int err = naming_read(&mounts);

	if (err)
		return err;
	with.mounts = &mounts;
	/* This program, wherever it is: root runs it again. */
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) > 0)
		with.guard = guard;
	return policy_load(file, &with, d, ret);
}

int cli_policy(const char *file, const struct policy_params *params, const char *agent,
	       struct policy **ret)
{
	bool colour = terminal_colour(STDERR_FILENO);
	struct diags d = {};
	size_t i;
	int err;

	err = cli_policy_load(file, params, &d, ret);
	for (i = 0; i < d.n; i++)
		if (err || d.items[i].level == DIAG_WARNING)
			diag_print(&d.items[i], colour);
	if (err && !d.n)
		log_errno(err, "cannot read policy %s", file);
	if (err && agent)
		policy_refused(file, agent, &d);
	diags_clear(&d);
	return err;
}

int cli_policy_settle(struct engine *e, const char *file, const struct policy_params *params,
		      const char *agent, struct policy **p)
{
	_mount_names_ struct mount_names mounts = {};
	_places_ struct places places = {};
	struct policy *again = NULL;
	int err;

	err = mounts_sync(e, &places);
	if (!err)
		err = naming_read(&mounts);
	if (err || mount_names_digest(&mounts) == mount_names_digest(&(*p)->mounts))
		return err;
	if (!strcmp(file, "-")) {
		log_error("what is mounted has changed while the policy was read; try again");
		return -EAGAIN;
	}
	err = cli_policy(file, params, agent, &again);
	if (err)
		return err;
	policy_free(*p);
	*p = again;
	return 0;
}

void cli_policy_warn(const struct policy *p)
{
	bool colour = terminal_colour(STDERR_FILENO);
	struct diags d = {};
	size_t i;

	policy_warn(p, &d);
	for (i = 0; i < d.n; i++)
		diag_print(&d.items[i], colour);
	diags_clear(&d);
}

int cli_agent(const char *name, struct engine **ret_e, struct agent_record *ret)
{
	_close_ int dir = agents_dir_open(false);
	int err;

	err = dir < 0 ? dir : agent_record_read(dir, name, ret);
	if (err == -ENOENT) {
		log_error("no agent is named \"%s\"; `hydraguard list` says which there are", name);
		return err;
	}
	if (err)
		return log_errno(err, "agent %s: its record is damaged", name);
	err = engine_open(ret_e);
	if (err == -ENOENT)
		log_error("agent %s is written down, but nothing is loaded: it is not confined; "
			  "`hydraguard unload --force` clears up",
			  name);
	return err;
}
