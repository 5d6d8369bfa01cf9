// SPDX-License-Identifier: GPL-2.0-only
/* Long and deep: directories further down than any path reaches, made and entered step by step. */
#include "act.h"

static char name[256];

static void name_set(const char *len)
{
	memset(name, 'd', atoi(len));
	name[atoi(len)] = 0;
}

/* top, depth, length of each name, what to write into `key` at the bottom */
static void make(char **arg)
{
	int fd;

	name_set(arg[2]);
	must(chdir(arg[0]), arg[0]);
	for (int i = 0; i < atoi(arg[1]); i++) {
		if (mkdir(name, 0777) && errno != EEXIST)
			fail("mkdir");
		must(chdir(name), name);
	}
	fd = must(open("key", O_CREAT | O_WRONLY | O_TRUNC, 0666), "key");
	must(write(fd, arg[3], strlen(arg[3])), "write");
}

static void get(char **arg)
{
	name_set(arg[2]);
	must(chdir(arg[0]), arg[0]);
	for (int i = 0; i < atoi(arg[1]); i++)
		must(chdir(name), name);
	show(must(open("key", O_RDONLY), "key"));
}

/* As one path, as long as it may be. */
static void get_long(char **arg)
{
	static char path[4096 * 4];
	char *p = path;

	name_set(arg[2]);
	p += sprintf(p, "%s", arg[0]);
	for (int i = 0; i < atoi(arg[1]); i++)
		p += sprintf(p, "/%s", name);
	sprintf(p, "/key");
	show(must(open(path, O_RDONLY), "key"));
}

/* Moves the top away from under its bottom while standing there, and reads. */
static void get_moved(char **arg)
{
	name_set(arg[2]);
	must(chdir(arg[0]), arg[0]);
	for (int i = 0; i < atoi(arg[1]); i++)
		must(chdir(name), name);
	must(rename(arg[0], arg[3]), "rename");
	show(must(open("key", O_RDONLY), "key"));
}

static const struct verb verbs[] = {
	{ "make", 4, make }, { "get", 3, get }, { "get-long", 3, get_long },
	{ "get-moved", 4, get_moved },
};
VERBS_MAIN(verbs)
