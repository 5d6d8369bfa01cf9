/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* /proc/self/mountinfo: its escapes, its optional tags, and which mount names a superblock. */
#include <string.h>

#include "../../user/mountinfo.h"
#include "../../user/util.h"
#include "tap.h"

static const char sample[] =
	"22 28 0:21 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
	"28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
	"30 28 8:2 / /mnt/with\\040space rw - xfs /dev/sdb rw\n"
	"31 28 8:2 /sub /srv rw shared:2 master:3 propagate_from:4 - xfs /dev/sdb rw\n"
	"12 28 8:2 / /later rw - xfs /dev/sdb rw\n"
	"33 28 0:40 / /home/u/remote rw - fuse.sshfs u@host: rw\n"
	"34 33 0:41 / /home/u/remote/tmp rw - tmpfs tmpfs rw\n"
	"35 28 0:4 net:[4026531840] /run/netns/a rw - nsfs nsfs rw\n"
	"36 28 8:3 /gone//deleted /x rw - ext4 /dev/sdc rw\n"
	"37 28 8:4 /a\\011b\\012c\\134d /y\\043 rw - ext4 /dev/sdd rw,x=\\054\n";

static void test_parse(struct tap *t)
{
	_mount_table_ struct mount_table m = {};

	tap_ok(t, !mount_table_parse(sample, &m) && m.n == 10, "every line is read (%zu)", m.n);
	if (m.n != 10)
		return;
	tap_ok(t, !strcmp(m.lines[2].path, "/mnt/with space"), "an escaped space");
	tap_ok(t, !strcmp(m.lines[9].root, "/a\tb\nc\\d") && !strcmp(m.lines[9].path, "/y#"),
	       "tab, line feed, backslash, number sign");
	tap_ok(t,
	       !strcmp(m.lines[3].type, "xfs") && m.lines[3].major == 8 && m.lines[3].minor == 2 &&
		       m.lines[3].id == 31 && m.lines[3].parent == 28 &&
		       !strcmp(m.lines[3].root, "/sub"),
	       "behind several tags");
	tap_ok(t, !strcmp(m.lines[2].type, "xfs"), "without a tag");
}

static const struct mount_line *first_of(const struct mount_line **order, size_t n, uint32_t major,
					 uint32_t minor)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (order[i]->major == major && order[i]->minor == minor)
			return order[i];
	return NULL;
}

static void test_choice(struct tap *t)
{
	_mount_table_ struct mount_table m = {};
	_free_ const struct mount_line **order = NULL;
	size_t i, changes = 0;

	mount_table_parse(sample, &m);
	order = mount_table_candidates(&m);
	tap_ok(t, first_of(order, m.n, 8, 2) == &m.lines[2],
	       "the widest root, then the first line, whatever its number");
	for (i = 1; i < m.n; i++)
		changes += order[i]->major != order[i - 1]->major ||
			   order[i]->minor != order[i - 1]->minor;
	tap_ok(t, changes == 7, "those of one superblock stand together");
}

static void test_nameable(struct tap *t)
{
	static const bool want[] = {false, true, true, true, true, true, true, false, false, true};
	_mount_table_ struct mount_table m = {};
	size_t i;

	mount_table_parse(sample, &m);
	for (i = 0; i < m.n; i++)
		tap_ok(t, mount_is_nameable(&m.lines[i]) == want[i], "%s %s", m.lines[i].path,
		       want[i] ? "names" : "does not name");
}

static void test_blocking(struct tap *t)
{
	_mount_table_ struct mount_table m = {};

	mount_table_parse(sample, &m);
	tap_ok(t, mount_may_block(&m, &m.lines[5]), "a FUSE file system may block");
	tap_ok(t, mount_may_block(&m, &m.lines[6]), "so may what lies on one");
	tap_ok(t, !mount_may_block(&m, &m.lines[2]), "a local one does not");
	m.lines[1].parent = 30;
	m.lines[2].parent = 28;
	tap_ok(t, !mount_may_block(&m, &m.lines[2]), "parents in a circle come to an end");
}

static void test_refused(struct tap *t)
{
	static const char *const texts[] = {
		"x\n",
		"1 2 3 / / rw - ext4 a rw\n",
		"1 2 8:1 / / rw shared:1\n",
		"1 2 8:1 / / rw -\n",
		"1 2 8:1 / /\n",
		"1 2 8:1\n",
		"1 2 8:1 / / rw - ext4 a rw",
		"\n",
	};
	size_t i, taken = 0, len;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		_mount_table_ struct mount_table m = {};

		tap_ok(t, mount_table_parse(texts[i], &m) == -EBADMSG && !m.n, "refused: %zu", i);
	}
	/* Cut within a line, on exact-size copies. */
	for (len = 1; len < sizeof(sample) - 1; len++) {
		_mount_table_ struct mount_table m = {};
		_free_ char *copy = strndup(sample, len);

		if (copy[len - 1] != '\n')
			taken += !mount_table_parse(copy, &m);
	}
	tap_ok(t, !taken, "a cut line is refused");
	{
		_mount_table_ struct mount_table m = {};

		tap_ok(t, !mount_table_parse("", &m) && !m.n, "no mounts");
	}
}

int main(void)
{
	struct tap t = {};

	test_parse(&t);
	test_choice(&t);
	test_nameable(&t);
	test_blocking(&t);
	test_refused(&t);
	return tap_done(&t);
}
