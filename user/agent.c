/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Agents: attached, switched to another policy, detached. */
#include <bpf/bpf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/random.h>
#include <time.h>

#include "agent.h"
#include "agent_cgroups.h"
#include "budgets.h"
#include "cgroup.h"
#include "egress.h"
#include "images.h"
#include "journal.h"
#include "log.h"
#include "mounts.h"
#include "naming.h"
#include "reasons.h"
#include "ring.h"
#include "state.h"
#include "util.h"

/* Rule tables kept beside the one in force, for events and counters that still speak of them. */
#define GENERATIONS_KEPT 8

int agent_default_name(const struct records *agents, const char *policy, char **ret)
{
	char base[AGENT_NAME_MAX + 1], name[AGENT_NAME_MAX + 16];
	unsigned int n;

	agent_name_from(policy, base);
	base[AGENT_NAME_MAX - 8] = 0;
	for (n = 1; n <= HG_AGENTS_MAX; n++) {
		snprintf(name, sizeof(name), "%s-%u", base, n);
		if (records_taken(agents, name))
			continue;
		*ret = strdup(name);
		return *ret ? 0 : -ENOMEM;
	}
	return -ENOSPC;
}

bool agent_is_live(const struct engine *e, const struct agent_record *a)
{
	return __atomic_load_n(&e->agent[a->number].uid, __ATOMIC_ACQUIRE) == a->uid;
}

static int number_free(const struct engine *e, const struct records *agents, uint32_t *ret)
{
	uint32_t n;
	size_t i;

	for (n = 1; n < HG_AGENTS_MAX; n++) {
		if (e->agent[n].uid)
			continue;
		for (i = 0; i < agents->n && agents->items[i].number != n; i++)
			;
		if (i < agents->n)
			continue;
		*ret = n;
		return 0;
	}
	return log_errno(ENOSPC, "%d agents are attached, and there is no room for more",
			 HG_AGENTS_MAX - 1);
}

/* Random rather than counted: a counter would have to outlive every loss of /run. */
static int uid_new(uint64_t *ret)
{
	do {
		if (getrandom(ret, sizeof(*ret), 0) != sizeof(*ret))
			return log_errno(errno, "no random number");
	} while (!*ret);
	return 0;
}

static int ring_make(const struct engine *e, uint32_t number)
{
	_close_ int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "hg_ring", 0, 0, HG_RING_SIZE, NULL);

	if (fd < 0 || bpf_map_update_elem(e->rings, &number, &fd, BPF_ANY))
		return log_errno(errno, "cannot make room for the agent's events");
	return 0;
}

/* Reads a list of policy rules into the form in which it is kept. */
static int generation_from(const struct policy *p, uint32_t number, struct generation_record *g)
{
	size_t i;

	g->generation = number;
	g->image = image_head(p->image)->uid;
	g->mode = p->mode == POLICY_AUDIT ? HG_AUDIT : HG_ENFORCE;
	g->policy_name = strdup(p->name);
	g->rules = calloc(p->n_rules ? p->n_rules : 1, sizeof(*g->rules));
	if (!g->policy_name || !g->rules)
		return -ENOMEM;
	for (i = 0; i < p->n_rules; i++) {
		g->n_rules = i + 1;
		g->rules[i].line = p->rules[i].line;
		g->rules[i].file = strdup(p->rules[i].file);
		g->rules[i].text = strdup(p->rules[i].text);
		if (!g->rules[i].file || !g->rules[i].text)
			return -ENOMEM;
	}
	return 0;
}

static int generation_keep(int dir, const char *name, uint32_t number, const struct policy *p)
{
	_generation_ struct generation_record g = {};
	int err;

	err = generation_from(p, number, &g);
	if (!err)
		err = generation_write(dir, name, &g);
	return err ? log_errno(err, "agent %s: cannot keep its rule table", name) : 0;
}

static void policy_told(const struct agent_record *a, const char *event, const struct policy *p)
{
	struct event ev = {};

	event_set(&ev, EV_EVENT, event);
	event_set(&ev, EV_AGENT, a->name);
	event_setf(&ev, EV_UID, "%016" PRIx64, a->uid);
	event_set(&ev, EV_POLICY, p->name);
	event_set_number(&ev, EV_GENERATION, a->generation);
	event_set(&ev, EV_MODE, p->mode == POLICY_AUDIT ? "audit" : "enforce");
	event_setf(&ev, EV_IMAGE, "%016" PRIx64, (uint64_t)image_head(p->image)->uid);
	if (!strcmp(event, "agent.attached"))
		event_set(&ev, EV_CGROUP, a->cgroup);
	event_set_number(&ev, EV_PID, getpid());
	event_setf(&ev, EV_USER, "%u", getuid());
	journal_put(&ev);
}

static int record_from(const struct agent_request *req, const struct policy *p,
		       const struct records *agents, struct agent_record *a)
{
	a->policy_file = strdup(req->policy_file);
	a->policy_name = strdup(p->name);
	a->cgroup = realpath(req->cgroup, NULL);
	a->cwd = getcwd(NULL, 0);
	a->home = req->home ? strdup(req->home) : NULL;
	a->workspace = req->workspace ? strdup(req->workspace) : NULL;
	a->made_cgroup = req->made_cgroup;
	a->generation = 1;
	a->mounts = mount_names_digest(&p->mounts);
	a->sources = p->sources;
	a->attached = clock_ns(CLOCK_REALTIME);
	if (!a->cgroup)
		return log_errno(errno, "%s", req->cgroup);
	if (!a->policy_file || !a->policy_name || !a->cwd || (req->home && !a->home) ||
	    (req->workspace && !a->workspace))
		return log_errno(ENOMEM, "cannot attach");
	if (!req->name)
		return agent_default_name(agents, p->name, &a->name);
	a->name = strdup(req->name);
	return a->name ? 0 : log_errno(ENOMEM, "cannot attach");
}

static int request_check(const struct agent_request *req, const struct records *agents)
{
	size_t i;

	if (req->name && !agent_name_ok(req->name)) {
		log_error("agent name \"%s\": letters, digits, '-', '_' and '.', at most %d, not "
			  "starting with '-' or '.'",
			  req->name, AGENT_NAME_MAX);
		return -EINVAL;
	}
	if (req->name && records_taken(agents, req->name)) {
		log_error("an agent named %s is attached already; choose another --name, or "
			  "`hydraguard detach %s` first",
			  req->name, req->name);
		return -EEXIST;
	}
	for (i = 0; i < agents->n; i++) {
		if (strcmp(agents->items[i].cgroup, req->cgroup))
			continue;
		log_error("%s is agent %s already; `hydraguard reload %s` changes its policy",
			  req->cgroup, agents->items[i].name, agents->items[i].name);
		return -EEXIST;
	}
	return 0;
}

/* Its rules go by the names that file systems had when it was read. */
static int names_check(const struct policy *p)
{
	_mount_names_ struct mount_names now = {};
	int err = naming_read(&now);

	if (err || mount_names_digest(&now) == mount_names_digest(&p->mounts))
		return err;
	log_error("what is mounted has changed since the policy was read; try again");
	return -EAGAIN;
}

/* Everything but the cgroups: nothing depends on it yet. */
static int agent_prepare(struct engine *e, int dir, const struct policy *p, struct agent_record *a,
			 uint32_t *ret_slot)
{
	_places_ struct places places = {};
	struct hg_agent *live = &e->agent[a->number];
	int err;

	err = mounts_sync(e, &places);
	if (!err)
		err = names_check(p);
	if (!err)
		err = budgets_install(e, a->number, a->generation, p);
	if (!err)
		err = image_install(e, p->image, &places, ret_slot);
	if (!err)
		err = ring_make(e, a->number);
	if (!err)
		err = generation_keep(dir, a->name, a->generation, p);
	if (err)
		return err;
	err = agent_record_write(dir, a);
	if (err)
		return log_errno(err, "agent %s: cannot keep its record", a->name);
	*live = (struct hg_agent){
		.policy = *ret_slot | (uint64_t)a->generation << 32,
		.mode = p->mode == POLICY_AUDIT ? HG_AUDIT : HG_ENFORCE,
		.guarded = 1,
	};
	/* agent_name_ok() has seen that it fits. */
	snprintf(live->name, sizeof(live->name), "%s", a->name);
	__atomic_store_n(&live->uid, a->uid, __ATOMIC_RELEASE);
	return 0;
}

static void counters_remove(const struct engine *e, uint32_t number)
{
	struct hg_counter_key kept, next, *at = NULL;

	while (!bpf_map_get_next_key(e->counters, at, &next)) {
		if (next.agent == number) {
			bpf_map_delete_elem(e->counters, &next);
			continue;
		}
		kept = next;
		at = &kept;
	}
}

/* From the uid on: what a half-done attach has made as well. */
static void agent_remove(struct engine *e, uint32_t number, uint32_t slot)
{
	struct hg_agent *live = &e->agent[number];

	__atomic_store_n(&live->uid, 0, __ATOMIC_SEQ_CST);
	agent_cgroups_remove(e, number);
	/* A child cgroup that was being made when the loop above came by. */
	engine_grace();
	agent_cgroups_remove(e, number);
	__atomic_store_n(&live->policy, 0, __ATOMIC_SEQ_CST);
	image_drop(e, slot);
}

static void agent_forget(struct engine *e, int dir, const char *name, uint32_t number)
{
	int err;

	egress_detach(e, number);
	if (bpf_map_delete_elem(e->rings, &number) && errno != ENOENT)
		log_errno(errno, "agent %s: cannot remove its ring", name);
	counters_remove(e, number);
	budgets_remove(e, number, 0);
	err = remove_tree(dir, name);
	if (err)
		log_errno(err, "agent %s: cannot remove its record", name);
}

int agent_attach(struct engine *e, const struct agent_request *req, const struct policy *p,
		 struct agent_record *ret)
{
	_close_ int dir = agents_dir_open(true);
	_records_ struct records agents = {};
	_record_ struct agent_record a = {};
	_close_ int cgroup = -1;
	uint32_t slot = 0;
	int err;

	err = dir < 0 ? dir : records_read(dir, &agents);
	if (!err)
		err = request_check(req, &agents);
	if (!err)
		err = record_from(req, p, &agents, &a);
	if (!err)
		err = agent_cgroup_open(e, &agents, a.cgroup, &cgroup, &a.cgroup_id);
	if (!err)
		err = number_free(e, &agents, &a.number);
	if (!err)
		err = uid_new(&a.uid);
	if (err)
		return err;
	/* What an attach that was killed has left under this name. */
	err = remove_tree(dir, a.name);
	if (err)
		return log_errno(err, "agent %s: cannot clear its directory", a.name);
	err = egress_attach(e, a.number, cgroup, p);
	if (!err)
		err = agent_prepare(e, dir, p, &a, &slot);
	if (!err)
		err = agent_cgroups_add(e, &a, cgroup);
	if (err) {
		agent_remove(e, a.number, slot);
		agent_forget(e, dir, a.name, a.number);
		return err;
	}
	policy_told(&a, "agent.attached", p);
	*ret = a;
	a = (struct agent_record){};
	return 0;
}

/* Sums of what old generations counted go into the record, and their tables and counters away, so
 * that reloading for ever fills nothing. */
static void generations_retire(struct engine *e, int dir, struct agent_record *a)
{
	struct hg_counter_key kept, next, *at = NULL;
	_free_ uint32_t *numbers = NULL;
	struct hg_counter c;
	size_t n, i;

	if (a->generation <= GENERATIONS_KEPT || generations_list(dir, a->name, &numbers, &n) ||
	    !n || numbers[0] > a->generation - GENERATIONS_KEPT)
		return;
	while (!bpf_map_get_next_key(e->counters, at, &next)) {
		if (next.agent == a->number &&
		    next.generation <= a->generation - GENERATIONS_KEPT &&
		    !bpf_map_lookup_elem(e->counters, &next, &c)) {
			a->retired_hits += c.hits;
			bpf_map_delete_elem(e->counters, &next);
			continue;
		}
		kept = next;
		at = &kept;
	}
	for (i = 0; i < n && numbers[i] <= a->generation - GENERATIONS_KEPT; i++)
		generation_remove(dir, a->name, numbers[i]);
}

static int reload_prepare(struct engine *e, int dir, const struct agent_record *a,
			  const struct policy *p, uint32_t *ret_slot)
{
	_places_ struct places places = {};
	int err;

	err = mounts_sync(e, &places);
	if (!err)
		err = names_check(p);
	if (!err)
		err = egress_resolvers(e, a->number, p);
	if (!err)
		err = budgets_install(e, a->number, a->generation + 1, p);
	if (!err)
		err = image_install(e, p->image, &places, ret_slot);
	if (!err)
		err = generation_keep(dir, a->name, a->generation + 1, p);
	return err;
}

int agent_reload(struct engine *e, struct agent_record *a, const struct policy *p)
{
	struct hg_agent *live = &e->agent[a->number];
	_close_ int dir = agents_dir_open(true);
	_free_ char *policy_name = strdup(p->name);
	uint32_t slot = 0, old = (uint32_t)live->policy;
	int err;

	if (dir < 0 || !policy_name)
		return dir < 0 ? dir : log_errno(ENOMEM, "cannot reload");
	if (!agent_is_live(e, a)) {
		log_error("agent %s is not attached any more", a->name);
		return -ESRCH;
	}
	err = reload_prepare(e, dir, a, p, &slot);
	if (err) {
		generation_remove(dir, a->name, a->generation + 1);
		budgets_remove(e, a->number, a->generation);
		image_drop(e, slot);
		return err;
	}
	a->generation++;
	/* The one store that switches. */
	__atomic_store_n(&live->policy, slot | (uint64_t)a->generation << 32, __ATOMIC_SEQ_CST);
	__atomic_store_n(&live->mode, p->mode == POLICY_AUDIT ? HG_AUDIT : HG_ENFORCE,
			 __ATOMIC_SEQ_CST);
	if (old != slot)
		image_drop(e, old);
	budgets_remove(e, a->number, a->generation);
	free(a->policy_name);
	a->policy_name = take(policy_name);
	a->mounts = mount_names_digest(&p->mounts);
	a->sources = p->sources;
	generations_retire(e, dir, a);
	err = agent_record_write(dir, a);
	if (err)
		log_errno(err, "agent %s: generation %u is in force, but its record is not kept",
			  a->name, a->generation);
	policy_told(a, "policy.loaded", p);
	return err;
}

static void detach_drain(struct engine *e, int dir, const struct agent_record *a)
{
	_journal_ struct journal j = {-1, -1};
	_ring_ struct ring *r = NULL;
	struct decoder d;
	int err;

	err = journal_open(&j);
	if (err)
		return;
	err = decoder_open(&d);
	if (!err)
		err = ring_open(e, dir, a, &r);
	if (!err)
		err = ring_drain(r, &d, &j);
	if (err)
		log_errno(err, "agent %s: its last events are not in the log", a->name);
	decoder_close(&d);
}

static void detach_told(const struct agent_record *a, const struct agent_totals *t)
{
	struct event ev = {};

	event_set(&ev, EV_EVENT, "agent.detached");
	event_set(&ev, EV_AGENT, a->name);
	event_setf(&ev, EV_UID, "%016" PRIx64, a->uid);
	event_set(&ev, EV_POLICY, a->policy_name);
	event_set_number(&ev, EV_GENERATION, a->generation);
	event_set_number(&ev, EV_DENIED, t->denied);
	event_set_number(&ev, EV_LOGGED, t->logged);
	event_set_number(&ev, EV_LOST, t->lost);
	event_set(&ev, EV_CGROUP, a->cgroup);
	event_set_number(&ev, EV_PID, getpid());
	event_setf(&ev, EV_USER, "%u", getuid());
	journal_put(&ev);
}

int agent_detach(struct engine *e, const struct agent_record *a, struct agent_totals *ret)
{
	struct hg_agent *live = &e->agent[a->number];
	_close_ int dir = agents_dir_open(true);
	_record_ struct agent_record now = {};
	struct agent_totals t = {};

	if (dir < 0)
		return dir;
	/* What is at hand may be from before a reload. */
	if (!agent_record_read(dir, a->name, &now) && now.uid == a->uid)
		a = &now;
	if (agent_is_live(e, a)) {
		agent_remove(e, a->number, (uint32_t)live->policy);
		t = (struct agent_totals){
			.denied = live->denied,
			.logged = live->logged,
			.lost = live->lost,
			.uncounted = live->uncounted,
		};
		detach_drain(e, dir, a);
	}
	agent_forget(e, dir, a->name, a->number);
	detach_told(a, &t);
	if (ret)
		*ret = t;
	return 0;
}
