// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes a machine of a test guest, from the initramfs on: loads the modules that the disks need,
 * moves to the root disk, mounts what a machine has, brings up the loopback network.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "machine.h"

static const struct {
	const char *type, *target, *options;
	unsigned long flags;
} mounts[] = {
	{ "proc", "/proc", "", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "sysfs", "/sys", "", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "devtmpfs", "/dev", "mode=0755", MS_NOSUID },
	{ "devpts", "/dev/pts", "gid=5,mode=620,ptmxmode=666", MS_NOSUID | MS_NOEXEC },
	{ "tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV },
	{ "mqueue", "/dev/mqueue", "", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "tmpfs", "/run", "mode=0755", MS_NOSUID | MS_NODEV },
	{ "cgroup2", "/sys/fs/cgroup", "nsdelegate", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "bpf", "/sys/fs/bpf", "mode=0700", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "securityfs", "/sys/kernel/security", "", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "tracefs", "/sys/kernel/tracing", "", MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "debugfs", "/sys/kernel/debug", "", MS_NOSUID | MS_NODEV | MS_NOEXEC },
};

/* Nodes that udev makes before their module is loaded, so that opening them loads it. */
static const struct {
	const char *path;
	mode_t mode;
	unsigned int major, minor;
} nodes[] = {
	{ "/dev/fuse", 0666, 10, 229 },
	{ "/dev/net/tun", 0666, 10, 200 },
	{ "/dev/loop-control", 0660, 10, 237 },
	{ "/dev/btrfs-control", 0660, 10, 234 },
};

static const struct {
	const char *path, *target;
} links[] = {
	{ "/dev/fd", "/proc/self/fd" },
	{ "/dev/stdin", "/proc/self/fd/0" },
	{ "/dev/stdout", "/proc/self/fd/1" },
	{ "/dev/stderr", "/proc/self/fd/2" },
};

static void mount_or_die(const char *source, const char *target, const char *type,
			 unsigned long flags, const char *options)
{
	if (mount(source, target, type, flags, options))
		die(target);
}

/* /modules lists the files to load, one on a line, each after those it depends on. */
static void modules_load(void)
{
	FILE *list = fopen("/modules", "r");
	char line[256];

	if (!list)
		die("/modules");
	while (fgets(line, sizeof(line), list)) {
		int fd;

		line[strcspn(line, "\n")] = 0;
		fd = open(line, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			die(line);
		close(fd);
	}
	fclose(list);
}

static void root_enter(void)
{
	mount_or_die("dev", "/dev", "devtmpfs", 0, "");
	modules_load();
	/* noinit_itable: no kernel thread that writes in the background and disturbs measurements */
	mount_or_die("/dev/vda", "/root", "ext4", MS_NOATIME, "noinit_itable");
	if (chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		die("move to the root disk");
}

static void network_up(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo))
		die("lo");
	close(fd);
	if (sethostname("guest", 5))
		die("hostname");
}

static void machine_set_up(void)
{
	umask(0);
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].target, 0755);
		mount_or_die(mounts[i].type, mounts[i].target, mounts[i].type, mounts[i].flags,
			     mounts[i].options);
	}
	mkdir("/dev/net", 0755);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		mknod(nodes[i].path, S_IFCHR | nodes[i].mode,
		      makedev(nodes[i].major, nodes[i].minor));
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		symlink(links[i].target, links[i].path);
	mkdir("/run/lock", 01777);
	mkdir("/run/host", 0755);
	mount_or_die("/dev/vdb", "/run/host", "squashfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "");
	mount_or_die("/run/host/src", "/src", NULL, MS_BIND, NULL);
	mount_or_die("/run/host/share", "/share", NULL, MS_BIND, NULL);
	mount_or_die("/dev/vdc", "/scratch", "ext4", MS_NOATIME, "noinit_itable");
	chmod("/scratch", 01777);
	network_up();
	/* As systemd leaves it. */
	mount_or_die("none", "/", NULL, MS_REC | MS_SHARED, NULL);
	umask(022);
}

void machine_start(void)
{
	root_enter();
	machine_set_up();
}
