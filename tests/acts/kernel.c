// SPDX-License-Identifier: GPL-2.0-only
/* Having the kernel read or write a file: swap, accounting, core dumps; and odd descriptors. */
#include <linux/loop.h>
#include <mqueue.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/swap.h>

#include "act.h"

static void swap(char **arg)
{
	must(swapon(arg[0], 0), "swapon");
	swapoff(arg[0]);
}

static void account(char **arg)
{
	must(acct(arg[0]), "acct");
	if (!fork())
		_exit(0);
	usleep(100000);
	acct(NULL);
}

/* Dies in the directory; core_pattern is a bare name. */
static void dump(char **arg)
{
	struct rlimit r = { RLIM_INFINITY, RLIM_INFINITY };

	must(chdir(arg[0]), "chdir");
	setrlimit(RLIMIT_CORE, &r);
	prctl(PR_SET_DUMPABLE, 1);
	abort();
}

/* A loop device's backing file given as a descriptor: device, file. */
static void loop_set(char **arg)
{
	int dev = must(open(arg[0], O_RDWR), arg[0]), file = must(open(arg[1], O_RDWR), arg[1]);

	must(ioctl(dev, LOOP_SET_FD, file), "LOOP_SET_FD");
	show(dev);
}

/* The open mode goes into mq_open(2) unchecked: 0x20 is the kernel's own mark for "to run it". */
static void queue_read(char **arg)
{
	int fd = must(syscall(SYS_mq_open, arg[0], O_RDONLY | O_NONBLOCK | strtol(arg[1], NULL, 0),
			      0, NULL), "mq_open");
	char buf[8192];
	ssize_t n = mq_receive((mqd_t)fd, buf, sizeof(buf), NULL);

	fwrite(buf, 1, must(n, "mq_receive"), stdout);
}

static void queue_unlink(char **arg)
{
	must(syscall(SYS_mq_unlink, arg[0]), "mq_unlink");
}

static void queue_make(char **arg)
{
	struct mq_attr a = { .mq_maxmsg = 4, .mq_msgsize = 256 };
	int fd = must(syscall(SYS_mq_open, arg[0], O_RDWR | O_CREAT | O_EXCL, 0666, &a), "mq_open");

	must(fchmod(fd, 0666), "fchmod");
	must(mq_send((mqd_t)fd, arg[1], strlen(arg[1]), 0), "mq_send");
}

static const struct verb verbs[] = {
	{ "swap", 1, swap },	   { "account", 1, account },
	{ "dump", 1, dump },	   { "loop", 2, loop_set },
	{ "queue-read", 2, queue_read }, { "queue-unlink", 1, queue_unlink },
	{ "queue-make", 2, queue_make },
};
VERBS_MAIN(verbs)
