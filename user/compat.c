/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of the kernel side's programs fit the running kernel. */
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "compat.h"
#include "kernel.h"
#include "util.h"

#define ANY_ARGS -1

/*
 * The programs whose hooks differ. A program that is not named here is needed, and its hook must be
 * there with any number of arguments. Of several for one hook the one with the hook's number of
 * arguments is loaded; where none has it, the kernel cannot enforce.
 */
struct difference {
	const char *program, *hook;
	int n_args;    /* the program is for a hook (or function) with so many */
	bool optional; /* the hook may be absent; `why` says what covers it then */
	const char *why;
};

static const struct difference differences[] = {
	/* Since 6.2 (3350607dc563, "security: Create file_truncate hook"). Until then
	 * security_path_truncate is called for ftruncate as well. */
	{"file_truncate", "file_truncate", ANY_ARGS, true,
	 "path_truncate sees ftruncate as well here"},
	/* Since 6.2 ("security: add get, remove and set acl hook"). Until then ACLs are set through
	 * security_inode_setxattr and _removexattr. */
	{"inode_set_acl", "inode_set_acl", ANY_ARGS, true, "inode_setxattr sees ACLs here"},
	{"inode_remove_acl", "inode_remove_acl", ANY_ARGS, true,
	 "inode_removexattr sees ACLs here"},
	/* The hook is given the idmap as well since 6.9 (314a8dc728d0, "security: Align
	 * inode_setattr hook definition with EVM"). The function that calls it always was. */
	{"inode_setattr_2", "inode_setattr", 2, false, NULL},
	{"inode_setattr_3", "inode_setattr", 3, false, NULL},
	/* The hook has the protection asked for and the one given; the function that calls it works
	 * out the second itself. */
	{"mmap_file", "mmap_file", 4, false, NULL},
	{"mmap_file_3", "mmap_file", 3, false, NULL},
	/* Since 6.8 (f1bb47a31dff, "lsm: new security_file_ioctl_compat() hook"), and in 6.1 from
	 * .75 on; until then compat ioctls go through security_file_ioctl. */
	{"file_ioctl_compat", "file_ioctl_compat", ANY_ARGS, true,
	 "file_ioctl sees compat calls here"},
	/* Since 6.17 (inode_file_setattr: file_setattr(2) itself is as new). */
	{"inode_file_setattr", "inode_file_setattr", ANY_ARGS, true,
	 "file_setattr(2) does not exist here"},
	/* Since 6.15 (c6ad9fdbd44b): io_uring_setup(2) can be refused as a whole. */
	{"uring_allowed", "uring_allowed", ANY_ARGS, true,
	 "io_uring calls pass the same hooks as others"},
	/* Since 6.9 (35f96de04127): tokens do not exist before. */
	{"bpf_token_create", "bpf_token_create", ANY_ARGS, true, "BPF tokens do not exist here"},
};

/* Functions that are not named after the hook they call. */
static const struct {
	const char *hook, *function;
} functions[] = {
	{"sb_free_security", "security_sb_free"},
	{"sb_alloc_security", "security_sb_alloc"},
	{"bprm_check_security", "security_bprm_check"},
};

static const struct difference *difference_of(const char *program)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(differences); i++)
		if (!strcmp(differences[i].program, program))
			return &differences[i];
	return NULL;
}

/* Is any program for this hook with so many arguments? */
static bool variant_exists(const char *hook, int n_args)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(differences); i++)
		if (!strcmp(differences[i].hook, hook) && differences[i].n_args == n_args)
			return true;
	return false;
}

static bool tracepoint_exists(const struct btf *btf, const char *name)
{
	char type[128];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) > 0;
}

static void choose_missing(const struct difference *d, const char *why, struct chosen *ret)
{
	ret->choice = d && d->optional ? CHOICE_LEAVE : CHOICE_MISSING;
	ret->why = d && d->optional ? d->why : why;
}

/* n_args: of what the program is to be attached to. */
static void choose_variant(const struct difference *d, int n_args, struct chosen *ret)
{
	if (!d || d->n_args == ANY_ARGS || d->n_args == n_args)
		return;
	ret->choice = variant_exists(d->hook, n_args) ? CHOICE_LEAVE : CHOICE_MISSING;
	ret->why = ret->choice == CHOICE_LEAVE ? "another program is for this kernel"
					       : "it has other arguments here";
}

static const char *function_of(const char *hook, char *buf, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(functions); i++)
		if (!strcmp(functions[i].hook, hook))
			return functions[i].function;
	snprintf(buf, len, "security_%s", hook);
	return buf;
}

/*
 * Onto the function that calls the hook. Its arguments are the hook's unless the table says
 * otherwise; where it returns nothing (sb_free_security), the program runs at its entry, which is
 * as early as the hook.
 */
static void choose_function(const struct btf *btf, const struct difference *d, int n_hook,
			    struct chosen *ret)
{
	char buf[128];
	const char *function = function_of(ret->hook, buf, sizeof(buf));
	int n_args = kernel_function(btf, function, &ret->entry);

	if (n_args < 0) {
		choose_missing(d, "the function that calls the hook is not there", ret);
		return;
	}
	if ((!d || d->n_args == ANY_ARGS) && n_args != n_hook) {
		ret->choice = CHOICE_MISSING;
		ret->why = "the function that calls the hook has other arguments";
		return;
	}
	choose_variant(d, n_args, ret);
	ret->target = strdup(function);
}

static void choose_hook(const struct btf *btf, const char *program, enum attachment how,
			struct chosen *ret)
{
	const struct difference *d = difference_of(program);
	char function[128];
	int n_args;

	snprintf(function, sizeof(function), "bpf_lsm_%s", ret->hook);
	n_args = kernel_function(btf, function, NULL);
	if (n_args < 0)
		choose_missing(d, "this kernel has no such hook", ret);
	else if (how == ATTACH_LSM)
		choose_variant(d, n_args, ret);
	else
		choose_function(btf, d, n_args, ret);
}

void compat_choose(const struct btf *btf, const struct bpf_program *prog, enum attachment how,
		   struct chosen *ret)
{
	const char *section = bpf_program__section_name(prog), *name = strchr(section, '/');

	*ret = (struct chosen){.choice = CHOICE_LOAD};
	name = name ? name + 1 : "";
	if (!strncmp(section, "lsm", 3)) {
		ret->hook = name;
		choose_hook(btf, bpf_program__name(prog), how, ret);
		if (!strncmp(section, "lsm.s/", 6) && how != ATTACH_LSM &&
		    ret->choice == CHOICE_LOAD) {
			ret->choice = CHOICE_LEAVE;
			ret->why = "only BPF LSM may sleep; what depends on arguments is refused";
		}
	} else if (!strncmp(section, "tp_btf/", 7)) {
		ret->hook = name;
		if (!tracepoint_exists(btf, name))
			choose_missing(difference_of(bpf_program__name(prog)),
				       "this kernel has no such tracepoint", ret);
	} else if (!strncmp(section, "fexit/", 6)) {
		ret->hook = name;
		if (kernel_function(btf, name, NULL) < 0)
			choose_missing(difference_of(bpf_program__name(prog)), "this kernel has no such function", ret);
	} else if (!strncmp(section, "syscall", 7)) {
		ret->choice = CHOICE_LEAVE;
		ret->why = "for tests";
	}
}

void chosen_clear(struct chosen *c)
{
	free((char *)c->target);
	*c = (struct chosen){};
}
