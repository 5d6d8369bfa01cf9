/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The processes that are an agent's by their own record. */
#include <bpf/bpf.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include "agent_processes.h"
#include "log.h"
#include "util.h"

#define END_TIMEOUT_MS 5000

struct pids {
	uint32_t *items;
	size_t n;
};

static void pids_clear(struct pids *p)
{
	free(p->items);
}
#define _pids_ __attribute__((cleanup(pids_clear)))

static int pids_add(struct pids *p, uint32_t pid)
{
	uint32_t *more = reallocarray(p->items, p->n + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	p->items = more;
	more[p->n++] = pid;
	return 0;
}

static bool pids_have(const struct pids *p, uint32_t pid)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (p->items[i] == pid)
			return true;
	return false;
}

/* One pass of the kernel over all tasks. */
static int pids_list(const struct engine *e, uint32_t agent, struct pids *ret)
{
	_close_ int iter = bpf_iter_create(e->list_processes);
	struct hg_listed listed[512];
	ssize_t n;
	size_t i;
	int err;

	if (iter < 0)
		return -errno;
	for (;;) {
		/* Whole records: the kernel gives what one task wrote at once or not at all. */
		n = read(iter, listed, sizeof(listed));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (n % sizeof(*listed))
			return -EBADMSG;
		for (i = 0; i < n / sizeof(*listed); i++) {
			err = listed[i].agent == agent ? pids_add(ret, listed[i].pid) : 0;
			if (err)
				return err;
		}
	}
}

static int count_in(int map, const struct agent_record *a, size_t *n)
{
	struct hg_process p;
	__u64 at, next, *from = NULL;

	while (!bpf_map_get_next_key(map, from, &next)) {
		if (!bpf_map_lookup_elem(map, &next, &p) && p.uid == a->uid && p.agent == a->number)
			++*n;
		at = next;
		from = &at;
	}
	return errno == ENOENT ? 0 : -errno;
}

int agent_processes(const struct engine *e, const struct agent_record *a, size_t *ret)
{
	_pids_ struct pids p = {};
	int err;

	*ret = 0;
	if (e->list_processes >= 0) {
		err = pids_list(e, a->number, &p);
		*ret = p.n;
		return err;
	}
	err = count_in(e->processes, a, ret);
	return err ? err : count_in(e->spare_processes, a, ret);
}

/* By descriptors that are opened before the process is looked at a second time: a number alone may
 * be somebody else's by now. */
static int pids_kill(const struct engine *e, const struct agent_record *a)
{
	_pids_ struct pids before = {}, after = {};
	_free_ int *fds = NULL;
	size_t i;
	int err;

	err = pids_list(e, a->number, &before);
	fds = calloc(before.n + 1, sizeof(*fds));
	if (err || !fds)
		return err ? err : -ENOMEM;
	for (i = 0; i < before.n; i++)
		fds[i] = syscall(SYS_pidfd_open, before.items[i], 0);
	err = pids_list(e, a->number, &after);
	for (i = 0; i < before.n; i++) {
		if (fds[i] < 0)
			continue;
		if (!err && pids_have(&after, before.items[i]))
			syscall(SYS_pidfd_send_signal, fds[i], SIGKILL, NULL, 0);
		close(fds[i]);
	}
	return err;
}

int agent_processes_end(const struct engine *e, const struct agent_record *a)
{
	struct timespec nap = {.tv_nsec = 10 * 1000000};
	size_t n = 0;
	int err, i;

	for (i = 0; i < END_TIMEOUT_MS / 10; i++) {
		err = agent_processes(e, a, &n);
		if (!err && n && e->list_processes >= 0)
			err = pids_kill(e, a);
		if (err)
			return log_errno(err, "agent %s: cannot list its processes", a->name);
		if (!n)
			return 0;
		nanosleep(&nap, NULL);
	}
	log_error("agent %s: %zu of its processes are alive outside of its cgroup; it stays "
		  "attached, "
		  "and they stay confined. End them, then `hydraguard detach %s`",
		  a->name, n, a->name);
	return -EBUSY;
}
