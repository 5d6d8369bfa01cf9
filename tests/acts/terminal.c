// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests by which a terminal acts for somebody else. Descriptor 0 is the terminal (script(1) makes
 * one). The way says by which system call: "native", or "compat" as 32-bit programs do.
 */
#include <asm/ioctls.h>
#include <linux/kd.h>
#include <linux/tiocl.h>
#include <linux/vt.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>

#include "act.h"

/* ioctl by the entry that 32-bit programs use; arguments lie below 4 GiB. */
static int ioctl_compat(int fd, unsigned int cmd, void *arg)
{
	int r;

	asm volatile("int $0x80" : "=a"(r) : "a"(54), "b"(fd), "c"(cmd), "d"(arg) : "memory");
	if (r < 0) {
		errno = -r;
		return -1;
	}
	return r;
}

/* One page that both kinds of programs can name. */
static void *low_page(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
		       -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	return p;
}

static int request(const char *way, int fd, unsigned int cmd, void *arg)
{
	return !strcmp(way, "compat") ? ioctl_compat(fd, cmd, arg) : ioctl(fd, cmd, arg);
}

/* way, text: typed into the terminal, and read from it as its shell would. */
static void sti(char **arg)
{
	char *c = low_page(), got[256] = "";
	struct pollfd p = { .events = POLLIN };
	struct termios raw, was;
	ssize_t n = 0;

	must(tcgetattr(0, &was), "tcgetattr");
	raw = was;
	cfmakeraw(&raw);
	must(tcsetattr(0, TCSANOW, &raw), "tcsetattr");
	for (const char *s = arg[1]; *s; s++) {
		*c = *s;
		must(request(arg[0], 0, TIOCSTI, c), "TIOCSTI");
	}
	if (poll(&p, 1, 1000) == 1)
		n = must(read(0, got, sizeof(got)), "read");
	must(tcsetattr(0, TCSANOW, &was), "tcsetattr");
	/* With what script(1) has typed before it. */
	fwrite(got, 1, n, stdout);
}

/* way, text: another line discipline (N_NULL, 27). */
static void setd(char **arg)
{
	int *disc = low_page(), now;

	*disc = 27;
	must(request(arg[0], 0, TIOCSETD, disc), "TIOCSETD");
	must(ioctl(0, TIOCGETD, &now), "TIOCGETD");
	/* Nothing is written through that one. */
	*disc = 0;
	must(ioctl(0, TIOCSETD, disc), "TIOCSETD");
	if (now == 27)
		printf("%s\n", arg[1]);
}

/* Whether it was refused is seen by what comes of it. */
static void try_request(const char *way, int fd, unsigned int cmd, void *arg, const char *what)
{
	if (request(way, fd, cmd, arg))
		perror(what);
}

/* way, text: the console's output to this terminal. */
static void cons(char **arg)
{
	int fd;

	try_request(arg[0], 0, TIOCCONS, NULL, "TIOCCONS");
	fd = must(open("/dev/console", O_WRONLY | O_NOCTTY), "/dev/console");
	dprintf(fd, "%s\n", arg[1]);
}

/* ---- a virtual console: device ---- */

static int console(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY);
	char type;

	if (fd < 0)
		fail(path);
	if (ioctl(fd, KDGKBTYPE, &type))
		skip("KDGKBTYPE");
	return fd;
}

/* way, device, text: what key 30 types. */
static void keymap(char **arg)
{
	struct kbentry was = { .kb_index = 30 }, now = { .kb_index = 30 }, *e = low_page();
	int fd = console(arg[1]);

	must(ioctl(fd, KDGKBENT, &was), "KDGKBENT");
	*e = (struct kbentry){ .kb_index = 30, .kb_value = was.kb_value ^ 1 };
	try_request(arg[0], fd, KDSKBENT, e, "KDSKBENT");
	must(ioctl(fd, KDGKBENT, &now), "KDGKBENT");
	if (now.kb_value == (was.kb_value ^ 1))
		printf("%s\n", arg[2]);
	ioctl(fd, KDSKBENT, &was);
}

/* way, device, text: put on the console's screen, marked there, and typed into it. */
static void selection(char **arg)
{
	struct { char mode; struct tiocl_selection s; } __attribute__((packed)) *mark = low_page();
	char got[256] = "", *paste = low_page();
	int fd = console(arg[1]);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct termios raw, was;
	ssize_t n = 0;

	must(tcgetattr(fd, &was), "tcgetattr");
	raw = was;
	cfmakeraw(&raw);
	must(tcsetattr(fd, TCSAFLUSH, &raw), "tcsetattr");
	dprintf(fd, "\033c%s", arg[2]);
	mark->mode = TIOCL_SETSEL;
	mark->s = (struct tiocl_selection){ 1, 1, strlen(arg[2]), 1, TIOCL_SELCHAR };
	try_request(arg[0], fd, TIOCLINUX, mark, "TIOCL_SETSEL");
	*paste = TIOCL_PASTESEL;
	try_request(arg[0], fd, TIOCLINUX, paste, "TIOCL_PASTESEL");
	if (poll(&p, 1, 500) == 1)
		n = must(read(fd, got, sizeof(got)), "read");
	must(tcsetattr(fd, TCSANOW, &was), "tcsetattr");
	fwrite(got, 1, n, stdout);
}

/* ---- honest ---- */

/* text: what shells and editors ask of their terminal. */
static void honest(char **arg)
{
	struct winsize w;
	struct termios t;
	pid_t group;
	int n;

	must(tcgetattr(0, &t), "tcgetattr");
	must(tcsetattr(0, TCSADRAIN, &t), "tcsetattr");
	must(ioctl(0, TIOCGWINSZ, &w), "TIOCGWINSZ");
	w.ws_row = 40;
	must(ioctl(0, TIOCSWINSZ, &w), "TIOCSWINSZ");
	must(ioctl(0, TIOCGPGRP, &group), "TIOCGPGRP");
	must(ioctl(0, TIOCSPGRP, &group), "TIOCSPGRP");
	must(ioctl(0, FIONREAD, &n), "FIONREAD");
	must(ioctl(0, TIOCGETD, &n), "TIOCGETD");
	printf("%s\n", arg[0]);
}

static const struct verb verbs[] = {
	{ "sti", 2, sti },	     { "setd", 2, setd },   { "cons", 2, cons },
	{ "keymap", 3, keymap },     { "selection", 3, selection }, { "honest", 1, honest },
};
VERBS_MAIN(verbs)
