/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the keeper does: one loop over rings, mounts, agents and signals. */
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>

#include "decode.h"
#include "engine.h"
#include "journal.h"
#include "keeper_work.h"
#include "log.h"
#include "mounts.h"
#include "naming.h"
#include "record.h"
#include "remount.h"
#include "ring.h"
#include "state.h"
#include "util.h"

/* How often it looks at what nothing wakes it for: losses without a later event, a log that
 * could not be written, a lock that another command held. */
#define TICK_MS	     1000
#define TICK_SOON_MS 50
/* Ticks without any agent after which it ends: `run` again and again needs no new keeper. */
#define IDLE_TICKS 3

struct keeper {
	struct engine *e;
	struct decoder decoder;
	struct journal journal;
	struct ring **rings;
	size_t n_rings, n_broken;
	int epoll, lock, signals, agents, mounts;
	bool rescan, remount, stop, log_broken;
	unsigned int idle;
	/* What policies were last brought to: a digest of mounts, and the next place's number. */
	uint64_t followed;
	uint32_t followed_next;
};

static int watch(struct keeper *k, int fd, uint32_t events, void *what)
{
	struct epoll_event ev = {.events = events, .data.ptr = what};

	return epoll_ctl(k->epoll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

/* One keeper at a time. */
static int lock_take(struct keeper *k)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	k->lock = open(KEEPER_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (k->lock < 0)
		return log_errno(errno, "cannot open " KEEPER_LOCK);
	if (fcntl(k->lock, F_SETLK, &lock)) {
		log_error("another keeper is running");
		return -EBUSY;
	}
	return 0;
}

static int signals_open(struct keeper *k)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	k->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return k->signals < 0 ? -errno : watch(k, k->signals, EPOLLIN, &k->signals);
}

static int agents_watch(struct keeper *k)
{
	k->agents = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (k->agents < 0 || inotify_add_watch(k->agents, HG_AGENTS_DIR,
					       IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_TO) < 0)
		return -errno;
	return watch(k, k->agents, EPOLLIN, &k->agents);
}

static int keeper_open(struct keeper *k)
{
	int err;

	k->epoll = epoll_create1(EPOLL_CLOEXEC);
	err = k->epoll < 0 ? -errno : signals_open(k);
	if (!err)
		err = agents_watch(k);
	if (!err) {
		k->mounts = mounts_watch();
		err = k->mounts < 0 ? k->mounts
				    : watch(k, k->mounts, EPOLLPRI | EPOLLERR, &k->mounts);
	}
	if (err)
		return log_errno(err, "the keeper cannot begin");
	err = journal_open(&k->journal);
	if (err)
		return err;
	err = engine_open(&k->e);
	if (err == -ENOENT)
		log_error("nothing is loaded, so there is nothing to keep");
	return err ? err : decoder_open(&k->decoder);
}

static void keeper_close(struct keeper *k)
{
	size_t i;

	for (i = 0; i < k->n_rings; i++)
		ring_close(k->rings[i]);
	free(k->rings);
	decoder_close(&k->decoder);
	journal_close(&k->journal);
	engine_close(k->e);
}

static void tell(struct keeper *k, const char *event)
{
	_event_ struct event ev = {};
	_batch_ struct batch b = {};
	int err;

	event_set(&ev, EV_EVENT, event);
	event_set(&ev, EV_MESSAGE, "keeper");
	event_set_number(&ev, EV_PID, getpid());
	event_setf(&ev, EV_USER, "%u", getuid());
	err = batch_add(&b, &ev);
	if (!err)
		err = journal_append(k->journal.dir, k->journal.seq_fd, &b);
	if (err)
		log_errno(err, "cannot write the event log");
}

static void ring_serve(struct keeper *k, struct ring *r)
{
	int err = ring_drain(r, &k->decoder, &k->journal);

	if (err && !k->log_broken)
		log_errno(err, "agent %s: its events cannot be written; they wait", ring_agent(r));
	k->log_broken = err;
}

static const struct agent_record *ring_record(const struct records *agents, const struct ring *r)
{
	struct agent_record *a = records_find(agents, ring_agent(r));

	return a && a->uid == ring_uid(r) ? a : NULL;
}

static bool ring_is_open(const struct keeper *k, const struct agent_record *a)
{
	size_t i;

	for (i = 0; i < k->n_rings; i++)
		if (ring_uid(k->rings[i]) == a->uid)
			return true;
	return false;
}

static void ring_add(struct keeper *k, int dir, const struct agent_record *a)
{
	struct ring **more = reallocarray(k->rings, k->n_rings + 1, sizeof(*more));
	struct ring *r = NULL;
	int err = more ? 0 : -ENOMEM;

	if (more)
		k->rings = more;
	if (!err)
		err = ring_open(k->e, dir, a, &r);
	if (!err)
		err = watch(k, ring_fd(r), EPOLLIN, r);
	if (err) {
		/* Being detached at this moment, or written down but not yet in the kernel. */
		if (err != -ENOENT)
			log_errno(err, "agent %s: cannot open its ring", a->name);
		ring_close(r);
		return;
	}
	k->rings[k->n_rings++] = r;
	ring_serve(k, r);
}

/* Opens the rings of new agents, and closes those of agents that are gone. */
static void agents_scan(struct keeper *k)
{
	_close_ int dir = agents_dir_open(false);
	_records_ struct records agents = {};
	size_t i;

	k->rescan = false;
	if (records_read(dir, &agents))
		return;
	if (agents.n_broken > k->n_broken)
		records_tell_broken(&agents);
	k->n_broken = agents.n_broken;
	for (i = k->n_rings; i-- > 0;) {
		if (ring_record(&agents, k->rings[i]))
			continue;
		/* By hand: a child that still has it open would keep its events coming. */
		epoll_ctl(k->epoll, EPOLL_CTL_DEL, ring_fd(k->rings[i]), NULL);
		ring_close(k->rings[i]);
		k->rings[i] = k->rings[--k->n_rings];
	}
	for (i = 0; i < agents.n; i++)
		if (!ring_is_open(k, &agents.items[i]))
			ring_add(k, dir, &agents.items[i]);
	if (agents.n + agents.n_broken)
		k->idle = 0;
}

/* 1: policies are to be brought to other names. */
static int mounts_name(struct keeper *k)
{
	_close_ int lock = state_trylock();
	_mount_names_ struct mount_names mounts = {};
	_places_ struct places places = {};
	uint64_t digest;

	/* Whoever holds it may be about to look at the mounts itself; again soon. */
	if (lock < 0)
		return 0;
	k->remount = false;
	if (mounts_sync(k->e, &places))
		log_error("file systems mounted since then are denied to agents");
	decoder_refresh(&k->decoder);
	if (naming_read(&mounts))
		return 0;
	digest = mount_names_digest(&mounts);
	if (digest == k->followed && places.next == k->followed_next)
		return 0;
	k->followed = digest;
	k->followed_next = places.next;
	return 1;
}

static void mounts_follow(struct keeper *k)
{
	/* Without the lock, which a child would hold on to. */
	if (mounts_name(k))
		remount_follow_apart();
}

/*
 * Ends when there has been no agent for a while. Under the lock, because a command that attaches
 * one looks under it whether there is a keeper.
 */
static bool idle_end(struct keeper *k)
{
	_records_ struct records agents = {};
	_close_ int lock = -1, dir = -1;

	if (k->n_rings || ++k->idle < IDLE_TICKS)
		return false;
	lock = state_trylock();
	if (lock < 0)
		return false;
	dir = agents_dir_open(false);
	if (records_read(dir, &agents) || agents.n || agents.n_broken) {
		k->idle = 0;
		return false;
	}
	close(take_fd(&k->lock));
	return true;
}

static void tick(struct keeper *k)
{
	size_t i;

	for (i = 0; i < k->n_rings; i++)
		ring_serve(k, k->rings[i]);
	agents_scan(k);
	if (k->remount)
		mounts_follow(k);
	if (idle_end(k))
		k->stop = true;
}

static void inotify_empty(int fd)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

static void handle(struct keeper *k, void *what)
{
	if (what == &k->signals) {
		k->stop = true;
	} else if (what == &k->agents) {
		inotify_empty(k->agents);
		k->rescan = true;
	} else if (what == &k->mounts) {
		k->remount = true;
	} else {
		ring_serve(k, what);
	}
}

static uint64_t now_ms(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

static void loop(struct keeper *k)
{
	struct epoll_event events[64];
	uint64_t next_tick = now_ms() + TICK_MS, now;
	int i, n, wait;

	while (!k->stop) {
		now = now_ms();
		wait = next_tick > now ? next_tick - now : 0;
		if (k->remount && wait > TICK_SOON_MS)
			wait = TICK_SOON_MS;
		/* A log that cannot be written would keep the rings readable for ever. */
		if (k->log_broken)
			usleep(TICK_SOON_MS * 1000);
		n = epoll_wait(k->epoll, events, ARRAY_SIZE(events), wait);
		for (i = 0; i < n; i++)
			handle(k, events[i].data.ptr);
		/* Rings are closed only here, when no event of theirs is at hand. */
		if (k->rescan)
			agents_scan(k);
		if (k->remount)
			mounts_follow(k);
		if (now_ms() >= next_tick) {
			tick(k);
			next_tick = now_ms() + TICK_MS;
		}
	}
}

/* The last thing the machine should kill when memory is short. */
static void protect(void)
{
	_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "-900", 4) < 0)
		log_verbose("cannot set oom_score_adj");
}

int keeper_work(int ready_fd)
{
	struct keeper k = {
		.decoder.cgroup_fd = -1,
		.journal = {-1, -1},
		.epoll = -1,
		.lock = -1,
		.signals = -1,
		.agents = -1,
		.mounts = -1,
	};
	int err;

	protect();
	if (!mounts_in_first_namespace() && mounts_enter_first_namespace())
		log_warn("cannot go to the first process's mount namespace");
	err = lock_take(&k);
	if (!err)
		err = keeper_open(&k);
	if (!err) {
		tell(&k, "daemon.started");
		agents_scan(&k);
		if (ready_fd >= 0 && write(ready_fd, "", 1) != 1)
			log_verbose("nobody waits for the keeper");
		if (ready_fd >= 0)
			close(ready_fd);
		k.remount = true;
		loop(&k);
		tell(&k, "daemon.stopped");
	}
	keeper_close(&k);
	if (k.lock >= 0)
		close(k.lock);
	if (k.epoll >= 0)
		close(k.epoll);
	if (k.signals >= 0)
		close(k.signals);
	if (k.agents >= 0)
		close(k.agents);
	if (k.mounts >= 0)
		close(k.mounts);
	return err;
}
