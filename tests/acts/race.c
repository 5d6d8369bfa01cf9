// SPDX-License-Identifier: GPL-2.0-only
/*
 * Races: one thread changes what another one's system call is about, for some seconds. What was
 * gained is printed.
 */
#include <arpa/inet.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#include "act.h"

static volatile int stop;
static char **args;

static void *run_until(void *(*other)(void *), void (*own)(void), double seconds)
{
	struct timespec from, now;
	pthread_t t;

	pthread_create(&t, NULL, other, NULL);
	clock_gettime(CLOCK_MONOTONIC, &from);
	do {
		own();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - from.tv_sec + (now.tv_nsec - from.tv_nsec) / 1e9 < seconds);
	stop = 1;
	pthread_join(t, NULL);
	return NULL;
}

static void show_if(const char *path)
{
	char buf[256];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return;
	n = read(fd, buf, sizeof(buf));
	if (n > 0)
		fwrite(buf, 1, n, stdout);
	close(fd);
}

/* ---- a link that points now here, now there: work dir, allowed file, denied file ---- */

static char link_path[4096], other_path[4096];

static void *swap_links(void *unused)
{
	while (!stop)
		syscall(SYS_renameat2, AT_FDCWD, link_path, AT_FDCWD, other_path, RENAME_EXCHANGE);
	return unused;
}

static void open_link(void)
{
	show_if(link_path);
}

static void links(char **arg)
{
	snprintf(link_path, sizeof(link_path), "%s/a", arg[0]);
	snprintf(other_path, sizeof(other_path), "%s/b", arg[0]);
	must(symlink(arg[1], link_path), "symlink");
	must(symlink(arg[2], other_path), "symlink");
	run_until(swap_links, open_link, 1.5);
}

/* ---- directories moved about while a file below is opened: work dir, denied name ----
 * The denied file is named by its place; while an ancestor has another name its place is another. */

static void *swap_dirs(void *unused)
{
	char a[4096], b[4096];

	snprintf(a, sizeof(a), "%s/x", args[0]);
	snprintf(b, sizeof(b), "%s/y", args[0]);
	while (!stop) {
		rename(a, b);
		rename(b, a);
	}
	return unused;
}

static void open_below(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/x/%s", args[0], args[1]);
	show_if(path);
	snprintf(path, sizeof(path), "%s/y/%s", args[0], args[1]);
	show_if(path);
}

static void dirs(char **arg)
{
	args = arg;
	run_until(swap_dirs, open_below, 1.5);
}

/* ---- the path's bytes in memory change during the call: allowed file, denied file ---- */

static char flipping[4096];

static void *flip_bytes(void *unused)
{
	while (!stop) {
		memcpy(flipping, args[0], strlen(args[0]) + 1);
		__asm__ volatile("" ::: "memory");
		memcpy(flipping, args[1], strlen(args[1]) + 1);
		__asm__ volatile("" ::: "memory");
	}
	return unused;
}

static void open_flipping(void)
{
	show_if(flipping);
}

static void bytes(char **arg)
{
	args = arg;
	strcpy(flipping, arg[0]);
	run_until(flip_bytes, open_flipping, 1.0);
}

/* ---- the address in memory changes during connect or sendto: allowed port, denied port, text ---- */

static struct sockaddr_in where;

static void *flip_port(void *unused)
{
	uint16_t good = htons(atoi(args[0])), bad = htons(atoi(args[1]));

	volatile in_port_t *port = &where.sin_port;

	while (!stop) {
		*port = good;
		*port = bad;
	}
	return unused;
}

static void connect_flipping(void)
{
	int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");

	if (!connect(fd, (struct sockaddr *)&where, sizeof(where)) &&
	    send(fd, args[2], strlen(args[2]), MSG_NOSIGNAL) > 0)
		shutdown(fd, SHUT_WR);
	close(fd);
}

static void sendto_flipping(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	sendto(fd, args[2], strlen(args[2]), 0, (struct sockaddr *)&where, sizeof(where));
}

static void sendmsg_flipping(void)
{
	static int fd = -1;
	struct iovec iov = { args[2], strlen(args[2]) };
	struct mmsghdr m[2] = {};

	if (fd < 0)
		fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	for (int i = 0; i < 2; i++)
		m[i].msg_hdr = (struct msghdr){ .msg_name = &where, .msg_namelen = sizeof(where),
						.msg_iov = &iov, .msg_iovlen = 1 };
	sendmsg(fd, &m[0].msg_hdr, 0);
	sendmmsg(fd, m, 2, 0);
}

/* The text is printed when the socket has the denied port. */
static void bind_flipping(void)
{
	int fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	struct sockaddr_in got = {};
	socklen_t len = sizeof(got);

	if (!bind(fd, (struct sockaddr *)&where, sizeof(where)) &&
	    !getsockname(fd, (struct sockaddr *)&got, &len) && got.sin_port == htons(atoi(args[1])))
		printf("%s", args[2]);
	close(fd);
}

static void address(char **arg, void (*own)(void))
{
	args = arg;
	where.sin_family = AF_INET;
	inet_pton(AF_INET, "127.0.0.1", &where.sin_addr);
	run_until(flip_port, own, 0.6);
}

static void connecting(char **arg)
{
	address(arg, connect_flipping);
}

static void sending(char **arg)
{
	address(arg, sendto_flipping);
}

static void sending_messages(char **arg)
{
	address(arg, sendmsg_flipping);
}

static void binding(char **arg)
{
	address(arg, bind_flipping);
}

static const struct verb verbs[] = {
	{ "links", 3, links },	 { "dirs", 2, dirs },	    { "bytes", 2, bytes },
	{ "connect", 3, connecting }, { "sendto", 3, sending },
	{ "sendmsg", 3, sending_messages }, { "bind", 3, binding },
};
VERBS_MAIN(verbs)
