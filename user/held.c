/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What processes have open already, by /proc. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "cgroup.h"
#include "held.h"
#include "util.h"

struct search {
	const struct policy *policy;
	struct helds *found;
	int pidfd;
	pid_t pid;
	char comm[17];
};

void held_clear(struct helds *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->items[i].object);
	free(h->items);
	*h = (struct helds){};
}

static uint16_t first_rule(const struct hg_out *out, uint8_t denied)
{
	unsigned i = 0;

	while (!(denied & HG_BIT(i)))
		i++;
	return out->rule[i];
}

/* Keeps it if `out` does not allow all of `held`. A library is mapped many times: told once. */
static int keep(struct search *s, int fd, const char *object, bool endpoint, uint8_t held,
		const struct hg_out *out)
{
	uint8_t denied = held & ~out->allow;
	struct helds *h = s->found;
	struct held *more;

	if (!denied)
		return 0;
	for (size_t i = h->n; fd < 0 && i-- > 0 && h->items[i].pid == s->pid;) {
		struct held *same = &h->items[i];

		if (!strcmp(same->object, object) && !(denied & ~same->denied))
			return 0;
	}
	more = reallocarray(h->items, h->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	h->items = more;
	more[h->n] = (struct held){
		.pid = s->pid,
		.fd = fd,
		.object = strdup(object),
		.endpoint = endpoint,
		.held = held,
		.denied = denied,
		.rule = first_rule(out, denied),
	};
	memcpy(more[h->n].comm, s->comm, sizeof(s->comm));
	return more[h->n++].object ? 0 : -ENOMEM;
}

static int judge_path(struct search *s, int fd, char *path, uint8_t actions)
{
	static const char gone[] = " (deleted)";
	size_t len = strlen(path);
	struct hg_out out;
	int err;

	/* Pipes, anonymous memory: nobody's place. */
	if (*path != '/' || !strncmp(path, "/memfd:", 7) || !strncmp(path, "/SYSV", 5))
		return 0;
	if (len > strlen(gone) && !strcmp(path + len - strlen(gone), gone))
		path[len -= strlen(gone)] = '\0';
	err = image_path(s->policy->image, path, len, &out);
	return err ? err : keep(s, fd, path, false, actions, &out);
}

/* ---- sockets ---- */

static int judge_address(struct search *s, int number, const struct sockaddr_storage *a,
			 uint8_t proto, unsigned action)
{
	const struct sockaddr_in6 *in6 = (const void *)a;
	const struct sockaddr_in *in = (const void *)a;
	char address[INET6_ADDRSTRLEN] = "", text[INET6_ADDRSTRLEN + 16];
	bool v4 = a->ss_family == AF_INET;
	uint16_t port = ntohs(v4 ? in->sin_port : in6->sin6_port);
	struct hg_endpoint ep = {};
	struct hg_out out;
	int err;

	if (v4)
		hg_endpoint_v4(&ep, (const void *)&in->sin_addr, proto, port, false);
	else
		hg_endpoint_v6(&ep, (const void *)&in6->sin6_addr, proto, port, false);
	inet_ntop(a->ss_family, v4 ? (const void *)&in->sin_addr : &in6->sin6_addr, address,
		  sizeof(address));
	snprintf(text, sizeof(text), v4 ? "%s:%u/%s" : "[%s]:%u/%s", address, port,
		 proto == HG_UDP ? "udp" : "tcp");
	err = image_endpoint(s->policy->image, &ep, &out);
	return err ? err : keep(s, number, text, true, HG_BIT(action), &out);
}

static int judge_socket(struct search *s, int number)
{
	_close_ int fd = syscall(SYS_pidfd_getfd, s->pidfd, number, 0);
	struct sockaddr_storage a = {};
	socklen_t len = sizeof(a);
	int family = 0, type = 0, listens = 0;
	uint8_t proto;

	/* Closed meanwhile. */
	if (fd < 0)
		return 0;
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &(socklen_t){sizeof(family)});
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){sizeof(type)});
	getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &(socklen_t){sizeof(listens)});
	if (family != AF_INET && family != AF_INET6)
		return 0;
	proto = type == SOCK_DGRAM ? HG_UDP : HG_TCP;
	if (!listens && !getpeername(fd, (void *)&a, &len))
		return judge_address(s, number, &a, proto, HG_CONNECT);
	len = sizeof(a);
	if (listens && !getsockname(fd, (void *)&a, &len))
		return judge_address(s, number, &a, proto, HG_LISTEN);
	return 0;
}

/* ---- descriptors and mappings ---- */

/* What a descriptor is open for; 0 where it only names a place. */
static int actions_of(int proc, const char *number, uint8_t *ret)
{
	_free_ char *text = NULL;
	char path[NAME_MAX + 8], *at;
	unsigned long flags;
	size_t len;
	int err;

	*ret = 0;
	snprintf(path, sizeof(path), "fdinfo/%s", number);
	err = read_file(proc, path, 1 << 20, &text, &len);
	if (err)
		return err;
	at = strstr(text, "flags:");
	if (!at)
		return -EBADMSG;
	flags = strtoul(at + strlen("flags:"), NULL, 8);
	if (flags & O_PATH)
		return 0;
	if ((flags & O_ACCMODE) != O_WRONLY)
		*ret |= HG_BIT(HG_READ);
	if ((flags & O_ACCMODE) == O_WRONLY || (flags & O_ACCMODE) == O_RDWR)
		*ret |= HG_BIT(HG_MODIFY);
	return 0;
}

static int search_descriptors(struct search *s, int proc)
{
	_close_ int dir = openat(proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_closedir_ DIR *list = dir < 0 ? NULL : fdopendir(dir);
	char target[PATH_MAX + 1];
	struct dirent *d;
	int err = 0;

	if (!list)
		return -errno;
	dir = dup(dirfd(list));
	while (!err && (d = readdir(list))) {
		uint8_t actions;
		ssize_t len;

		if (*d->d_name == '.')
			continue;
		len = readlinkat(dir, d->d_name, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		if (!strncmp(target, "socket:", 7))
			err = judge_socket(s, atoi(d->d_name));
		else if (!actions_of(proc, d->d_name, &actions) && actions)
			err = judge_path(s, atoi(d->d_name), target, actions);
	}
	return err;
}

/* A mapping outlives its descriptor. */
static int search_mappings(struct search *s, int proc)
{
	_close_ int fd = openat(proc, "maps", O_RDONLY | O_CLOEXEC);
	_fclose_ FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	_free_ char *line = NULL;
	size_t cap = 0;
	int err = 0;

	if (!f)
		return -errno;
	fd = -1;
	while (!err && getline(&line, &cap, f) > 0) {
		char *perms = strchr(line, ' '), *path = strchr(line, '/');
		uint8_t actions = HG_BIT(HG_READ);

		if (!perms || !path || perms > path)
			continue;
		path[strcspn(path, "\n")] = '\0';
		if (perms[2] == 'w' && perms[4] == 's')
			actions |= HG_BIT(HG_MODIFY);
		err = judge_path(s, -1, path, actions);
	}
	return err;
}

static int search_process(struct search *s, pid_t pid)
{
	_close_ int pidfd = syscall(SYS_pidfd_open, pid, 0), proc = -1;
	_free_ char *comm = NULL;
	char path[32];
	size_t len;
	int err;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (pidfd < 0 || proc < 0)
		return 0;
	s->pid = pid;
	s->pidfd = pidfd;
	snprintf(s->comm, sizeof(s->comm), "?");
	if (!read_file(proc, "comm", 64, &comm, &len)) {
		comm[strcspn(comm, "\n")] = '\0';
		snprintf(s->comm, sizeof(s->comm), "%.16s", comm);
	}
	err = search_descriptors(s, proc);
	if (!err)
		err = search_mappings(s, proc);
	/* Gone meanwhile is nothing; anything else is to be said. */
	if (err == -EACCES || err == -EPERM)
		s->found->n_unread++;
	return err == -ENOMEM ? err : 0;
}

static int search_cgroup(uint64_t id, int fd, void *ctx)
{
	_free_ char *text = NULL;
	char *save = NULL, *line;
	size_t len;
	int err;

	(void)id;
	err = read_file(fd, "cgroup.procs", 64 << 20, &text, &len);
	/* A threaded cgroup lists no processes; its root above does. */
	if (err)
		return err == -EOPNOTSUPP || err == -ENODEV || err == -ENOENT ? 0 : err;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		err = search_process(ctx, atoi(line));
		if (err)
			return err;
	}
	return 0;
}

int held_find(const char *cgroup, const struct policy *p, struct helds *ret)
{
	_close_ int fd = cgroup_open(cgroup);
	struct search s = {.policy = p, .found = ret};
	int err;

	if (fd < 0)
		return fd;
	err = search_cgroup(0, fd, &s);
	return err ? err : cgroup_walk(fd, search_cgroup, &s);
}
