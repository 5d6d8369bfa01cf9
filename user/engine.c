/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel side: pinned, opened, taken out. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>

#include "engine.h"
#include "kernel.h"
#include "log.h"
#include "object.h"
#include "paths.h"
#include "util.h"

#define MAPS_DIR     HG_PIN_DIR "/maps"
#define LINKS_DIR    HG_PIN_DIR "/links"
#define PROGRAMS_DIR HG_PIN_DIR "/programs"
#define BUILD_PREFIX "build-"
#define PIN_LEN	     256

struct engine_map {
	const char *name;
	size_t at;
};
#define MAP(field)                                                                                 \
	{                                                                                          \
#field, offsetof(struct engine, field)                                             \
	}
static const struct engine_map engine_maps[] = {
	MAP(agents),   MAP(cgroups),	 MAP(near),
	MAP(processes), MAP(spare_processes),
	MAP(counters), MAP(superblocks), MAP(starts),	 MAP(registrar),
	MAP(policies), MAP(rings),	 MAP(state),
	MAP(links),    MAP(link_filter), MAP(names),	 MAP(resolvers),
	MAP(budgets),  MAP(epoch),
};

static int *engine_fd(struct engine *e, size_t i)
{
	return (int *)((char *)e + engine_maps[i].at);
}

static struct engine *engine_new(void)
{
	struct engine *e = calloc(1, sizeof(*e));
	size_t i;

	if (!e)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(engine_maps); i++)
		*engine_fd(e, i) = -1;
	e->adopt_tasks = -1;
	e->list_processes = -1;
	return e;
}

#define AGENTS_SIZE (HG_AGENTS_MAX * sizeof(struct hg_agent))
#define NEAR_SIZE   (HG_NEAR_MAX * sizeof(struct hg_near))

/* An array map, in memory: NULL when it cannot be had. */
static void *map_memory(int map, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);

	return at == MAP_FAILED ? NULL : at;
}

void engine_close(struct engine *e)
{
	size_t i;

	if (!e)
		return;
	for (i = 0; i < ARRAY_SIZE(engine_maps); i++)
		if (*engine_fd(e, i) >= 0)
			close(*engine_fd(e, i));
	if (e->adopt_tasks >= 0)
		close(e->adopt_tasks);
	if (e->list_processes >= 0)
		close(e->list_processes);
	if (e->agent)
		munmap(e->agent, AGENTS_SIZE);
	if (e->beside)
		munmap(e->beside, NEAR_SIZE);
	if (e->filter)
		munmap(e->filter, sizeof(*e->filter));
	free(e);
}

/* Which build the pins are of. -ENOENT: none, or a load that did not finish. */
static int pinned_build(char *buf, size_t len)
{
	_closedir_ DIR *d = opendir(HG_PIN_DIR);
	struct dirent *entry;

	if (!d)
		return -errno;
	while ((entry = readdir(d))) {
		if (strncmp(entry->d_name, BUILD_PREFIX, strlen(BUILD_PREFIX)))
			continue;
		snprintf(buf, len, "%s", entry->d_name + strlen(BUILD_PREFIX));
		return 0;
	}
	return -ENOENT;
}

static int pinned_check(void)
{
	char pinned[64], own[32];
	int err = pinned_build(pinned, sizeof(pinned));

	if (err == -ENOENT)
		return err;
	if (err)
		return log_errno(err, "cannot open " HG_PIN_DIR " (are you root?)");
	object_build(own);
	if (!strcmp(own, pinned))
		return 0;
	log_error("the kernel side that is loaded is another build (%s, this one is %s); "
		  "run `hydraguard unload` (with --force when agents are attached), then try again",
		  pinned, own);
	return -ESTALE;
}

static int engine_open_maps(struct engine *e)
{
	char path[PIN_LEN];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(engine_maps); i++) {
		snprintf(path, sizeof(path), MAPS_DIR "/%s", engine_maps[i].name);
		*engine_fd(e, i) = bpf_obj_get(path);
		if (*engine_fd(e, i) < 0)
			return log_errno(errno, "cannot open %s", path);
	}
	e->adopt_tasks = bpf_obj_get(LINKS_DIR "/adopt_tasks");
	if (e->adopt_tasks < 0)
		return log_errno(errno, "cannot open " LINKS_DIR "/adopt_tasks");
	e->list_processes = bpf_obj_get(LINKS_DIR "/list_processes");
	e->agent = map_memory(e->agents, AGENTS_SIZE);
	e->beside = map_memory(e->near, NEAR_SIZE);
	e->filter = map_memory(e->link_filter, sizeof(*e->filter));
	e->epochs = map_memory(e->epoch, sizeof(*e->epochs));
	if (!e->agent || !e->beside || !e->filter || !e->epochs)
		return log_errno(errno, "cannot map the kernel side's tables");
	return 0;
}

int engine_open(struct engine **ret)
{
	_engine_ struct engine *e = NULL;
	int err = pinned_check();

	if (err)
		return err;
	e = engine_new();
	if (!e)
		return log_errno(ENOMEM, "cannot open the kernel side");
	err = engine_open_maps(e);
	if (err)
		return err;
	*ret = take(e);
	return 0;
}

static int bpffs_ensure(void)
{
	struct statfs fs;

	if (statfs(HG_PIN_PARENT, &fs))
		return log_errno(errno, "cannot use " HG_PIN_PARENT);
	if (fs.f_type == BPF_FS_MAGIC)
		return 0;
	if (mount("bpf", HG_PIN_PARENT, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700"))
		return log_errno(errno, "no BPF file system is mounted on " HG_PIN_PARENT
					", and it cannot be mounted");
	return 0;
}

static int pin_dirs_make(void)
{
	static const char *const dirs[] = {HG_PIN_DIR, MAPS_DIR, LINKS_DIR, PROGRAMS_DIR};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++)
		if (mkdir(dirs[i], 0700))
			return log_errno(errno, "cannot make %s", dirs[i]);
	return 0;
}

/* libbpf names .bss "<object>.bss", cut to 15 characters; bpffs takes no dot. */
static const char *pin_name(const struct bpf_map *map)
{
	const char *name = bpf_map__name(map), *dot = strchr(name, '.');

	if (!dot)
		return name;
	return strcmp(dot, ".bss") ? dot + 1 : "state";
}

static int pin_maps(struct bpf_object *obj)
{
	struct bpf_map *map;
	char path[PIN_LEN];

	bpf_object__for_each_map(map, obj)
	{
		if (!bpf_map__autocreate(map))
			continue;
		snprintf(path, sizeof(path), MAPS_DIR "/%s", pin_name(map));
		if (bpf_map__pin(map, path))
			return log_errno(errno, "cannot pin %s", path);
	}
	return 0;
}

static int attach_program(struct bpf_program *prog)
{
	const char *name = bpf_program__name(prog);
	struct bpf_link *link;
	char path[PIN_LEN];
	int err;

	snprintf(path, sizeof(path), LINKS_DIR "/%s", name);
	link = bpf_program__attach(prog);
	if (!link)
		return log_errno(errno, "cannot attach %s", name);
	err = bpf_link__pin(link, path);
	if (err)
		log_errno(err, "cannot pin %s", path);
	/* The pin holds it from now on. */
	bpf_link__destroy(link);
	return err;
}

/* What each agent's cgroup gets when the agent is attached. */
static int pin_program(struct bpf_program *prog)
{
	char path[PIN_LEN];

	snprintf(path, sizeof(path), PROGRAMS_DIR "/%s", bpf_program__name(prog));
	return bpf_program__pin(prog, path) ? log_errno(errno, "cannot pin %s", path) : 0;
}

/* What sees the payload of the connections in a map is held by the map. */
static int attach_payload(struct bpf_object *obj, struct bpf_program *prog)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, "guarded");

	if (!map || bpf_prog_attach(bpf_program__fd(prog), bpf_map__fd(map), BPF_SK_MSG_VERDICT, 0))
		return log_errno(map ? errno : ENOENT, "cannot attach %s", bpf_program__name(prog));
	return 0;
}

static int attach_one(struct bpf_object *obj, struct bpf_program *prog)
{
	switch (bpf_program__type(prog)) {
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_SOCK_OPS:
	case BPF_PROG_TYPE_CGROUP_SOCK_ADDR:
		return pin_program(prog);
	case BPF_PROG_TYPE_SK_MSG:
		return attach_payload(obj, prog);
	default:
		return attach_program(prog);
	}
}

static int attach_programs(struct bpf_object *obj)
{
	struct bpf_program *prog;
	int err;

	bpf_object__for_each_program(prog, obj)
	{
		if (!bpf_program__autoload(prog))
			continue;
		err = attach_one(obj, prog);
		if (err)
			return err;
	}
	return 0;
}

static int pin_build(void)
{
	char own[32], path[PIN_LEN];

	object_build(own);
	snprintf(path, sizeof(path), HG_PIN_DIR "/" BUILD_PREFIX "%s", own);
	return mkdir(path, 0700) ? log_errno(errno, "cannot make %s", path) : 0;
}

static int pin_all(struct bpf_object *obj)
{
	int err;

	err = pin_dirs_make();
	if (!err)
		err = pin_maps(obj);
	if (!err)
		err = attach_programs(obj);
	if (!err)
		err = pin_build();
	return err;
}

/* The kernel side reads a structure of the module overlay (bpf/overlay.h), whose types must be known
 * when it is loaded. Asking for the file system brings the module in, where there is one. */
static void overlay_bring(void)
{
	int fd = syscall(SYS_fsopen, "overlay", 0);

	if (fd >= 0)
		close(fd);
	else
		log_verbose("this kernel has no overlay file system");
}

static int load_and_pin(void)
{
	enum attachment how = ATTACH_LSM;
	struct bpf_object *obj;
	int err;

	overlay_bring();
	err = bpffs_ensure();
	if (!err)
		err = engine_unpin();
	if (!err)
		err = object_open(&obj);
	if (err)
		return err;
	err = object_load(obj, &how);
	if (!err)
		err = pin_all(obj);
	bpf_object__close(obj);
	if (err)
		engine_unpin();
	return err;
}

int engine_load(struct engine **ret)
{
	int err;

	/* Registering mounts goes by thread ids, as the first namespace counts them. */
	if (!kernel_pid_namespace_is_first()) {
		log_error("this process is in a pid namespace of its own (a container?); run "
			  "hydraguard on the host");
		return -EPERM;
	}
	err = engine_open(ret);
	if (err == -ENOENT) {
		err = load_and_pin();
		if (!err)
			err = engine_open(ret);
	}
	if (!err)
		object_warn_fallback();
	return err;
}

int engine_unpin(void)
{
	_close_ int dir = -1;
	char pinned[64];
	int err;

	dir = open(HG_PIN_PARENT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? 0 : log_errno(errno, "cannot open " HG_PIN_PARENT);
	/* First what says that the rest is whole. */
	while (!pinned_build(pinned, sizeof(pinned))) {
		char path[PIN_LEN];

		snprintf(path, sizeof(path), HG_PIN_DIR "/" BUILD_PREFIX "%s", pinned);
		if (rmdir(path))
			return log_errno(errno, "cannot remove %s", path);
	}
	err = remove_tree(dir, "hydraguard");
	return err ? log_errno(err, "cannot remove " HG_PIN_DIR) : 0;
}

int engine_strays(const struct engine *e, uint64_t *ret)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info), zero = 0;
	struct bpf_object *obj;
	_free_ char *bss = NULL;
	size_t offset;
	int err;

	err = object_open(&obj);
	if (err)
		return err;
	err = object_variable(obj, ".bss", "state", &offset);
	bpf_object__close(obj);
	if (err || bpf_obj_get_info_by_fd(e->state, &info, &len))
		return err ? err : -errno;
	if (offset + sizeof(struct hg_state) > info.value_size)
		return -EBADMSG;
	bss = malloc(info.value_size);
	if (!bss)
		return -ENOMEM;
	if (bpf_map_lookup_elem(e->state, &zero, bss))
		return -errno;
	*ret = ((struct hg_state *)(bss + offset))->strays;
	return 0;
}

/* Any rename changes rename_lock's sequence, with which each kept state is stamped. */
int engine_forget_directories(struct engine *e)
{
	static const char a[] = HG_RUN_DIR "/renamed-a", b[] = HG_RUN_DIR "/renamed-b";
	_close_ int fd = open(a, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	__atomic_fetch_add(&e->epochs->images, 1, __ATOMIC_SEQ_CST);
	if (fd < 0 || rename(a, b))
		return log_errno(errno, "cannot rename a file in " HG_RUN_DIR);
	return 0;
}

void engine_grace(void)
{
	struct timespec wait = {.tv_nsec = 50 * 1000000};

	/* MEMBARRIER_CMD_GLOBAL is synchronize_rcu(); kernels booted with nohz_full refuse it. */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		nanosleep(&wait, NULL);
}
