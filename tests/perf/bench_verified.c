// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the kernel's verifier read to accept the programs that are loaded now: for each program its
 * verified instructions and its size, most first, then the sum. Loading takes as long as that.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct program {
	char name[BPF_OBJ_NAME_LEN];
	unsigned int verified, size;
};

static int by_verified(const void *a, const void *b)
{
	const struct program *x = a, *y = b;

	return x->verified < y->verified ? 1 : x->verified > y->verified ? -1 : 0;
}

/* 0, or -errno: of a program that went meanwhile, -ENOENT. */
static int program_read(unsigned int id, struct program *ret)
{
	struct bpf_prog_info info = {};
	unsigned int len = sizeof(info);
	int fd, err;

	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return fd;
	err = bpf_obj_get_info_by_fd(fd, &info, &len);
	close(fd);
	if (err)
		return err;
	memcpy(ret->name, info.name, sizeof(ret->name));
	ret->verified = info.verified_insns;
	ret->size = info.xlated_prog_len / 8;
	return 0;
}

int main(void)
{
	unsigned int id = 0, n = 0, i;
	unsigned long sum = 0;
	struct program programs[512];

	while (n < 512 && !bpf_prog_get_next_id(id, &id))
		if (!program_read(id, &programs[n]))
			n++;
	qsort(programs, n, sizeof(programs[0]), by_verified);
	for (i = 0; i < n; i++) {
		printf("%s\t%u\t%u\n", programs[i].name, programs[i].verified, programs[i].size);
		sum += programs[i].verified;
	}
	printf("sum\t%lu\t%u\n", sum, n);
	return 0;
}
