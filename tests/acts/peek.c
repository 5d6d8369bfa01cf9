// SPDX-License-Identifier: GPL-2.0-only
/* Looking into other processes, and being root over the machine; what was gained is printed. */
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "act.h"

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

static char bytes[65536];

/* pid, address */
static void vm_read(char **arg)
{
	struct iovec own = { bytes, 64 }, other = { (void *)strtoul(arg[1], NULL, 0), 64 };

	must(process_vm_readv(atoi(arg[0]), &own, 1, &other, 1, 0), "process_vm_readv");
	printf("%.64s\n", bytes);
}

static void vm_write(char **arg)
{
	struct iovec own = { arg[2], strlen(arg[2]) + 1 },
		     other = { (void *)strtoul(arg[1], NULL, 0), strlen(arg[2]) + 1 };

	must(process_vm_writev(atoi(arg[0]), &own, 1, &other, 1, 0), "process_vm_writev");
}

static void mem_read(char **arg)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/mem", arg[0]);
	fd = must(open(path, O_RDONLY), path);
	must(pread(fd, bytes, 64, strtoul(arg[1], NULL, 0)), "pread");
	printf("%.64s\n", bytes);
}

static void traced(char **arg, int how)
{
	pid_t pid = atoi(arg[0]);
	unsigned long at = strtoul(arg[1], NULL, 0);

	must(ptrace(how, pid, 0, 0), "ptrace");
	if (how == PTRACE_SEIZE)
		must(ptrace(PTRACE_INTERRUPT, pid, 0, 0), "interrupt");
	must(waitpid(pid, NULL, __WALL), "waitpid");
	for (int i = 0; i < 8; i++) {
		long word = ptrace(PTRACE_PEEKDATA, pid, at + i * 8, 0);

		memcpy(bytes + i * 8, &word, 8);
	}
	ptrace(PTRACE_DETACH, pid, 0, 0);
	printf("%.64s\n", bytes);
}

static void attach(char **arg)
{
	traced(arg, PTRACE_ATTACH);
}

static void seize(char **arg)
{
	traced(arg, PTRACE_SEIZE);
}

/* pid, descriptor there */
static void take_fd(char **arg)
{
	int pidfd = must(syscall(SYS_pidfd_open, atoi(arg[0]), 0), "pidfd_open");
	int fd = must(syscall(SYS_pidfd_getfd, pidfd, atoi(arg[1]), 0), "pidfd_getfd");

	lseek(fd, 0, SEEK_SET);
	show(fd);
}

/* Somebody to look into: holds the text in memory at the address it prints, and the file open. */
static void hold(char **arg)
{
	must(dup2(must(open(arg[1], O_RDONLY), arg[1]), 9), "dup2");
	snprintf(bytes, sizeof(bytes), "%s", arg[0]);
	printf("%p\n", (void *)bytes);
	fflush(stdout);
	for (;;)
		pause();
}

/* ---- over the machine; each prints the word when it could ---- */

static void set_name(char **arg)
{
	must(sethostname(arg[0], strlen(arg[0])), "sethostname");
}

static void set_clock(char **arg)
{
	struct timeval t = { .tv_sec = 1000000000 };

	must(settimeofday(&t, NULL), "settimeofday");
}

static void ports(char **arg)
{
	must(iopl(3), "iopl");
	printf("%s\n", arg[0]);
}

static void messages(char **arg)
{
	must(klogctl(3, bytes, sizeof(bytes)), "syslog");
	printf("%s\n", arg[0]);
}

/* file of a module */
static void module(char **arg)
{
	must(syscall(SYS_finit_module, must(open(arg[0], O_RDONLY), arg[0]), "", 0),
	     "finit_module");
}

/* Every processor's kernel, sampled. */
static void perf(char **arg)
{
	struct perf_event_attr a = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(a),
				     .config = PERF_COUNT_SW_CPU_CLOCK, .sample_period = 100000,
				     .sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_CALLCHAIN };

	must(syscall(SYS_perf_event_open, &a, -1, 0, -1, 0), "perf_event_open");
	printf("%s\n", arg[0]);
}

static const struct verb verbs[] = {
	{ "vm-read", 2, vm_read },   { "vm-write", 3, vm_write }, { "mem-read", 2, mem_read },
	{ "attach", 2, attach },     { "seize", 2, seize },	 { "take-fd", 2, take_fd },
	{ "hold", 2, hold },	     	 { "set-name", 1, set_name },
	{ "set-clock", 1, set_clock }, { "ports", 1, ports },	 { "messages", 1, messages },
	{ "module", 1, module },     { "perf", 1, perf },
};
VERBS_MAIN(verbs)
