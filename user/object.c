/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel side's object file: opened, fitted to the kernel, loaded. */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <inttypes.h>

#include "../bpf/core/abi.h"
#include "hydraguard.skel.h"
#include "kernel.h"
#include "log.h"
#include "object.h"
#include "util.h"

int object_open(struct bpf_object **ret)
{
	DECLARE_LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "hydraguard");
	const void *bytes;
	size_t len;

	bytes = hydraguard_bpf__elf_bytes(&len);
	*ret = bpf_object__open_mem(bytes, len, &opts);
	return *ret ? 0 : log_errno(errno, "cannot open the kernel side");
}

void object_build(char *buf)
{
	const unsigned char *bytes;
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
	size_t len, i;

	bytes = hydraguard_bpf__elf_bytes(&len);
	for (i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	sprintf(buf, "%016" PRIx64, hash);
}

int object_variable(struct bpf_object *obj, const char *section, const char *name,
		    size_t *ret_offset)
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct btf_var_secinfo *var;
	const struct btf_type *t;
	int id, i;

	id = btf__find_by_name_kind(btf, section, BTF_KIND_DATASEC);
	if (id < 0)
		return -ENOENT;
	t = btf__type_by_id(btf, id);
	var = btf_var_secinfos(t);
	for (i = 0; i < btf_vlen(t); i++) {
		const struct btf_type *v = btf__type_by_id(btf, var[i].type);

		if (strcmp(btf__name_by_offset(btf, v->name_off), name))
			continue;
		*ret_offset = var[i].offset;
		return 0;
	}
	return -ENOENT;
}

static struct bpf_map *rodata_map(struct bpf_object *obj)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
	{
		const char *dot = strrchr(bpf_map__name(map), '.');

		if (dot && !strcmp(dot, ".rodata"))
			return map;
	}
	return NULL;
}

static int rodata_set(struct bpf_object *obj, const char *name, const void *value, size_t len)
{
	struct bpf_map *map = rodata_map(obj);
	_free_ char *data = NULL;
	const void *initial;
	size_t offset, size;

	if (!map || object_variable(obj, ".rodata", name, &offset))
		return -ENOENT;
	initial = bpf_map__initial_value(map, &size);
	if (!initial || offset + len > size)
		return -EINVAL;
	data = malloc(size);
	if (!data)
		return -ENOMEM;
	memcpy(data, initial, size);
	memcpy(data + offset, value, len);
	return bpf_map__set_initial_value(map, data, size);
}

/*
 * What the kernel side reads that BTF does not name. Paths are read while renames may happen, so it must
 * see the renames' sequence; and a device's number says what it is only beside its driver's name.
 */
static int set_symbol(struct bpf_object *obj, const char *symbol, const char *variable)
{
	uint64_t address;
	int err;

	err = kernel_symbol(symbol, &address);
	if (err == -EACCES) {
		log_error("this kernel hides its addresses even from root; allow it with "
			  "`sysctl kernel.kptr_restrict=1` and try again");
		return -EOPNOTSUPP;
	}
	if (err) {
		log_error("/proc/kallsyms does not name %s (CONFIG_KALLSYMS_ALL)", symbol);
		return -EOPNOTSUPP;
	}
	err = rodata_set(obj, variable, &address, sizeof(address));
	return err ? log_errno(err, "cannot set %s", variable) : 0;
}

static int attachment_fallback(const char *lsms, enum attachment *ret_how)
{
	const char *how;

	switch (kernel_preemption(&how)) {
	case PREEMPT_NO:
		break;
	case PREEMPT_YES:
		log_error("bpf is not among this kernel's security modules (%s), and without it a "
			  "fully preemptible kernel (%s) can skip a check; boot with "
			  "`lsm=%s,bpf`, or with `preempt=voluntary`",
			  lsms, how, lsms);
		return -EOPNOTSUPP;
	case PREEMPT_UNKNOWN:
		log_error("bpf is not among this kernel's security modules (%s), and whether the "
			  "kernel is fully preemptible cannot be learnt; boot with `lsm=%s,bpf`",
			  lsms, lsms);
		return -EOPNOTSUPP;
	}
	*ret_how = ATTACH_FALLBACK;
	return 0;
}

void object_warn_fallback(void)
{
	_free_ char *lsms = NULL;

	if (kernel_lsms(&lsms) || list_has(lsms, "bpf"))
		return;
	log_warn("bpf is not among this kernel's security modules; enforcing through the functions "
		 "that call them, which is sound only as long as the kernel is not fully "
		 "preemptible. "
		 "Better: boot with `lsm=%s,bpf`",
		 lsms);
}

int object_attachment(enum attachment *ret_how)
{
	_free_ char *lsms = NULL;
	int err = kernel_lsms(&lsms);

	if (err) {
		log_error("cannot learn which security modules are active "
			  "(/sys/kernel/security/lsm): %s",
			  strerror(-err));
		return err == -EPERM || err == -EACCES ? err : -EOPNOTSUPP;
	}
	*ret_how = ATTACH_LSM;
	if (list_has(lsms, "bpf"))
		return 0;
	return attachment_fallback(lsms, ret_how);
}

/* The same program on the function that calls the hook: what it returns is what the function
 * returns, and where it is not 0 the function is not run. */
static int program_retarget(struct bpf_program *prog, const struct chosen *c)
{
	int err;

	bpf_program__set_type(prog, BPF_PROG_TYPE_TRACING);
	err = bpf_program__set_expected_attach_type(prog, c->entry ? BPF_TRACE_FENTRY
								   : BPF_MODIFY_RETURN);
	if (!err)
		err = bpf_program__set_attach_target(prog, 0, c->target);
	if (err)
		log_errno(err, "cannot attach to %s", c->target);
	return err;
}

static int program_choose(const struct btf *btf, struct bpf_program *prog, enum attachment how)
{
	const char *name = bpf_program__name(prog);
	struct chosen c;
	int err = 0;

	compat_choose(btf, prog, how, &c);
	switch (c.choice) {
	case CHOICE_LEAVE:
		log_verbose("%s is not loaded: %s", name, c.why);
		err = bpf_program__set_autoload(prog, false);
		break;
	case CHOICE_MISSING:
		log_error("this kernel cannot enforce: %s (%s): %s", c.hook, name, c.why);
		err = -EOPNOTSUPP;
		break;
	case CHOICE_LOAD:
		err = bpf_program__set_autoload(prog, true);
		if (!err && c.target)
			err = program_retarget(prog, &c);
		break;
	}
	chosen_clear(&c);
	return err;
}

static int programs_choose(struct bpf_object *obj, enum attachment how)
{
	struct btf *btf = btf__load_vmlinux_btf();
	struct bpf_program *prog;
	int err = 0;

	if (!btf) {
		log_error("this kernel does not describe its types (/sys/kernel/btf/vmlinux is "
			  "missing); it needs CONFIG_DEBUG_INFO_BTF");
		return -EOPNOTSUPP;
	}
	bpf_object__for_each_program(prog, obj)
	{
		err = program_choose(btf, prog, how);
		if (err)
			break;
	}
	btf__free(btf);
	return err;
}

/*
 * Inode storage exists only where BPF LSM is active: the kernel side does without its cache of
 * directories then. A program that does not reach the map may be loaded without it.
 */
static int set_directories(struct bpf_object *obj, enum attachment how)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, "directories");
	bool cached = how == ATTACH_LSM;
	int err;

	if (!map)
		return 0;
	err = rodata_set(obj, "directories_cached", &cached, sizeof(cached));
	if (!err)
		err = rodata_set(obj, "arguments_read", &cached, sizeof(cached));
	if (!err || err == -ENOENT)
		err = bpf_map__set_autocreate(map, cached);
	return err ? log_errno(err, "cannot set up the cache of directories") : 0;
}

static int load_failed(int err)
{
	if (err == -EPERM)
		log_error("the kernel refuses to load BPF programs: root with CAP_BPF, CAP_PERFMON "
			  "and CAP_SYS_ADMIN is needed, outside of any container and of lockdown "
			  "mode `confidentiality`");
	else
		log_errno(err, "the kernel does not take the programs; `hydraguard doctor` says "
			       "what it lacks");
	return err == -EPERM || err == -ENOMEM ? err : -EOPNOTSUPP;
}

int object_load(struct bpf_object *obj, enum attachment *ret_how)
{
	int err;

	err = object_attachment(ret_how);
	if (!err)
		err = programs_choose(obj, *ret_how);
	if (!err)
		err = set_symbol(obj, "rename_lock", "rename_lock_address");
	if (!err)
		err = set_symbol(obj, "chrdevs", "chrdevs_address");
	if (!err)
		err = set_symbol(obj, "misc_list", "misc_list_address");
	if (!err)
		err = set_directories(obj, *ret_how);
	if (err)
		return err;
	err = bpf_object__load(obj);
	return err ? load_failed(err) : 0;
}
