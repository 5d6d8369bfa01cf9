// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file system of one's own by FUSE, without a library: /fine, /vault and /vault/key, each file with the
 * text that it was given.
 */
#include <linux/fuse.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>

#include "act.h"

enum node { ROOT = 1, FINE, VAULT, KEY };

static const char *text;

static bool is_dir(uint64_t node)
{
	return node == ROOT || node == VAULT;
}

static struct fuse_attr attr_of(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node,
		.mode = is_dir(node) ? S_IFDIR | 0777 : S_IFREG | 0777,
		.nlink = 1,
		.size = is_dir(node) ? 0 : strlen(text),
		.blksize = 4096,
	};
}

static uint64_t looked_up(uint64_t in, const char *name)
{
	if (in == ROOT && !strcmp(name, "fine"))
		return FINE;
	if (in == ROOT && !strcmp(name, "vault"))
		return VAULT;
	return in == VAULT && !strcmp(name, "key") ? KEY : 0;
}

static void answer(int fd, const struct fuse_in_header *in, int error, const void *data, size_t len)
{
	char out[8192];
	struct fuse_out_header head = { .len = sizeof(head) + len, .error = error,
					.unique = in->unique };

	memcpy(out, &head, sizeof(head));
	if (len)
		memcpy(out + sizeof(head), data, len);
	if (write(fd, out, head.len) < 0)
		perror("fuse");
}

static void answer_lookup(int fd, const struct fuse_in_header *in, const char *name)
{
	uint64_t node = looked_up(in->nodeid, name);
	struct fuse_entry_out e = { .nodeid = node, .attr = attr_of(node) };

	if (node)
		answer(fd, in, 0, &e, sizeof(e));
	else
		answer(fd, in, -ENOENT, NULL, 0);
}

static void answer_read(int fd, const struct fuse_in_header *in, const struct fuse_read_in *r)
{
	size_t len = strlen(text), from = r->offset < len ? r->offset : len;
	size_t n = len - from < r->size ? len - from : r->size;

	answer(fd, in, 0, text + from, n);
}

static void request(int fd, const struct fuse_in_header *in, const void *arg)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION, .minor = 31,
				      .max_write = 4096, .max_readahead = 4096 };
	struct fuse_attr_out attr = { .attr = attr_of(in->nodeid) };
	struct fuse_open_out open = {};

	switch (in->opcode) {
	case FUSE_INIT:
		answer(fd, in, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		answer_lookup(fd, in, arg);
		break;
	case FUSE_GETATTR:
		answer(fd, in, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		answer(fd, in, 0, &open, sizeof(open));
		break;
	case FUSE_READ:
		answer_read(fd, in, arg);
		break;
	case FUSE_READDIR:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_FLUSH:
		answer(fd, in, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		answer(fd, in, -ENOSYS, NULL, 0);
	}
}

static _Noreturn void serve_on(int fd)
{
	static char buf[65536] __attribute__((aligned(8)));

	while (read(fd, buf, sizeof(buf)) > 0)
		request(fd, (void *)buf, buf + sizeof(struct fuse_in_header));
	exit(0);
}

static int mounted(const char *at)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	char options[128];

	if (fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		skip("no FUSE");
	must(fd, "/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40777,user_id=%u,group_id=%u,allow_other", fd,
		 geteuid(), getegid());
	must(mount("fuse", at, "fuse", MS_NOSUID | MS_NODEV, options), "mount");
	return fd;
}

/* mount point, text: for others, until it is unmounted */
static void serve(char **arg)
{
	text = arg[1];
	serve_on(mounted(arg[0]));
}

/* mount point, text, name: in a sandbox of its own, and reads it */
static void own(char **arg)
{
	char path[4096];
	pid_t server;
	int fd;

	text = arg[1];
	fd = mounted(arg[0]);
	server = must(fork(), "fork");
	if (!server)
		serve_on(fd);
	close(fd);
	snprintf(path, sizeof(path), "%s/%s", arg[0], arg[2]);
	fd = open(path, O_RDONLY);
	if (fd >= 0)
		show(fd);
	else
		perror(path);
	kill(server, SIGKILL);
}

static const struct verb verbs[] = {
	{ "serve", 2, serve },
	{ "own", 3, own },
};
VERBS_MAIN(verbs)
