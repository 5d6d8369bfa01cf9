/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The files about agents: written, read, and every way in which they can be damaged. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../../user/log.h"
#include "../../user/record.h"
#include "../../user/util.h"
#include "tap.h"

static char name[] = "demo-1";

static struct agent_record sample(void)
{
	return (struct agent_record){
		.name = name,
		.number = 7,
		.uid = 0xfedcba9876543210,
		.generation = 3,
		.cgroup = (char *)"/sys/fs/cgroup/hydraguard/demo-1",
		.cgroup_id = 1ull << 33,
		.made_cgroup = true,
		.policy_file = (char *)"p \"q\"\n.yaml",
		.cwd = (char *)"/r\xff",
		.home = (char *)"/home/u",
		.policy_name = (char *)"demo",
		.mounts = UINT64_MAX,
		.sources = 1ull << 63,
		.attached = 12,
		.retired_hits = 5,
	};
}

static void test_names(struct tap *t)
{
	static const char *const good[] = {"a", "mail-reader_2.x", "9", "A"};
	static const char *const bad[] = {
		"",
		".",
		"..",
		".x",
		"-x",
		"a/b",
		"a b",
		"a\n",
		"\xc3\xa4",
		"a:b",
		"0123456789012345678901234567890123456789012345678901234567890123",
	};
	char buf[AGENT_NAME_MAX + 1];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		tap_ok(t, agent_name_ok(good[i]), "a name: %s", good[i]);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		tap_ok(t, !agent_name_ok(bad[i]), "no name: %zu", i);
		agent_name_from(bad[i], buf);
		tap_ok(t, agent_name_ok(buf), "but one is made of it: %s", buf);
	}
}

static void test_agent(struct tap *t, int dir)
{
	struct agent_record a = sample();
	_record_ struct agent_record b = {}, none = {};

	tap_ok(t, !agent_record_write(dir, &a), "written");
	tap_ok(t, !agent_record_read(dir, name, &b), "read");
	tap_ok(t,
	       b.number == 7 && b.uid == a.uid && b.cgroup_id == a.cgroup_id && b.made_cgroup &&
		       b.generation == 3 && b.attached == 12 && b.retired_hits == 5,
	       "the numbers");
	tap_ok(t,
	       b.cwd && !strcmp(b.cwd, a.cwd) && !strcmp(b.policy_file, a.policy_file) &&
		       !strcmp(b.home, a.home) && !b.workspace,
	       "the texts, whatever their bytes");
	tap_ok(t, agent_record_read(dir, "other", &none) == -ENOENT, "another name");
	tap_ok(t, agent_record_read(dir, "../x", &none) == -ENOENT, "a name that leads out");
}

static void agent_put(int dir, const char *text, size_t len)
{
	_close_ int fd = openat(dir, "demo-1/agent.json", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	write_all(fd, text, len);
}

static void test_agent_damaged(struct tap *t, int dir)
{
	static const char *const swaps[][2] = {
		{"\"number\": 7", "\"number\": 0"},
		{"\"number\": 7", "\"number\": 1024"},
		{"\"number\": 7", "\"number\": -7"},
		{"\"number\": 7", "\"number\": \"7\""},
		{"\"number\": 7", "\"number\": 7.5"},
		{"\"number\": 7", "\"other\": 7"},
		{"\"name\": \"demo-1\"", "\"name\": \"demo-2\""},
		{"\"name\": \"demo-1\"", "\"name\": null"},
		{"\"made_cgroup\": true", "\"made_cgroup\": 1"},
		{"\"cgroup\": \"/sys", "\"cgroup\": \"sys"},
		{"\"uid\":", "\"uid\": 0, \"x\":"},
		{"\"home\": \"/home/u\"", "\"home\": 1"},
		{"\"cwd\":", "\"cwd\": \"a\\u0000b\", \"x\":"},
	};
	_free_ char *whole = NULL;
	size_t len, i, taken = 0;

	read_file(dir, "demo-1/agent.json", 65536, &whole, &len);
	for (i = 0; i < len - 2; i++) {
		_record_ struct agent_record a = {};

		agent_put(dir, whole, i);
		taken += agent_record_read(dir, name, &a) != -EBADMSG;
	}
	tap_ok(t, !taken, "cut anywhere, it is refused (%zu were not)", taken);
	for (i = 0; i < ARRAY_SIZE(swaps); i++) {
		char *at = strstr(whole, swaps[i][0]);
		_record_ struct agent_record a = {};
		_free_ char *changed = NULL;

		if (!at || asprintf(&changed, "%.*s%s%s", (int)(at - whole), whole, swaps[i][1],
				    at + strlen(swaps[i][0])) < 0) {
			tap_ok(t, false, "%s is there", swaps[i][0]);
			continue;
		}
		agent_put(dir, changed, strlen(changed));
		tap_ok(t, agent_record_read(dir, name, &a) == -EBADMSG, "refused: %s", swaps[i][1]);
	}
	agent_put(dir, whole, len);
}

static void test_generation(struct tap *t, int dir)
{
	struct rule_record rules[] = {
		{.file = (char *)"p.yaml", .text = (char *)"allow read /**", .line = 1},
		{.file = (char *)"<builtin>", .text = (char *)"deny all \xff", .line = 9},
	};
	struct generation_record g = {
		.generation = 3,
		.image = ~0ull,
		.policy_name = (char *)"demo",
		.mode = 1,
		.rules = rules,
		.n_rules = 2,
	};
	_generation_ struct generation_record back = {}, other = {};
	_free_ uint32_t *numbers = NULL;
	size_t n = 0;

	tap_ok(t, !generation_write(dir, name, &g) && !generation_read(dir, name, 3, &back),
	       "written and read");
	tap_ok(t,
	       back.n_rules == 2 && back.image == ~0ull && back.mode == 1 &&
		       !strcmp(back.rules[1].text, "deny all \xff") && back.rules[1].line == 9,
	       "the same");
	tap_ok(t, generation_read(dir, name, 4, &other) == -ENOENT, "another generation");
	g.generation = 12;
	generation_write(dir, name, &g);
	tap_ok(t,
	       !generations_list(dir, name, &numbers, &n) && n == 2 && numbers[0] == 3 &&
		       numbers[1] == 12,
	       "which there are, ascending");
	renameat(dir, "demo-1/generation-12.json", dir, "demo-1/generation-5.json");
	tap_ok(t, generation_read(dir, name, 5, &other) == -EBADMSG, "one under another's name");
	tap_ok(t, !generation_remove(dir, name, 5) && !generation_remove(dir, name, 5), "removed");
}

static void test_list(struct tap *t, int dir)
{
	_records_ struct records r = {}, absent = {};
	struct agent_record a = sample();
	_close_ int fd = -1;

	a.name = (char *)"alpha";
	agent_record_write(dir, &a);
	mkdirat(dir, "broken", 0700);
	fd = openat(dir, "broken/agent.json", O_WRONLY | O_CREAT, 0600);
	write_all(fd, "\0garbage", 8);
	mkdirat(dir, ".poke", 0700);
	tap_ok(t, !records_read(dir, &r) && r.n == 2 && r.n_broken == 1,
	       "two agents, one damaged (%zu, %zu)", r.n, r.n_broken);
	tap_ok(t, r.n == 2 && !strcmp(r.items[0].name, "alpha"), "in order");
	tap_ok(t, records_find(&r, name) && !records_find(&r, "broken"), "found by name");
	tap_ok(t, !records_read(-1, &absent) && !absent.n, "no directory, no agents");
}

int main(void)
{
	char path[] = "/tmp/hydraguard-test-XXXXXX";
	struct tap t = {};
	_close_ int dir = -1;

	log_level = LOG_QUIET;
	if (!mkdtemp(path))
		return 1;
	dir = open(path, O_RDONLY | O_DIRECTORY);
	test_names(&t);
	test_agent(&t, dir);
	test_agent_damaged(&t, dir);
	test_generation(&t, dir);
	test_list(&t, dir);
	tap_ok(&t, !remove_tree(AT_FDCWD, path) && access(path, F_OK), "all is removed");
	return tap_done(&t);
}
