/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What verbs share: options, terminals, policies read for a person. */
#ifndef HG_CLI_H
#define HG_CLI_H

#include <getopt.h>
#include <stdbool.h>

#include "engine.h"
#include "record.h"
#include "../policy/policy.h"

/* A verb's options, for getopt_long(3) and for --help. */
struct cli {
	const char *usage;	      /* behind "usage: hydraguard " */
	const char *help;	      /* lines about the options; NULL: none */
	const struct option *options; /* ended by zeroes; "help" need not be there */
	const char *letters;	      /* short options; may start with '+' */
};

/*
 * The next option: its `val`, or -1 behind the last one. -2: the verb is to end with *ret_exit
 * (--help, or a mistake that has been told).
 */
int cli_next(const struct cli *cli, int argc, char **argv, int *ret_exit);
/* Tells how the verb is used; gives EXIT_USAGE. */
int cli_usage(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* May colours be written to it? */
bool terminal_colour(int fd);

/* Only root does this; tells why not. */
int cli_need_root(void);

/* policy_load() with what is mounted. */
int cli_policy_load(const char *file, const struct policy_params *params, struct diags *d,
		    struct policy **ret);

/*
 * Reads a policy and prints what is wrong with it. -EINVAL: it has errors. agent: whose policy
 * was refused, for the event; NULL: nobody's.
 */
int cli_policy(const char *file, const struct policy_params *params, const char *agent,
	       struct policy **ret);
/*
 * Names what is mounted, and where that gives other names than the policy was read with, reads it
 * again. Under state_lock().
 */
int cli_policy_settle(struct engine *e, const char *file, const struct policy_params *params,
		      const char *agent, struct policy **p);
/* Prints what is doubtful about a policy that is in order. */
void cli_policy_warn(const struct policy *p);

/* The record of an agent and the kernel side, for a verb that takes a NAME. Tells why. */
int cli_agent(const char *name, struct engine **ret_e, struct agent_record *ret);

static inline void policy_freep(struct policy **p)
{
	policy_free(*p);
}
#define _policy_ __attribute__((cleanup(policy_freep)))

/* Directories for `extends: NAME`. */
extern const char *const cli_search[];

#endif
