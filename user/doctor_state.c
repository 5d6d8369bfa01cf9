/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* `doctor` on this machine: what is mounted, what is loaded, whether it works. */
#include <bpf/libbpf.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "cgroup.h"
#include "doctor.h"
#include "engine.h"
#include "journal.h"
#include "keeper.h"
#include "kernel.h"
#include "log.h"
#include "mounts.h"
#include "object.h"
#include "paths.h"
#include "places.h"
#include "survey.h"
#include "util.h"

static void look_cgroup(struct findings *f)
{
	_free_ char *mount = NULL;

	if (!cgroup_mount(&mount))
		found(f, "machine.cgroup2", FINDING_OK, NULL, "cgroup2 is mounted on %s", mount);
	else
		found(f, "machine.cgroup2", FINDING_FAIL,
		      "mount -t cgroup2 none /sys/fs/cgroup, or boot without "
		      "`systemd.unified_cgroup_hierarchy=0`",
		      "no cgroup2 hierarchy is mounted");
}

static void look_bpffs(struct findings *f)
{
	struct statfs fs;

	if (statfs(HG_PIN_PARENT, &fs))
		found(f, "machine.bpffs", FINDING_FAIL, "mount sysfs on /sys", HG_PIN_PARENT ": %s",
		      strerror(errno));
	else if (fs.f_type == BPF_FS_MAGIC)
		found(f, "machine.bpffs", FINDING_OK, NULL,
		      "a BPF file system is on " HG_PIN_PARENT);
	else
		found(f, "machine.bpffs", FINDING_NOTE, NULL,
		      "no BPF file system is on " HG_PIN_PARENT "; the first agent mounts one");
}

static void look_namespaces(struct findings *f, bool root)
{
	if (kernel_pid_namespace_is_first())
		found(f, "machine.pid_namespace", FINDING_OK, NULL, "this is the host");
	else
		found(f, "machine.pid_namespace", FINDING_FAIL, "run hydraguard on the host",
		      "this is a pid namespace of its own (a container?)");
	/* Only root can look at the first process's. */
	if (root && !mounts_in_first_namespace())
		found(f, "machine.mount_namespace", FINDING_WARN, NULL,
		      "this is a mount namespace of its own; policies mean the host's paths");
}

void doctor_machine(struct findings *f, bool root)
{
	look_namespaces(f, root);
	look_cgroup(f);
	look_bpffs(f);
}

/* The kernel's own word: everything is loaded, and nothing attached. */
static void look_trial(struct findings *f)
{
	enum attachment how = ATTACH_LSM;
	enum log_level level = log_level;
	struct bpf_object *obj;
	int err;

	if (object_open(&obj))
		return;
	if (log_level < LOG_VERBOSE)
		log_level = LOG_QUIET;
	err = object_load(obj, &how);
	log_level = level;
	bpf_object__close(obj);
	if (!err)
		found(f, "kernel.load", FINDING_OK, NULL, "it takes every program%s",
		      how == ATTACH_LSM ? "" : " (without BPF LSM)");
	else
		found(f, "kernel.load", FINDING_FAIL,
		      "what is amiss above; `hydraguard doctor --verbose` shows the kernel's words",
		      "it does not take the programs: %s", strerror(-err));
}

static void look_places(struct findings *f)
{
	_places_ struct places p = {};
	int err = places_read(&p);
	size_t i;

	if (err) {
		found(f, "state.places", FINDING_WARN, "hydraguard unload --force",
		      HG_RUN_DIR "/places.json is damaged: %s", strerror(-err));
		return;
	}
	found(f, "state.places", FINDING_OK, NULL, "%zu file systems have a name", p.n);
	for (i = 0; i < p.n_missing; i++)
		found(f, "state.unmapped", FINDING_WARN, NULL,
		      "%s (%s) has no name, so agents are denied all of it: %s", p.missing[i].path,
		      p.missing[i].type, p.missing[i].why);
}

static void look_agents(struct findings *f)
{
	_survey_ struct survey s = {};
	size_t i, n_strays = 0;
	pid_t pid;

	if (survey_make(NULL, false, &s)) {
		found(f, "state.agents", FINDING_WARN, "hydraguard unload --force",
		      "the agents cannot be looked at");
		return;
	}
	for (i = 0; i < s.n; i++) {
		n_strays += s.agents[i].n_strays;
		if (!s.agents[i].live)
			found(f, "state.agent", FINDING_WARN, "attach it anew",
			      "agent %s is NOT CONFINED: the kernel does not hold it",
			      s.agents[i].record.name);
		if (s.agents[i].missing)
			found(f, "state.agent", FINDING_WARN, "detach it and attach it anew",
			      "agent %s: the program %s is not on its cgroup any more",
			      s.agents[i].record.name, s.agents[i].missing);
		if (s.agents[i].lost)
			found(f, "state.agent", FINDING_WARN, NULL,
			      "agent %s has lost %" PRIu64 " events", s.agents[i].record.name,
			      s.agents[i].lost);
	}
	found(f, "state.agents", s.n_broken + s.n_unknown ? FINDING_WARN : FINDING_OK,
	      s.n_broken + s.n_unknown ? "hydraguard unload --force" : NULL,
	      "%zu agents are attached, %zu records are damaged, %zu are in the kernel only", s.n,
	      s.n_broken, s.n_unknown);
	if (n_strays)
		found(f, "state.strays", FINDING_WARN, NULL,
		      "%zu processes have left their agent's cgroup; they are confined", n_strays);
	if (keeper_alive(&pid))
		found(f, "state.keeper", FINDING_OK, NULL, "the keeper is process %d", pid);
	else if (s.n)
		found(f, "state.keeper", FINDING_WARN, "hydraguard tail, and see " HG_KEEPER_LOG,
		      "no keeper is running: events are not written down");
	else
		found(f, "state.keeper", FINDING_OK, NULL, "no agents, so no keeper");
}

void doctor_state(struct findings *f)
{
	_engine_ struct engine *e = NULL;
	int err = engine_open(&e);

	if (err == -ENOENT) {
		found(f, "state.loaded", FINDING_OK, NULL, "nothing is loaded");
		look_trial(f);
		return;
	}
	if (err == -ESTALE) {
		found(f, "state.loaded", FINDING_WARN, "hydraguard unload",
		      "another build is loaded");
		return;
	}
	if (err) {
		found(f, "state.loaded", FINDING_WARN, "hydraguard unload --force",
		      "what is loaded cannot be opened: %s", strerror(-err));
		return;
	}
	found(f, "state.loaded", FINDING_OK, NULL, "the programs are loaded");
	look_places(f);
	look_agents(f);
}
