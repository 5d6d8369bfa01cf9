/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * usage: bench_floor OBJECT CGROUP COMMAND...
 *
 * Attaches every program of OBJECT, those for cgroups to CGROUP, and runs the command in there. They stay as
 * long as it runs.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "bench_floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void attach(struct bpf_program *program, int cgroup)
{
	struct bpf_link *link;
	int fd;

	if (bpf_program__type(program) == BPF_PROG_TYPE_LSM)
		link = bpf_program__attach(program);
	else
		link = bpf_program__attach_cgroup(program, cgroup);
	if (!link)
		die(bpf_program__name(program));
	/* Over exec. */
	fd = fcntl(bpf_link__fd(link), F_DUPFD, 3);
	if (fd < 0 || fcntl(fd, F_SETFD, 0) < 0)
		die("fcntl");
}

int main(int argc, char **argv)
{
	struct bpf_program *program;
	struct bpf_object *object;
	char procs[256];
	int cgroup, fd;

	if (argc < 4) {
		fprintf(stderr, "usage: bench_floor OBJECT CGROUP COMMAND...\n");
		return 2;
	}
	cgroup = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup < 0)
		die(argv[2]);
	object = bpf_object__open(argv[1]);
	if (!object || bpf_object__load(object))
		die(argv[1]);
	bpf_object__for_each_program(program, object)
		attach(program, cgroup);
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", argv[2]);
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		die(procs);
	execvp(argv[3], argv + 3);
	die(argv[3]);
	return 1;
}
