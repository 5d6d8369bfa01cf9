/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `doctor` on the kernel: what it is built with, what it allows, each hook. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/utsname.h>

#include "doctor.h"
#include "kernel.h"
#include "object.h"
#include "util.h"

static void look_release(struct findings *f)
{
	struct utsname name;

	if (!uname(&name))
		found(f, "kernel.release", FINDING_OK, NULL, "Linux %s (%s)", name.release,
		      name.machine);
}

static void look_preemption(struct findings *f, const char *lsms)
{
	_free_ char *fix = NULL;
	const char *how;

	if (asprintf(&fix, "boot with `lsm=%s,bpf`", lsms) < 0)
		fix = NULL;
	switch (kernel_preemption(&how)) {
	case PREEMPT_NO:
		found(f, "kernel.lsm", FINDING_WARN, fix,
		      "bpf is not among the security modules (%s); the functions that call them "
		      "are "
		      "used instead, which is sound as the kernel is not fully preemptible (%s)",
		      lsms, how);
		return;
	case PREEMPT_YES:
		found(f, "kernel.lsm", FINDING_FAIL, fix,
		      "bpf is not among the security modules (%s), and the kernel is fully "
		      "preemptible (%s), so that there is no sound way around",
		      lsms, how);
		return;
	case PREEMPT_UNKNOWN:
		found(f, "kernel.lsm", FINDING_FAIL, fix,
		      "bpf is not among the security modules (%s), and whether the kernel is fully "
		      "preemptible cannot be learnt",
		      lsms);
	}
}

static void look_lsm(struct findings *f)
{
	_free_ char *lsms = NULL;
	int err = kernel_lsms(&lsms);

	if (err && geteuid())
		found(f, "kernel.lsm", FINDING_WARN, "run it as root",
		      "the active security modules cannot be learnt without root: %s",
		      strerror(-err));
	else if (err)
		found(f, "kernel.lsm", FINDING_FAIL, "mount securityfs on /sys/kernel/security",
		      "the active security modules cannot be learnt: %s", strerror(-err));
	else if (list_has(lsms, "bpf"))
		found(f, "kernel.lsm", FINDING_OK, NULL, "bpf is an active security module (%s)",
		      lsms);
	else
		look_preemption(f, lsms);
}

static void look_lockdown(struct findings *f)
{
	_close_ int fd = kernel_fs_open("securityfs", "/sys/kernel/security", "lockdown");
	char text[128];
	ssize_t n;

	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return;
	text[n] = 0;
	if (strstr(text, "[confidentiality]"))
		found(f, "kernel.lockdown", FINDING_FAIL, "boot without `lockdown=confidentiality`",
		      "lockdown mode confidentiality forbids BPF programs to read kernel memory");
}

static void look_symbols(struct findings *f)
{
	static const char *const names[] = {"rename_lock", "chrdevs", "misc_list"};
	uint64_t address;
	int err = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names) && !err; i++)
		err = kernel_symbol(names[i], &address);
	if (!err)
		found(f, "kernel.symbols", FINDING_OK, NULL, "/proc/kallsyms gives addresses");
	else if (err == -EACCES)
		found(f, "kernel.symbols", FINDING_FAIL, "sysctl kernel.kptr_restrict=1",
		      "/proc/kallsyms hides addresses even from root");
	else
		found(f, "kernel.symbols", FINDING_FAIL, "a kernel with CONFIG_KALLSYMS_ALL=y",
		      "/proc/kallsyms does not name rename_lock, chrdevs or misc_list");
}

/* What libbpf can probe without loading anything of ours. */
static void look_features(struct findings *f)
{
	static const struct {
		enum bpf_map_type type;
		const char *name, *words;
	} maps[] = {
		{BPF_MAP_TYPE_RINGBUF, "kernel.ringbuf", "ring buffers (5.8)"},
		{BPF_MAP_TYPE_ARRAY_OF_MAPS, "kernel.map_in_map", "maps in maps (4.12)"},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(maps); i++)
		if (libbpf_probe_bpf_map_type(maps[i].type, NULL) == 1)
			found(f, maps[i].name, FINDING_OK, NULL, "has %s", maps[i].words);
		else
			found(f, maps[i].name, FINDING_FAIL, "Linux 6.1 or newer",
			      "has no %s, or forbids them", maps[i].words);
	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_TRACEPOINT, BPF_FUNC_loop, NULL) == 1)
		found(f, "kernel.bpf_loop", FINDING_OK, NULL, "has bpf_loop (5.17)");
	else
		found(f, "kernel.bpf_loop", FINDING_FAIL, "Linux 6.1 or newer",
		      "has no bpf_loop (5.17), or forbids BPF");
}

static void look_config(struct findings *f)
{
	static const char *const needed[] = {
		"CONFIG_BPF_SYSCALL",	"CONFIG_BPF_JIT",	   "CONFIG_BPF_LSM",
		"CONFIG_SECURITY_PATH", "CONFIG_SECURITY_NETWORK", "CONFIG_DEBUG_INFO_BTF",
		"CONFIG_CGROUPS",
	};
	size_t i, n_set = 0;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		_free_ char *value = NULL;

		err = kernel_config(needed[i], &value);
		if (err == -ENODATA)
			break;
		if (err)
			found(f, "kernel.config", FINDING_FAIL, "a kernel that is built with it",
			      "%s is not set", needed[i]);
		else
			n_set++;
	}
	if (err == -ENODATA)
		found(f, "kernel.config", FINDING_NOTE, NULL,
		      "the build configuration is not to be found; features were probed instead");
	else if (n_set == ARRAY_SIZE(needed))
		found(f, "kernel.config", FINDING_OK, NULL, "all needed options are set");
}

static void look_jit(struct findings *f)
{
	_free_ char *value = NULL;

	if (!read_file(AT_FDCWD, "/proc/sys/net/core/bpf_jit_enable", 16, &value, NULL) &&
	    *value == '0')
		found(f, "kernel.jit", FINDING_FAIL, "sysctl net.core.bpf_jit_enable=1",
		      "the BPF compiler is switched off, without which nothing attaches");
}

static void look_program(struct findings *f, const struct btf *btf, const struct bpf_program *prog,
			 enum attachment how, size_t *n)
{
	struct chosen c;

	compat_choose(btf, prog, how, &c);
	if (c.choice == CHOICE_MISSING)
		found(f, "kernel.hook", FINDING_FAIL, "Linux 6.1 or newer", "%s (%s): %s",
		      bpf_program__name(prog), c.hook, c.why);
	else if (c.choice == CHOICE_LEAVE)
		found(f, "kernel.hook", FINDING_NOTE, NULL, "%s: %s", bpf_program__name(prog),
		      c.why);
	else
		++*n;
	chosen_clear(&c);
}

static enum attachment attachment_guess(void)
{
	_free_ char *lsms = NULL;

	return !kernel_lsms(&lsms) && !list_has(lsms, "bpf") ? ATTACH_FALLBACK : ATTACH_LSM;
}

static void look_hooks(struct findings *f)
{
	struct btf *btf = btf__load_vmlinux_btf();
	enum attachment how = attachment_guess();
	struct bpf_program *prog;
	struct bpf_object *obj;
	size_t n = 0;

	if (!btf) {
		found(f, "kernel.btf", FINDING_FAIL, "a kernel with CONFIG_DEBUG_INFO_BTF=y",
		      "it does not describe its types (/sys/kernel/btf/vmlinux)");
		return;
	}
	found(f, "kernel.btf", FINDING_OK, NULL, "it describes its types (BTF)");
	if (!object_open(&obj)) {
		bpf_object__for_each_program(prog, obj) look_program(f, btf, prog, how, &n);
		bpf_object__close(obj);
		found(f, "kernel.hooks", FINDING_OK, NULL, "%zu programs have a hook here", n);
	}
	btf__free(btf);
}

void doctor_kernel(struct findings *f, bool root)
{
	look_release(f);
	look_lsm(f);
	look_lockdown(f);
	look_config(f);
	look_jit(f);
	if (root) {
		look_features(f);
		look_symbols(f);
	}
	look_hooks(f);
}
