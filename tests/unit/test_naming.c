/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which name what is mounted has, by the mount table. */
#include <string.h>

#include "../../bpf/core/limits.h"
#include "../../user/naming.h"
#include "../../user/util.h"
#include "tap.h"

static struct tap tap;

static const char table[] =
	"28 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
	"20 28 0:20 / /proc rw - proc proc rw\n"
	/* A part of the root; one in it again; a file. */
	"31 28 8:1 /srv/a /srv/b rw - ext4 /dev/sda1 rw\n"
	"32 31 8:1 /srv/a/x /srv/b/deep rw - ext4 /dev/sda1 rw\n"
	"33 28 8:1 /etc/shadow /srv/file rw - ext4 /dev/sda1 rw\n"
	/* Two of another, and what lies on it in both. */
	"40 28 8:2 / /data rw - xfs /dev/sdb rw\n"
	"41 28 8:2 /keys /home/u/.ssh rw - xfs /dev/sdb rw\n"
	"42 40 0:50 / /data/t rw - tmpfs tmpfs rw\n"
	"43 41 0:50 / /home/u/.ssh/t rw - tmpfs tmpfs rw\n"
	/* proc in a root of its own, a part of it, and a namespace. */
	"50 28 0:21 / /jail/proc rw - proc proc rw\n"
	"51 28 0:20 /sys /jail/sys rw - proc proc rw\n"
	"52 28 0:4 net:[4026531840] /run/netns/a rw - nsfs nsfs rw\n"
	/* Covered by a mount on the same place; by one above; and not by one that lies on it. */
	"60 28 8:3 / /c rw - ext4 /dev/sdc rw\n"
	"61 60 8:4 / /c rw - ext4 /dev/sdd rw\n"
	"62 28 8:5 / /d/e/f rw - ext4 /dev/sde rw\n"
	"63 28 8:6 / /d rw - ext4 /dev/sdf rw\n"
	"64 63 8:5 / /d/g rw - ext4 /dev/sde rw\n"
	/* Two parts side by side; what lies in one of them. */
	"70 28 8:7 /one /p rw - ext4 /dev/sdg rw\n"
	"71 28 8:7 /two /q rw - ext4 /dev/sdg rw\n"
	"72 28 8:7 /two/in /r rw - ext4 /dev/sdg rw\n"
	"73 28 8:7 /twofold /s rw - ext4 /dev/sdg rw\n"
	"80 28 8:11 / /fat rw - vfat /dev/sdi rw\n"
	/* Subvolumes: one nested, one mounted twice, one covered, whose other mount is not. */
	"90 28 0:60 /@ /b rw - btrfs /dev/sdh rw\n"
	"91 90 0:60 /@home /b/home rw - btrfs /dev/sdh rw\n"
	"92 28 0:60 /@/nested /nested rw - btrfs /dev/sdh rw\n"
	"93 28 0:60 /@home/u /u rw - btrfs /dev/sdh rw\n"
	"94 28 0:60 /@home /home2 rw - btrfs /dev/sdh rw\n"
	"95 28 0:60 /@x /x rw - btrfs /dev/sdh rw\n"
	"96 95 8:8 / /x rw - ext4 /dev/sdi rw\n"
	"97 28 0:60 /@x /y rw - btrfs /dev/sdh rw\n"
	/* Deleted behind it. */
	"80 28 8:1 /srv/old//deleted /old rw - ext4 /dev/sda1 rw\n";

static void is(const struct mount_names *m, const char *path, const char *want)
{
	const struct mount_name *mount;
	char *name = NULL;
	bool ok = !mount_names_real(m, path, &name, &mount) &&
		  (want ? name && !strcmp(name, want) : !name);

	tap_ok(&tap, ok, "%s is %s (%s)", path, want ? want : "nothing", name ? name : "nothing");
	free(name);
}

static void test_names(void)
{
	_mount_table_ struct mount_table t = {};
	_mount_names_ struct mount_names m = {};
	struct places none = {};

	tap_ok(&tap, !mount_table_parse(table, &t) && !naming_from(&t, &none, &m), "a table");
	is(&m, "/etc/x", "/etc/x");
	is(&m, "/srv/b/y", "/srv/a/y");
	is(&m, "/srv/b/deep/y", "/srv/a/x/y");
	is(&m, "/srv/file", "/etc/shadow");
	is(&m, "/home/u/.ssh/id", "/data/keys/id");
	is(&m, "/home/u/.ssh/t/x", "/data/t/x");
	is(&m, "/jail/proc/1/maps", "/proc/1/maps");
	is(&m, "/jail/sys/kernel", "/proc/sys/kernel");
	is(&m, "/run/netns/a", NULL);
	is(&m, "/c/x", "/c/x");
	is(&m, "/d/x", "/d/x");
	is(&m, "/d/g/x", "/d/g/x");
	is(&m, "/d/e/f/x", "/d/e/f/x"); /* of /d: the mount there cannot be reached */
	is(&m, "/p/x", "/p/x");
	is(&m, "/q/x", "/q/x");
	is(&m, "/r/x", "/q/in/x");
	is(&m, "/s/x", "/s/x");
	is(&m, "/b/home/x", "/b/home/x");
	is(&m, "/nested/x", "/b/nested/x");
	is(&m, "/u/x", "/b/home/u/x");
	is(&m, "/home2/x", "/b/home/x");
	is(&m, "/x/x", "/x/x");
	is(&m, "/y/x", "/y/x");
	is(&m, "/old/x", NULL);
}

/* A name that was given stays, whatever the table would give. */
static void test_places(void)
{
	_mount_table_ struct mount_table t = {};
	_mount_names_ struct mount_names m = {};
	_places_ struct places p = {.next = 16};

	tap_ok(&tap,
	       !mount_table_parse(table, &t) && places_add(&p, 8, 2, "/keys", "/gone", "xfs") &&
		       !naming_from(&t, &p, &m),
	       "with places");
	is(&m, "/home/u/.ssh/id", "/gone/id");
	is(&m, "/data/keys/id", NULL);
}

/* Of several parts some have places; those that are gone count no more. */
static void test_parts(void)
{
	_mount_table_ struct mount_table t = {};
	_mount_names_ struct mount_names m = {};
	_places_ struct places p = {.next = 16};

	tap_ok(&tap,
	       !mount_table_parse(table, &t) &&
		       places_add(&p, 0, 60, "/@old", "/b/old", "btrfs") &&
		       places_add(&p, 0, 60, "/@", "/was", "btrfs") &&
		       places_add(&p, 8, 7, "/", "/whole", "ext4") && !naming_from(&t, &p, &m),
	       "parts with places");
	is(&m, "/b/x", "/was/x");
	is(&m, "/nested/x", "/was/nested/x");
	is(&m, "/b/home/x", "/b/home/x");
	is(&m, "/y/x", "/y/x");
	/* The name of all of it stays for what is left. */
	is(&m, "/p/x", "/whole/one/x");
	is(&m, "/r/x", "/whole/two/in/x");
}

/* More parts than are told apart: the last ones have no name. */
static void test_many(void)
{
	_mount_table_ struct mount_table t = {};
	_mount_names_ struct mount_names m = {};
	struct places none = {};
	char text[4096], path[16], name[32];
	int i, len = 0;

	for (i = 0; i <= HG_PARTS_MAX; i++)
		len += snprintf(text + len, sizeof(text) - len,
				"%d 1 8:1 /part%02d /m%02d rw - ext4 /dev/sda rw\n", 10 + i, i, i);
	tap_ok(&tap, !mount_table_parse(text, &t) && !naming_from(&t, &none, &m), "many parts");
	for (i = 0; i <= HG_PARTS_MAX; i++) {
		snprintf(path, sizeof(path), "/m%02d", i);
		snprintf(name, sizeof(name), "/m%02d", i);
		is(&m, path, i < HG_PARTS_MAX ? name : NULL);
	}
}

static void test_respelled(void)
{
	_mount_table_ struct mount_table t = {};
	_mount_names_ struct mount_names m = {};
	struct places none = {};

	tap_ok(&tap,
	       !mount_table_parse(table, &t) && !naming_from(&t, &none, &m) &&
		       mount_names_find(&m, "/fat/x")->respelled &&
		       !mount_names_find(&m, "/data/x")->respelled,
	       "other spellings, by the type");
}

int main(void)
{
	test_respelled();
	test_parts();
	test_many();
	test_names();
	test_places();
	return tap_done(&tap);
}
