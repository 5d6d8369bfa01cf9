/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What system calls cost the process that makes them: medians over batches, in nanoseconds, which
 * are instructions in a guest started with --icount. Prints "NAME<TAB>MEDIAN" for each.
 *
 *   bench_syscalls [--landlock] [--denied PATH] [--only CALL] [--command NAME TEXT] ROOT
 *
 * Makes its files below ROOT. --landlock: confines itself first. --denied: fails unless reading
 * PATH is refused, so that nobody measures a confinement that is not there. --command: measures a
 * shell command as NAME, and nothing else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

#define N_CALLS 100
/* As many as there are kernel stacks kept for (kernel/fork.c: NR_CACHED_STACKS); a new one is dear. */
#define N_EXECS 2
/* Whole commands take as much as ten thousand opens and more. */
#define N_COMMANDS 5
#define NAME	"eighteen-bytes.txt"
_Static_assert(sizeof(NAME) - 1 == 18, "the documented length");

static char deep[256], deeper[256], deep_new[256], shallow[256], program[256], other[2][256];
static const char *command;

/* exit(0), as small as a program can be: one segment, no library, no interpreter. */
/* clang-format off */
static const uint8_t tiny[] = {
	0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 64 bits, little endian */
	2, 0, 62, 0, 1, 0, 0, 0,		/* executable, x86-64, version */
	0x78, 0, 0x40, 0, 0, 0, 0, 0,		/* entry: behind the headers */
	64, 0, 0, 0, 0, 0, 0, 0,		/* program headers */
	0, 0, 0, 0, 0, 0, 0, 0,			/* no sections */
	0, 0, 0, 0, 64, 0, 56, 0,		/* flags, header sizes */
	1, 0, 64, 0, 0, 0, 0, 0,		/* one program header */
	1, 0, 0, 0, 5, 0, 0, 0,			/* load, read and execute */
	0, 0, 0, 0, 0, 0, 0, 0,			/* from the file's start */
	0, 0, 0x40, 0, 0, 0, 0, 0,		/* to 0x400000 */
	0, 0, 0x40, 0, 0, 0, 0, 0,
	0x81, 0, 0, 0, 0, 0, 0, 0,		/* its length, in the file */
	0x81, 0, 0, 0, 0, 0, 0, 0,		/* and in memory */
	0, 0x10, 0, 0, 0, 0, 0, 0,		/* alignment */
	0x31, 0xff,				/* xor edi, edi */
	0xb8, 60, 0, 0, 0,			/* mov eax, exit */
	0x0f, 0x05,				/* syscall */
};
/* clang-format on */
_Static_assert(sizeof(tiny) == 0x81, "the length in the header");

static void file_make(const char *path, const void *data, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len || close(fd) < 0)
		die(path);
}

/* ROOT/aaa/…: with a ROOT such as /srv the file lies 6 directories deep. */
static void files_make(const char *root)
{
	static const char *const below[] = {"aaa", "bbb", "ccc", "ddd", "eee"};
	char dir[200];
	size_t i;

	snprintf(dir, sizeof(dir), "%.160s", root);
	for (i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		strcat(strcat(dir, "/"), below[i]);
		if (mkdir(dir, 0755) < 0 && errno != EEXIST)
			die(dir);
	}
	snprintf(deep, sizeof(deep), "%s/" NAME, dir);
	snprintf(deeper, sizeof(deeper), "%s", dir);
	for (i = 6; i < 20; i++) {
		strcat(deeper, "/d");
		if (mkdir(deeper, 0755) < 0 && errno != EEXIST)
			die(deeper);
	}
	strcat(deeper, "/" NAME);
	snprintf(other[0], sizeof(other[0]), "%.160s/one", root);
	snprintf(other[1], sizeof(other[1]), "%.160s/two", root);
	snprintf(deep_new, sizeof(deep_new), "%s/eighteen-bytes.new", dir);
	snprintf(program, sizeof(program), "%s/eighteen-bytes.exe", dir);
	snprintf(shallow, sizeof(shallow), "%.160s/" NAME, root);
	file_make(deep, "x", 1, 0644);
	file_make(deeper, "x", 1, 0644);
	file_make(shallow, "x", 1, 0644);
	file_make(other[0], "x", 1, 0644);
	file_make(program, tiny, sizeof(tiny), 0755);
}

static void open_close(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		die(path);
	close(fd);
}

static void call_open_deep(void)
{
	open_close(deep);
}

static void call_open_shallow(void)
{
	open_close(shallow);
}

static void call_open_deeper(void)
{
	open_close(deeper);
}

/* There and back. */
static void call_rename(void)
{
	if (rename(other[0], other[1]) < 0 || rename(other[1], other[0]) < 0)
		die(other[0]);
}

/* The first open after a rename of something else, anywhere. */
static void call_rename_open(void)
{
	call_rename();
	open_close(deep);
}

static void call_command(void)
{
	if (system(command) != 0)
		die(command);
}

static void call_stat(void)
{
	struct stat st;

	if (stat(deep, &st) < 0)
		die(deep);
}

static void call_create_unlink(void)
{
	int fd = open(deep_new, O_WRONLY | O_CREAT | O_EXCL, 0644);

	if (fd < 0 || close(fd) < 0 || unlink(deep_new) < 0)
		die(deep_new);
}

static void call_udp_connect(void)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		die("UDP connect");
	close(fd);
}

static const struct sockaddr_in loopback = {.sin_family = AF_INET};
static int listener = -1, udp_from = -1, udp_to = -1, tcp_client = -1, tcp_server = -1;

/* A socket of the loopback on a free port, and its address. */
static int bound(int type, struct sockaddr_in *ret)
{
	socklen_t len = sizeof(*ret);
	int fd = socket(AF_INET, type, 0);

	*ret = loopback;
	ret->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (const struct sockaddr *)ret, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)ret, &len) < 0)
		die("bind");
	return fd;
}

static int connected(const struct sockaddr_in *to, int type)
{
	int fd = socket(AF_INET, type, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("connect");
	return fd;
}

static void sockets_make(void)
{
	static struct sockaddr_in at;
	int on = 1;

	if (listener >= 0)
		return;
	udp_to = bound(SOCK_DGRAM, &at);
	udp_from = connected(&at, SOCK_DGRAM);
	listener = bound(SOCK_STREAM, &at);
	if (listen(listener, 128) < 0)
		die("listen");
	tcp_client = connected(&at, SOCK_STREAM);
	tcp_server = accept(listener, NULL, NULL);
	if (tcp_server < 0 || setsockopt(tcp_client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    setsockopt(tcp_server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		die("accept");
}

static void pass_byte(int from, int to)
{
	char c = 'x';

	if (send(from, &c, 1, 0) != 1 || recv(to, &c, 1, 0) != 1)
		die("send");
}

static void call_udp_send(void)
{
	sockets_make();
	pass_byte(udp_from, udp_to);
}

static void call_tcp_rr(void)
{
	sockets_make();
	pass_byte(tcp_client, tcp_server);
	pass_byte(tcp_server, tcp_client);
}

/* Reset at the end: no port waits. */
static void call_tcp_connect(void)
{
	const struct linger now_ = {.l_onoff = 1};
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int fd, peer;

	sockets_make();
	if (getsockname(listener, (struct sockaddr *)&at, &len) < 0)
		die("getsockname");
	fd = connected(&at, SOCK_STREAM);
	peer = accept(listener, NULL, NULL);
	if (peer < 0 || setsockopt(fd, SOL_SOCKET, SO_LINGER, &now_, sizeof(now_)))
		die("accept");
	close(fd);
	close(peer);
}

static void call_fork_exec(void)
{
	char *const argv[] = {program, NULL};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execv(program, argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
		errno = pid < 0 ? errno : ECHILD;
		die(program);
	}
}

static const struct call calls[] = {
	{"open_deep", call_open_deep, N_CALLS},
	{"open_shallow", call_open_shallow, N_CALLS},
	{"open_deeper", call_open_deeper, N_CALLS},
	{"stat", call_stat, N_CALLS},
	{"create_unlink", call_create_unlink, N_CALLS},
	{"rename", call_rename, N_CALLS},
	{"rename_open", call_rename_open, N_CALLS},
	{"udp_connect", call_udp_connect, N_CALLS},
	{"udp_send", call_udp_send, N_CALLS},
	{"tcp_rr", call_tcp_rr, N_CALLS},
	{"tcp_connect", call_tcp_connect, N_CALLS},
	{"fork_exec", call_fork_exec, N_EXECS},
};

static void landlock_allow(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access};

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0 ||
	    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		die(path);
	close(rule.parent_fd);
}

/*
 * 20 rules. Landlock walks from a file up to the rule that allows it, so its cost is that of the
 * distance: the rule that matters here is the farthest, at the root.
 */
static void landlock_confine(void)
{
	static const char *const others[] = {
		"/bin",	     "/boot", "/dev",	  "/etc",     "/home",	"/mnt",	    "/opt",
		"/proc",     "/run",  "/sys",	  "/tmp",     "/usr",	"/usr/bin", "/usr/lib",
		"/usr/sbin", "/var",  "/var/lib", "/var/log", "/media",
	};
	const struct landlock_ruleset_attr attr = {
		.handled_access_fs = (LANDLOCK_ACCESS_FS_REFER << 1) - 1,
	};
	uint64_t allowed = attr.handled_access_fs & ~LANDLOCK_ACCESS_FS_MAKE_FIFO;
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	size_t i;

	if (ruleset < 0)
		die("Landlock");
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		landlock_allow(ruleset, others[i], LANDLOCK_ACCESS_FS_READ_DIR);
	landlock_allow(ruleset, "/", allowed);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		die("Landlock");
	close(ruleset);
	if (mkfifo(deep_new, 0600) == 0 || errno != EACCES) {
		fprintf(stderr, "bench_syscalls: Landlock does not confine\n");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	bool landlock = false;
	struct call whole = {.run = call_command, .n = 1};
	const char *denied = NULL, *only = NULL;
	size_t i;

	for (argc--, argv++; argc > 1; argc--, argv++) {
		if (!strcmp(*argv, "--landlock"))
			landlock = true;
		else if (!strcmp(*argv, "--denied"))
			denied = *++argv, argc--;
		else if (!strcmp(*argv, "--only"))
			only = *++argv, argc--;
		else if (!strcmp(*argv, "--command") && argc > 3)
			whole.name = *++argv, command = *++argv, argc -= 2;
		else
			break;
	}
	if (argc != 1 || **argv != '/') {
		fprintf(stderr, "usage: bench_syscalls [--landlock] [--denied PATH] [--only CALL] "
				"[--command NAME TEXT] ROOT\n");
		return 2;
	}
	if (denied && (open(denied, O_RDONLY) >= 0 || errno != EACCES)) {
		fprintf(stderr, "bench_syscalls: reading %s is not refused\n", denied);
		return 1;
	}
	if (command) {
		measure(&whole, N_COMMANDS);
		return 0;
	}
	files_make(*argv);
	if (landlock)
		landlock_confine();
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		/* fork+exec has a process of its own. */
		if (only ? !strcmp(only, calls[i].name) : calls[i].run != call_fork_exec)
			measure(&calls[i], N_BATCHES);
	return 0;
}
