/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* hydraguard: the verb table. */
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "paths.h"
#include "util.h"
#include "verbs.h"

struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *does; /* NULL: not for people */
};

static const struct verb verbs[] = {
	{"run", verb_run, "run a command as an agent"},
	{"attach", verb_attach, "confine a cgroup that something else made"},
	{"detach", verb_detach, "end the confinement of an agent"},
	{"reload", verb_reload, "read an agent's policy again"},
	{"list", verb_list, "the agents there are"},
	{"status", verb_status, "agents with their counters, by rule"},
	{"tail", verb_tail, "the events"},
	{"check", verb_check, "say what is wrong with a policy"},
	{"explain", verb_explain, "say what a policy decides, and why"},
	{"doctor", verb_doctor, "what this kernel can do, and what to change"},
	{"unload", verb_unload, "take everything out of the kernel"},
	{"keeper", verb_keeper, NULL},
};

static void usage(FILE *f)
{
	size_t i;

	fputs("usage: hydraguard [--verbose] VERB [ARGUMENT]...\n\n", f);
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (verbs[i].does)
			fprintf(f, "  %-10s%s\n", verbs[i].name, verbs[i].does);
	fputs("\n`hydraguard VERB --help` tells of a verb. Exit codes: 0 done; 1 the answer is "
	      "no;\n"
	      "2 usage; 3 the kernel cannot enforce; 4 refused; run: the command's own, or 125.\n",
	      f);
}

int main(int argc, char **argv)
{
	static char self[32];
	size_t i;

	log_take_libbpf();
	if (argc > 1 && !strcmp(argv[1], "--verbose")) {
		log_level = LOG_VERBOSE;
		argc--;
		argv++;
	}
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("hydraguard " HG_VERSION);
		return EXIT_DONE;
	}
	for (i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name))
			continue;
		/* What getopt_long(3) says begins with it. */
		snprintf(self, sizeof(self), "hydraguard %s", verbs[i].name);
		argv[1] = self;
		return verbs[i].run(argc - 1, argv + 1);
	}
	log_error("no verb \"%s\"; `hydraguard --help` lists them", argv[1]);
	return EXIT_USAGE;
}
