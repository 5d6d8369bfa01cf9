/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The verbs of the command, a file for each. They get their own arguments (argv[0] is the verb) and
 * return the exit code.
 */
#ifndef HG_VERBS_H
#define HG_VERBS_H

/* Exit codes; `run` passes on the command's own. */
enum {
	EXIT_DONE = 0,
	EXIT_NO = 1, /* the answer is no, a policy has errors */
	EXIT_USAGE = 2,
	EXIT_KERNEL = 3,  /* the kernel cannot enforce */
	EXIT_REFUSED = 4, /* refused, not permitted, or broken */
};

/* For an error of a function that has told why. */
int exit_code(int err);

int verb_run(int argc, char **argv);
int verb_attach(int argc, char **argv);
int verb_detach(int argc, char **argv);
int verb_reload(int argc, char **argv);
int verb_list(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_tail(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_explain(int argc, char **argv);
int verb_doctor(int argc, char **argv);
int verb_unload(int argc, char **argv);
int verb_keeper(int argc, char **argv);

#endif
