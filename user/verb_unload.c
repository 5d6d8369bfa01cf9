/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `hydraguard unload`: everything out of the kernel. */
#include <bpf/bpf.h>
#include <fcntl.h>
#include <time.h>

#include "agent.h"
#include "cli.h"
#include "keeper.h"
#include "log.h"
#include "paths.h"
#include "state.h"
#include "util.h"
#include "verbs.h"

enum { OPT_FORCE = 1 };

#define GONE_TIMEOUT_MS 20000

static const struct option options[] = {
	{"force", no_argument, NULL, OPT_FORCE},
	{},
};
static const struct cli cli = {
	.usage = "unload [--force]",
	.help = "Takes programs, maps and state out; refused while agents are attached.\n"
		"  --force   with agents attached: they go on unconfined\n",
	.options = options,
};

/* So that their last events are kept and their end is told; what fails here is taken out anyway. */
static void agents_detach(const struct records *agents)
{
	_engine_ struct engine *e = NULL;
	size_t i;

	if (engine_open(&e))
		return;
	for (i = 0; i < agents->n; i++)
		agent_detach(e, &agents->items[i], NULL);
}

static int agents_check(bool force)
{
	_close_ int dir = agents_dir_open(false);
	_records_ struct records agents = {};
	int err;

	if (dir == -ENOENT)
		return 0;
	err = dir < 0 ? dir : records_read(dir, &agents);
	if (err)
		return log_errno(err, "cannot read " HG_AGENTS_DIR);
	if (!agents.n && !agents.n_broken)
		return 0;
	if (!force) {
		log_error(
			"%zu agents are attached (%s%s); detach them first, or use --force, which "
			"ends their confinement",
			agents.n + agents.n_broken,
			agents.n ? agents.items[0].name : agents.broken[0],
			agents.n + agents.n_broken > 1 ? ", ..." : "");
		return -EBUSY;
	}
	log_warn("%zu agents go on unconfined", agents.n + agents.n_broken);
	agents_detach(&agents);
	return 0;
}

/* All but the lock, which is held, and the sequence of the events, which goes on. */
static int state_remove(void)
{
	static const char *const files[] = {"places.json", "next-slot", "keeper.lock"};
	_close_ int dir = open(HG_RUN_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	size_t i;
	int err;

	if (dir < 0)
		return errno == ENOENT ? 0 : log_errno(errno, "cannot open " HG_RUN_DIR);
	err = remove_tree(dir, "agents");
	for (i = 0; i < ARRAY_SIZE(files) && !err; i++)
		if (unlinkat(dir, files[i], 0) && errno != ENOENT)
			err = -errno;
	return err ? log_errno(err, "cannot clear " HG_RUN_DIR) : 0;
}

/* The id of a map that is freed with the last program; 0: nothing is loaded, or by another build.
 */
static uint32_t engine_id(void)
{
	_close_ int fd = bpf_obj_get(HG_PIN_DIR "/maps/agents");
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);

	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

/* The kernel detaches programs one by one after their pins are gone. */
static void wait_gone(uint32_t id)
{
	struct timespec nap = {.tv_nsec = 50 * 1000000};
	int i;

	for (i = 0; id && i < GONE_TIMEOUT_MS / 50; i++) {
		_close_ int fd = bpf_map_get_fd_by_id(id);

		if (fd < 0)
			return;
		nanosleep(&nap, NULL);
	}
	if (id)
		log_warn("something still holds on to what was loaded; `bpftool map` and `bpftool "
			 "prog` "
			 "show what");
}

static int unload(bool force)
{
	_close_ int lock = state_lock();
	uint32_t id;
	int err;

	if (lock < 0)
		return lock;
	err = agents_check(force);
	if (!err)
		err = keeper_stop();
	if (err)
		return err;
	id = engine_id();
	err = engine_unpin();
	if (!err)
		err = state_remove();
	if (!err)
		wait_gone(id);
	return err;
}

int verb_unload(int argc, char **argv)
{
	bool force = false;
	int c, code, err;

	while ((c = cli_next(&cli, argc, argv, &code)) != -1) {
		if (c == -2)
			return code;
		force = true;
	}
	if (argc != optind)
		return cli_usage(&cli, "unload takes no argument");
	err = cli_need_root();
	return exit_code(err ? err : unload(force));
}
