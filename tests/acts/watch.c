// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watching instead of opening: prints the names (and where the kernel gives a descriptor, the
 * contents) that the watch brings within two seconds. Writes "ready" to the file given last when
 * the watch stands.
 */
#include <poll.h>
#include <signal.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>

#include "act.h"

static void ready(const char *path)
{
	close(must(open(path, O_CREAT | O_WRONLY, 0666), path));
}

static int more(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 2000) > 0;
}

/* directory, ready */
static void in(char **arg)
{
	char buf[4096] __attribute__((aligned(8)));
	int fd = must(inotify_init1(0), "inotify_init");
	ssize_t n;

	must(inotify_add_watch(fd, arg[0], IN_ALL_EVENTS), "inotify_add_watch");
	ready(arg[1]);
	while (more(fd) && (n = read(fd, buf, sizeof(buf))) > 0) {
		for (char *p = buf; p < buf + n;) {
			struct inotify_event *e = (void *)p;

			if (e->len)
				printf("%s\n", e->name);
			p += sizeof(*e) + e->len;
		}
	}
}

static void fan_contents(int fd)
{
	char buf[4096] __attribute__((aligned(8))), text[256];
	ssize_t n = must(read(fd, buf, sizeof(buf)), "read"), got;
	struct fanotify_event_metadata *e = (void *)buf;

	for (; FAN_EVENT_OK(e, n); e = FAN_EVENT_NEXT(e, n)) {
		if (e->fd < 0)
			continue;
		got = pread(e->fd, text, sizeof(text), 0);
		if (got > 0)
			fwrite(text, 1, got, stdout);
		close(e->fd);
	}
}

static void fan(const char *path, unsigned int mark, const char *at)
{
	int fd = must(fanotify_init(FAN_CLASS_NOTIF, O_RDONLY), "fanotify_init");

	must(fanotify_mark(fd, FAN_MARK_ADD | mark, FAN_OPEN | FAN_CLOSE | FAN_EVENT_ON_CHILD,
			   AT_FDCWD, path), "fanotify_mark");
	ready(at);
	while (more(fd))
		fan_contents(fd);
}

static void fan_dir(char **arg)
{
	fan(arg[0], 0, arg[1]);
}

static void fan_mount(char **arg)
{
	fan(arg[0], FAN_MARK_MOUNT, arg[1]);
}

static void names(unsigned int mark, const char *path, const char *at)
{
	int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME, 0);
	char buf[8192] __attribute__((aligned(8)));
	ssize_t n;

	must(fd, "fanotify_init");
	must(fanotify_mark(fd, FAN_MARK_ADD | mark, FAN_CREATE | FAN_MOVED_TO, AT_FDCWD, path),
	     "fanotify_mark");
	ready(at);
	while (more(fd) && (n = read(fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, n, stdout);
}

/* Names of what happens anywhere in the file system that the path is on. */
static void fan_names(char **arg)
{
	names(FAN_MARK_FILESYSTEM, arg[0], arg[1]);
}

/* In the directory alone: what takes no privilege. */
static void fan_fid(char **arg)
{
	names(0, arg[0], arg[1]);
}

/* Asks to be asked before anything on the mount is opened, and never answers: whoever opens
 * something stands still until this ends. */
static void fan_stall(char **arg)
{
	int fd = must(fanotify_init(FAN_CLASS_CONTENT, O_RDONLY), "fanotify_init");

	/* Before: this one would wait too. */
	ready(arg[1]);
	must(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN_PERM, AT_FDCWD, arg[0]),
	     "fanotify_mark");
	printf("marked\n");
	fflush(stdout);
	sleep(3);
}

/* "read" or "write", file, ready: a lease on what is open for reading, never given back. */
static void lease(char **arg)
{
	int fd = must(open(arg[1], O_RDONLY), arg[1]), r;

	signal(SIGIO, SIG_IGN);
	r = fcntl(fd, F_SETLEASE, strcmp(arg[0], "read") ? F_WRLCK : F_RDLCK);
	if (r < 0)
		perror("F_SETLEASE");
	ready(arg[2]);
	if (!r)
		sleep(20);
}

static void hello(int sig)
{
	if (write(STDOUT_FILENO, "changed\n", 8) < 0)
		_exit(1);
}

/* F_NOTIFY: only that something changed, not what; the word is the argument. */
static void dir_notify(char **arg)
{
	int fd = must(open(arg[0], O_RDONLY), arg[0]);

	signal(SIGIO, hello);
	must(fcntl(fd, F_NOTIFY, DN_CREATE | DN_MODIFY | DN_MULTISHOT), "F_NOTIFY");
	ready(arg[1]);
	/* The signal ends it. */
	sleep(5);
}

static const struct verb verbs[] = {
	{ "inotify", 2, in },	   { "fanotify", 2, fan_dir }, { "fanotify-mount", 2, fan_mount },
	{ "fanotify-names", 2, fan_names }, { "fanotify-fid", 2, fan_fid },
	{ "fanotify-stall", 2, fan_stall },
	{ "dnotify", 2, dir_notify },	   { "lease", 3, lease },
};
VERBS_MAIN(verbs)
