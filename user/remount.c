/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The same policies by other names. */
#include <inttypes.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/wait.h>

#include "agent.h"
#include "cli.h"
#include "images.h"
#include "journal.h"
#include "log.h"
#include "mounts.h"
#include "naming.h"
#include "remount.h"
#include "state.h"
#include "util.h"

struct follower {
	struct engine *e;
	int dir;
	struct places places;
	uint64_t mounts; /* digest of what is mounted */
};

static void told_not(const struct agent_record *a, const char *why)
{
	struct event ev = {};

	log_warn("agent %s: mounts have changed, but %s", a->name, why);
	event_set(&ev, EV_EVENT, "policy.rejected");
	event_set(&ev, EV_AGENT, a->name);
	event_setf(&ev, EV_UID, "%016" PRIx64, a->uid);
	event_set(&ev, EV_POLICY, a->policy_name);
	event_set_number(&ev, EV_GENERATION, a->generation);
	event_setf(&ev, EV_MESSAGE,
		   "mounts have changed, but %s: its rules do not hold for paths below new bind "
		   "mounts; `hydraguard reload %s` makes them",
		   why, a->name);
	event_set_number(&ev, EV_PID, getpid());
	event_setf(&ev, EV_USER, "%u", getuid());
	journal_put(&ev);
}

/* As it was read when it was loaded; NULL: it is another one by now, or cannot be read; told. */
static struct policy *policy_again(const struct agent_record *a)
{
	struct policy_params params = {
		.name = a->name, .home = a->home, .workspace = a->workspace, .search = cli_search};
	struct policy *p = NULL;
	struct diags d = {};
	int err;

	if (!strcmp(a->policy_file, "-")) {
		told_not(a, "its policy came from standard input");
		return NULL;
	}
	err = chdir(a->cwd) ? -errno : cli_policy_load(a->policy_file, &params, &d, &p);
	diags_clear(&d);
	if (err) {
		told_not(a, "its policy cannot be read any more");
		return NULL;
	}
	if (p->sources == a->sources)
		return p;
	policy_free(p);
	told_not(a, "its policy has been edited since it was loaded");
	return NULL;
}

static int same_image(const struct follower *f, const struct agent_record *a,
		      const struct policy *p, bool *ret)
{
	_generation_ struct generation_record g = {};
	int err = generation_read(f->dir, a->name, a->generation, &g);

	*ret = !err && g.image == image_head(p->image)->uid;
	return err;
}

static int agent_follow(struct follower *f, struct agent_record *a)
{
	uint32_t slot = (uint32_t)f->e->agent[a->number].policy;
	_policy_ struct policy *p = NULL;
	bool same = true;
	int err;

	if (!agent_is_live(f->e, a))
		return 0;
	if (a->mounts != f->mounts) {
		p = policy_again(a);
		if (!p)
			return 0;
		err = same_image(f, a, p, &same);
		if (err)
			return log_errno(err, "agent %s: cannot read its rule table", a->name);
	}
	if (!same)
		return agent_reload(f->e, a, p);
	/* Its rules have the names they had; places that were held back may begin. */
	err = image_start(f->e, slot, &f->places);
	if (err || !p)
		return err;
	a->mounts = mount_names_digest(&p->mounts);
	err = agent_record_write(f->dir, a);
	return err ? log_errno(err, "agent %s: cannot keep its record", a->name) : 0;
}

static int remount_follow(void)
{
	_close_ int lock = state_lock(), dir = -1;
	_mount_names_ struct mount_names mounts = {};
	_records_ struct records agents = {};
	_engine_ struct engine *e = NULL;
	struct follower f = {};
	size_t i;
	int err;

	dir = lock < 0 ? lock : agents_dir_open(false);
	err = dir < 0 ? dir : records_read(dir, &agents);
	if (err || !agents.n)
		return err;
	err = engine_open(&e);
	if (!err)
		err = mounts_sync(e, &f.places);
	if (!err)
		err = naming_read(&mounts);
	f.e = e;
	f.dir = dir;
	f.mounts = err ? 0 : mount_names_digest(&mounts);
	for (i = 0; i < agents.n && !err; i++)
		if (agent_follow(&f, &agents.items[i]))
			log_error("agent %s: its policy stays as it was", agents.items[i].name);
	places_clear(&f.places);
	return err;
}

void remount_follow_apart(void)
{
	sigset_t none;
	pid_t pid = fork();

	if (pid < 0)
		log_errno(errno, "cannot fork");
	if (!pid) {
		/* Nobody is to wait for it, and no signal handling of the caller is to be its own.
		 */
		if (fork())
			_exit(0);
		close_range(STDERR_FILENO + 1, ~0u, 0);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		_exit(remount_follow() ? 1 : 0);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}
