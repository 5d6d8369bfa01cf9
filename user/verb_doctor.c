/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `hydraguard doctor`: what this kernel can do, and what to change. */
#include <assert.h>

#include "cli.h"
#include "doctor.h"
#include "json.h"
#include "log.h"
#include "text.h"
#include "util.h"
#include "verbs.h"

enum { OPT_JSON = 1, OPT_ALL };

static const struct option options[] = {
	{"json", no_argument, NULL, OPT_JSON},
	{"all", no_argument, NULL, OPT_ALL},
	{},
};
static const struct cli cli = {
	.usage = "doctor [--all] [--json]",
	.help = "  --all    what is in order, too\n"
		"  --json   everything, as one object\n"
		"Exit code 3 where the kernel cannot enforce. Without root, some of it cannot be "
		"seen.\n",
	.options = options,
};

static const struct {
	const char *name, *sign, *colour;
} levels[] = {
	[FINDING_OK] = {"ok", "ok", "32"},
	[FINDING_NOTE] = {"note", "--", "36"},
	[FINDING_WARN] = {"warning", "!!", "33"},
	[FINDING_FAIL] = {"fail", "NO", "31"},
};
static_assert(ARRAY_SIZE(levels) == N_FINDING_LEVELS, "one for each enum finding_level");

static struct json_object *finding_json(const struct finding *one, int *err)
{
	struct json_object *o = json_object_new_object();

	json_add_text(o, "name", one->name, err);
	json_add_text(o, "level", levels[one->level].name, err);
	json_add_text(o, "says", one->says, err);
	json_add_text(o, "fix", one->fix, err);
	return o;
}

static int print_json(const struct findings *f, bool enforces)
{
	_json_ struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	int err = o ? 0 : -ENOMEM;
	size_t i;

	json_add_flag(o, "enforces", enforces, &err);
	json_add(o, "findings", list, &err);
	for (i = 0; i < f->n && !err; i++)
		json_append(list, finding_json(&f->items[i], &err), &err);
	return err ? err : json_print(o);
}

static void print_one(const struct finding *one, bool colour)
{
	if (colour)
		printf("\033[%sm%s\033[0m  ", levels[one->level].colour, levels[one->level].sign);
	else
		printf("%s  ", levels[one->level].sign);
	text_show(stdout, one->says, strlen(one->says));
	putchar('\n');
	if (one->fix) {
		fputs("      to do: ", stdout);
		text_show(stdout, one->fix, strlen(one->fix));
		putchar('\n');
	}
}

static void print_text(const struct findings *f, bool all, bool enforces, bool root)
{
	bool colour = terminal_colour(STDOUT_FILENO);
	size_t i, n_ok = 0;

	for (i = 0; i < f->n; i++) {
		bool well = f->items[i].level <= FINDING_NOTE;

		n_ok += well;
		if (all || !well)
			print_one(&f->items[i], colour);
	}
	printf("this kernel %s%s", enforces ? "enforces" : "cannot enforce",
	       root ? "" : ", as far as can be seen without root");
	if (all)
		putchar('\n');
	else
		printf(" (%zu checks are in order; --all shows them)\n", n_ok);
}

int verb_doctor(int argc, char **argv)
{
	bool json = false, all = false, enforces = true, root = !geteuid();
	_findings_ struct findings f = {};
	int c, code, err = 0;
	size_t i;

	while ((c = cli_next(&cli, argc, argv, &code)) != -1) {
		if (c == -2)
			return code;
		json |= c == OPT_JSON;
		all |= c == OPT_ALL;
	}
	if (argc != optind)
		return cli_usage(&cli, "doctor takes no argument");
	doctor_kernel(&f, root);
	doctor_machine(&f, root);
	if (root)
		doctor_state(&f);
	if (f.no_memory)
		return exit_code(log_errno(ENOMEM, "cannot say everything"));
	for (i = 0; i < f.n; i++)
		enforces &= f.items[i].level != FINDING_FAIL;
	if (json)
		err = print_json(&f, enforces);
	else
		print_text(&f, all, enforces, root);
	return err ? EXIT_REFUSED : enforces ? EXIT_DONE : EXIT_KERNEL;
}
