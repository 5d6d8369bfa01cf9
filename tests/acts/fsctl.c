// SPDX-License-Identifier: GPL-2.0-only
/* File systems' own requests on a descriptor that was opened for reading. */
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/fs.h>
#include <linux/msdos_fs.h>
#include <sys/ioctl.h>

#include "act.h"

#define EXT4_IOC_SHUTDOWN _IOR('X', 125, uint32_t)
#define EXT4_IOC_SETVERSION _IOW('f', 4, long)

/* Of XFS, whose headers are not everywhere. */
struct handle_request {
	uint32_t fd;
	void *path;
	uint32_t flags;
	void *in;
	uint32_t in_len;
	void *out;
	uint32_t *out_len;
};
#define XFS_PATH_TO_HANDLE _IOWR('X', 105, struct handle_request)
#define XFS_OPEN_BY_HANDLE _IOWR('X', 107, struct handle_request)

static int reader(const char *path)
{
	return must(open(path, O_RDONLY), path);
}

/* subvolume, directory, name */
static void snapshot(char **arg)
{
	struct btrfs_ioctl_vol_args_v2 a = { .fd = reader(arg[0]) };

	snprintf(a.name, sizeof(a.name), "%s", arg[2]);
	must(ioctl(reader(arg[1]), BTRFS_IOC_SNAP_CREATE_V2, &a), "BTRFS_IOC_SNAP_CREATE_V2");
}

static void subvolume(char **arg)
{
	struct btrfs_ioctl_vol_args a = {};

	snprintf(a.name, sizeof(a.name), "%s", arg[1]);
	must(ioctl(reader(arg[0]), BTRFS_IOC_SUBVOL_CREATE, &a), "BTRFS_IOC_SUBVOL_CREATE");
}

static void destroy(char **arg)
{
	struct btrfs_ioctl_vol_args a = {};

	snprintf(a.name, sizeof(a.name), "%s", arg[1]);
	must(ioctl(reader(arg[0]), BTRFS_IOC_SNAP_DESTROY, &a), "BTRFS_IOC_SNAP_DESTROY");
}

static void read_only(char **arg)
{
	uint64_t flags = BTRFS_SUBVOL_RDONLY;

	must(ioctl(reader(arg[0]), BTRFS_IOC_SUBVOL_SETFLAGS, &flags), "BTRFS_IOC_SUBVOL_SETFLAGS");
}

/* The trees themselves: small files lie in them whole. Any descriptor on the file system. */
static void search(char **arg)
{
	struct btrfs_ioctl_search_args a = { .key = {
		.tree_id = strtoull(arg[1], NULL, 0),
		.max_objectid = UINT64_MAX, .max_offset = UINT64_MAX, .max_transid = UINT64_MAX,
		.max_type = UINT32_MAX, .nr_items = 4096,
	} };

	must(ioctl(reader(arg[0]), BTRFS_IOC_TREE_SEARCH, &a), "BTRFS_IOC_TREE_SEARCH");
	fwrite(a.buf, 1, sizeof(a.buf), stdout);
}

/* A read-only subvolume as a stream. */
static void send_stream(char **arg)
{
	struct btrfs_ioctl_send_args a = {};
	int ends[2];

	must(pipe(ends), "pipe");
	a.send_fd = ends[1];
	if (!fork()) {
		close(ends[1]);
		show(ends[0]);
		_exit(0);
	}
	must(ioctl(reader(arg[0]), BTRFS_IOC_SEND, &a), "BTRFS_IOC_SEND");
	close(ends[1]);
	usleep(200000);
}

/* file, word: hidden, or not any more. */
static void fat(char **arg)
{
	int fd = reader(arg[0]);
	uint32_t had, has, set;

	must(ioctl(fd, FAT_IOCTL_GET_ATTRIBUTES, &had), "FAT_IOCTL_GET_ATTRIBUTES");
	set = had ^ ATTR_HIDDEN;
	must(ioctl(fd, FAT_IOCTL_SET_ATTRIBUTES, &set), "FAT_IOCTL_SET_ATTRIBUTES");
	must(ioctl(fd, FAT_IOCTL_GET_ATTRIBUTES, &has), "FAT_IOCTL_GET_ATTRIBUTES");
	if (has == set)
		printf("%s\n", arg[1]);
}

static void generation(char **arg)
{
	long to = 4711;

	must(ioctl(reader(arg[0]), FS_IOC_SETVERSION, &to), "FS_IOC_SETVERSION");
}

static void generation_ext4(char **arg)
{
	long to = 4712;

	must(ioctl(reader(arg[0]), EXT4_IOC_SETVERSION, &to), "EXT4_IOC_SETVERSION");
}

/* With no right to read it. */
static void generation_unread(char **arg)
{
	int fd = must(open(arg[0], O_WRONLY), arg[0]);
	long to = 4713;

	if (ioctl(fd, FS_IOC_SETVERSION, &to))
		must(ioctl(fd, EXT4_IOC_SETVERSION, &to), "EXT4_IOC_SETVERSION");
}

static void label(char **arg)
{
	char text[FSLABEL_MAX] = "planted";

	must(ioctl(reader(arg[0]), FS_IOC_SETFSLABEL, text), "FS_IOC_SETFSLABEL");
}

static void label_show(char **arg)
{
	char text[FSLABEL_MAX] = "";

	must(ioctl(reader(arg[0]), FS_IOC_GETFSLABEL, text), "FS_IOC_GETFSLABEL");
	printf("%s\n", text);
}

static void freeze(char **arg)
{
	must(ioctl(reader(arg[0]), FIFREEZE, 0), "FIFREEZE");
}

static void thaw(char **arg)
{
	ioctl(reader(arg[0]), FITHAW, 0);
}

static void shut_down(char **arg)
{
	uint32_t how = 2;

	must(ioctl(reader(arg[0]), EXT4_IOC_SHUTDOWN, &how), "EXT4_IOC_SHUTDOWN");
}

/* file, directory on the same file system, flags: opened by its handle, then read. */
static void xfs_open(char **arg)
{
	char handle[64];
	uint32_t len = sizeof(handle);
	struct handle_request to = { .path = arg[0], .out = handle, .out_len = &len };
	struct handle_request by = { .in = handle, .flags = strtoul(arg[2], NULL, 0) };
	int on = reader(arg[1]);

	must(ioctl(on, XFS_PATH_TO_HANDLE, &to), "XFS_IOC_PATH_TO_HANDLE");
	by.in_len = len;
	show(must(ioctl(on, XFS_OPEN_BY_HANDLE, &by), "XFS_IOC_OPEN_BY_HANDLE"));
}

/* file, number in hexadecimal: a request that no file system here knows; told as errno. */
static void unknown(char **arg)
{
	if (!ioctl(reader(arg[0]), strtoul(arg[1], NULL, 16), NULL))
		errno = 0;
	printf("%s\n", errno == EACCES ? "refused" : errno == ENOTTY ? "unknown" : strerror(errno));
}

/* file to write, file with a guess, word: printed when the guess is the file's content. */
static void dedupe(char **arg)
{
	int to = must(open(arg[0], O_WRONLY), arg[0]), from = reader(arg[1]);
	struct {
		struct file_dedupe_range r;
		struct file_dedupe_range_info to;
	} a = {};
	struct stat st;

	must(fstat(from, &st), "fstat");
	a.r.src_length = st.st_size;
	a.r.dest_count = 1;
	a.to.dest_fd = to;
	must(ioctl(from, FIDEDUPERANGE, &a), "FIDEDUPERANGE");
	if (a.to.status == FILE_DEDUPE_RANGE_SAME)
		printf("%s\n", arg[2]);
}

/* source, flags to open it with, copy: then the copy. */
static void clone_file(char **arg)
{
	int from = must(open(arg[0], strtol(arg[1], NULL, 0)), arg[0]);
	int to = must(open(arg[2], O_RDWR | O_CREAT, 0600), arg[2]);

	must(ioctl(to, FICLONE, from), "FICLONE");
	show(to);
}

static void clone_range(char **arg)
{
	int from = must(open(arg[0], strtol(arg[1], NULL, 0)), arg[0]);
	int to = must(open(arg[2], O_RDWR | O_CREAT, 0600), arg[2]);
	struct file_clone_range r = { .src_fd = from };

	must(ioctl(to, FICLONERANGE, &r), "FICLONERANGE");
	show(to);
}

static void copy_range(char **arg)
{
	int from = must(open(arg[0], strtol(arg[1], NULL, 0)), arg[0]);
	int to = must(open(arg[2], O_RDWR | O_CREAT, 0600), arg[2]);

	must(syscall(SYS_copy_file_range, from, NULL, to, NULL, 4096, 0), "copy_file_range");
	must(lseek(to, 0, SEEK_SET), "lseek");
	show(to);
}

static const struct verb verbs[] = {
	{ "snapshot", 3, snapshot },	 { "subvolume", 2, subvolume },
	{ "destroy", 2, destroy },	 { "read-only", 1, read_only },
	{ "search", 2, search },	 { "send", 1, send_stream },
	{ "generation", 1, generation }, { "generation-ext4", 1, generation_ext4 },
	{ "fat", 2, fat },
	{ "label", 1, label },		 { "label-show", 1, label_show },
	{ "freeze", 1, freeze },	 { "thaw", 1, thaw },
	{ "shutdown", 1, shut_down },	 { "generation-unread", 1, generation_unread },
	{ "dedupe", 3, dedupe },	 { "xfs-open", 3, xfs_open },
	{ "unknown", 2, unknown },
	{ "clone", 3, clone_file },	 { "clone-range", 3, clone_range },
	{ "copy-range", 3, copy_range },
};
VERBS_MAIN(verbs)
