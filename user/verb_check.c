/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `hydraguard check`: everything that is wrong with policies, or doubtful. No privilege, no kernel.
 */
#include "../policy/diag.h"
#include "cli.h"
#include "json.h"
#include "links_show.h"
#include "log.h"
#include "reasons.h"
#include "text.h"
#include "util.h"
#include "verbs.h"

enum { OPT_JSON = 1, OPT_HOME, OPT_NAME, OPT_WORKSPACE, OPT_SHOW, OPT_LINKS };

static const struct option options[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"links", no_argument, NULL, OPT_LINKS},
	{"home", required_argument, NULL, OPT_HOME},
	{"name", required_argument, NULL, OPT_NAME},
	{"workspace", required_argument, NULL, OPT_WORKSPACE},
	{"show", required_argument, NULL, OPT_SHOW},
	{},
};
static const struct cli cli = {
	.usage = "check [--json] [--links] [--home DIR] [--name NAME] [--workspace DIR] POLICY...\n"
		 "       hydraguard check --show NAME",
	.help = "POLICY is a file, the name of a shipped policy, or - for standard input.\n"
		"  --json            one array, an object for each policy\n"
		"  --links           list names of files (hard links) that a rule refuses by\n"
		"                    another name; looks through the file systems\n"
		"  --home DIR        ${home}: of the user that the agent will run as\n"
		"  --name NAME       ${name}, instead of the policy's own\n"
		"  --workspace DIR   instead of the policy's own\n"
		"  --show NAME       print a shipped policy (events name its lines as NAME:LINE)\n"
		"Exit code 1: at least one has errors.\n",
	.options = options,
};

static const struct {
	const char *word, *code;
} levels[] = {
	[DIAG_ERROR] = {"error", "31"},
	[DIAG_WARNING] = {"warning", "33"},
	[DIAG_NOTE] = {"note", "36"},
};

static size_t count(const struct diags *d, enum diag_level level)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		n += d->items[i].level == level;
	return n;
}

static size_t kernel_bytes(const struct policy *p)
{
	uint32_t n = 0;

	if (p)
		image_chunks(p->image, &n);
	return (size_t)n * HG_CHUNK_SIZE;
}

/* What comes from diags was made fit for terminals where it was added (policy/diag.h). */
static void print_diag(const struct diag *d, bool colour)
{
	fputs(d->file, stdout);
	if (d->line)
		printf(":%u:%u", d->line, d->col);
	printf(colour ? ": \033[%3$sm%1$s:\033[0m %2$s\n" : ": %1$s: %2$s\n", levels[d->level].word,
	       d->message, levels[d->level].code);
}

static void print_text(const char *file, const struct policy *p, const struct diags *d)
{
	bool colour = terminal_colour(STDOUT_FILENO);

	for (size_t i = 0; i < d->n; i++)
		print_diag(&d->items[i], colour);
	text_show(stdout, file, strlen(file));
	if (p)
		printf(": %zu rules, ", p->n_rules);
	else
		printf(": ");
	printf("%zu errors, %zu warnings", d->n_errors, count(d, DIAG_WARNING));
	if (p)
		printf(", %zu KiB in the kernel", kernel_bytes(p) / 1024);
	printf("\n");
}

static int add_diag(struct json_object *list, const struct diag *d)
{
	struct json_object *o = json_object_new_object();
	int err = o ? 0 : -ENOMEM;

	json_add_text(o, "level", levels[d->level].word, &err);
	json_add_text(o, "file", d->file, &err);
	if (d->line) {
		json_add_u64(o, "line", d->line, &err);
		json_add_u64(o, "col", d->col, &err);
	}
	json_add_text(o, "message", d->message, &err);
	json_append(list, o, &err);
	return err;
}

static int add_result(struct json_object *list, const char *file, const struct policy *p,
		      const struct diags *d)
{
	struct json_object *o = json_object_new_object(), *items = json_object_new_array();
	size_t len;
	_free_ char *shown = utf8_repair(file, strlen(file), &len);
	int err = o && items && shown ? 0 : -ENOMEM;

	for (size_t i = 0; i < d->n && !err; i++)
		err = add_diag(items, &d->items[i]);
	json_add_text(o, "policy", shown, &err);
	json_add_flag(o, "ok", p != NULL, &err);
	if (p) {
		json_add_text(o, "name", p->name, &err);
		json_add_text(o, "mode", p->mode == POLICY_AUDIT ? "audit" : "enforce", &err);
		json_add_u64(o, "rules", p->n_rules, &err);
		json_add_u64(o, "bytes", kernel_bytes(p), &err);
	}
	json_add_u64(o, "errors", d->n_errors, &err);
	json_add_u64(o, "warnings", count(d, DIAG_WARNING), &err);
	json_add(o, "diagnostics", items, &err);
	json_append(list, o, &err);
	return err;
}

/* A file of two names becomes a note of the policy's. */
static int add_link(void *ctx, const char *least, const char *most, uint8_t lacks)
{
	struct diags *d = ctx;
	char words[64] = "";
	unsigned int i;

	for (i = 0; i < HG_N_PATH_ACTIONS; i++)
		if (lacks & HG_BIT(i))
			snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s",
				 *words ? "," : "", path_action_names[i]);
	return diag_add(d, DIAG_NOTE, "hard link", 0, 0, "%s%s%s: %s is refused at every name",
			least, most ? " is also " : "", most ? most : "", words);
}

/* 0: sound; -EINVAL or what kept it from being read; told. */
static int check(const char *file, const struct policy_params *params, bool links,
		 struct json_object *list)
{
	_policy_ struct policy *p = NULL;
	struct diags d = {};
	int err, told = 0;

	err = cli_policy_load(file, params, &d, &p);
	if (!err)
		policy_warn(p, &d);
	if (!err && links)
		told = links_show(p, add_link, &d);
	if (told)
		log_errno(told, "hard links cannot be looked for");
	if (list)
		told = told ? told : add_result(list, file, p, &d);
	else
		print_text(file, p, &d);
	diags_clear(&d);
	return err ? err : told;
}

/* The text of a shipped policy, and nothing else. */
static int show(const char *name)
{
	const struct preset *p;

	for (p = policy_presets; p->name; p++)
		if (!strcmp(p->name, name))
			return fputs(p->text, stdout) < 0 || fflush(stdout) ? EXIT_REFUSED
									    : EXIT_DONE;
	log_error("no policy \"%s\" is shipped; these are:", name);
	for (p = policy_presets; p->name; p++)
		fprintf(stderr, "  %s\n", p->name);
	return EXIT_NO;
}

int verb_check(int argc, char **argv)
{
	struct policy_params params = {.search = cli_search};
	_json_ struct json_object *list = NULL;
	bool json = false, links = false, wrong = false;
	int c, code, err;

	while ((c = cli_next(&cli, argc, argv, &code)) != -1) {
		switch (c) {
		case OPT_JSON:
			json = true;
			break;
		case OPT_LINKS:
			links = true;
			break;
		case OPT_HOME:
			params.home = optarg;
			break;
		case OPT_NAME:
			params.name = optarg;
			break;
		case OPT_WORKSPACE:
			params.workspace = optarg;
			break;
		case OPT_SHOW:
			return show(optarg);
		default:
			return code;
		}
	}
	if (optind == argc)
		return cli_usage(&cli, "give at least one POLICY");
	if (json && !(list = json_object_new_array()))
		return exit_code(-ENOMEM);
	for (; optind < argc; optind++)
		wrong |= check(argv[optind], &params, links, list) != 0;
	err = json ? json_print(list) : fflush(stdout) ? -EIO : 0;
	if (err)
		return exit_code(err);
	return wrong ? EXIT_NO : EXIT_DONE;
}
