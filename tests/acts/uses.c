// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the words of `use` stand for, one act each. The last argument is printed once the act is done
 * and its effect has been seen from inside.
 */
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/bsg.h>
#include <linux/if_tun.h>
#include <linux/keyctl.h>
#include <linux/nvme_ioctl.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <scsi/sg.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "act.h"

static void done(const char *word)
{
	printf("%s\n", word);
	fflush(stdout);
}

/* ---- user namespaces ---- */

static void userns_unshare(char **arg)
{
	must(unshare(CLONE_NEWUSER), "unshare");
	done(arg[0]);
}

static void userns_clone(char **arg)
{
	struct { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack[6]; } c = {
		.flags = CLONE_NEWUSER | CLONE_NEWNET, .exit_signal = SIGCHLD,
	};
	pid_t pid = must(syscall(SYS_clone3, &c, sizeof(c)), "clone3");

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	done(arg[0]);
}

/* ---- mounts, in a namespace that the caller made. directory ---- */

#define TMPFS 0x01021994

/* A file system's name, which the kernel looks for a module of. */
static void fs_open(char **arg)
{
	must(syscall(SYS_fsopen, arg[0], 0), "fsopen");
}

static void mounted(const char *path, const char *word)
{
	struct statfs s;

	must(statfs(path, &s), path);
	if (s.f_type == TMPFS)
		done(word);
}

static void mount_new(char **arg)
{
	must(mount("t", arg[0], "tmpfs", 0, NULL), "mount");
	mounted(arg[0], arg[1]);
}

/* fsopen(2), fsconfig(2), fsmount(2): a mount that is attached to nothing yet. */
static int mount_detached(void)
{
	int fs = must(syscall(SYS_fsopen, "tmpfs", 0), "fsopen");

	must(syscall(SYS_fsconfig, fs, 6, NULL, NULL, 0), "fsconfig");
	return must(syscall(SYS_fsmount, fs, 0, 0), "fsmount");
}

/* Used by its descriptor, and moved nowhere. */
static void mount_by_fd(char **arg)
{
	int fd = must(openat(mount_detached(), "file", O_CREAT | O_RDWR, 0600), "file");

	must(write(fd, arg[0], strlen(arg[0])), "write");
	done(arg[0]);
}

/* A file system that the caller has mounted gets other options, by fspick(2). directory */
static void mount_pick(char **arg)
{
	int fs = must(syscall(SYS_fspick, AT_FDCWD, arg[0], 0), "fspick");

	must(syscall(SYS_fsconfig, fs, 1, "size", "1M", 0), "size");
	must(syscall(SYS_fsconfig, fs, 7, NULL, NULL, 0), "reconfigure");
	done(arg[1]);
}

static void mount_move(char **arg)
{
	int fd = mount_detached();

	must(syscall(SYS_move_mount, fd, "", AT_FDCWD, arg[0], 4), "move_mount");
	mounted(arg[0], arg[1]);
}

/* from, to */
static void mount_tree(char **arg)
{
	int fd = must(syscall(SYS_open_tree, AT_FDCWD, arg[0], 1 | AT_RECURSIVE), "open_tree");

	must(syscall(SYS_move_mount, fd, "", AT_FDCWD, arg[1], 4), "move_mount");
	mounted(arg[1], arg[2]);
}

static void mount_away(char **arg)
{
	must(umount2(arg[0], MNT_DETACH), "umount2");
	done(arg[1]);
}

static void mount_pivot(char **arg)
{
	must(chdir(arg[0]), arg[0]);
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	done(arg[1]);
}

static void mount_flags(char **arg)
{
	must(mount(NULL, arg[0], NULL, MS_SHARED | MS_REC, NULL), "mount");
	done(arg[1]);
}

/* ---- perf, keys, modules ---- */

static void perf(char **arg)
{
	struct perf_event_attr a = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(a),
				     .config = PERF_COUNT_SW_TASK_CLOCK };
	int fd = must(syscall(SYS_perf_event_open, &a, atoi(arg[0]), -1, -1, 0), "perf_event_open");
	uint64_t count;

	if (read(fd, &count, sizeof(count)) == sizeof(count))
		done(arg[1]);
}

static long key(long op, long a, long b, long c)
{
	return syscall(SYS_keyctl, op, a, b, c, 0);
}

/* name, content: into the user's keyring; printed by whoever finds it. */
static void key_add(char **arg)
{
	long id = must(syscall(SYS_add_key, "user", arg[0], arg[1], strlen(arg[1]),
			       KEY_SPEC_USER_KEYRING), "add_key");

	must(key(KEYCTL_SETPERM, id, 0x3f3f0000, 0), "KEYCTL_SETPERM");
	done(arg[1]);
}

static void key_read(char **arg)
{
	char content[256];
	long id = must(key(KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, (long)"user", (long)arg[0]),
		       "KEYCTL_SEARCH"), n;

	n = must(key(KEYCTL_READ, id, (long)content, sizeof(content)), "KEYCTL_READ");
	printf("%.*s\n", (int)n, content);
}

/* Every key that the numbers of /proc/keys lead to. */
static void key_guess(char **arg)
{
	FILE *f = fopen("/proc/keys", "r");
	char line[512], content[256];
	long n;

	while (f && fgets(line, sizeof(line), f)) {
		n = key(KEYCTL_READ, strtol(line, NULL, 16), (long)content, sizeof(content));
		if (n > 0)
			printf("%.*s\n", (int)n, content);
	}
}

/* A key that is not there, for which the kernel starts /sbin/request-key. */
static void key_request(char **arg)
{
	syscall(SYS_request_key, "user", arg[0], "callout", KEY_SPEC_PROCESS_KEYRING);
}

static void module_file(char **arg)
{
	int fd = must(open(arg[0], O_RDONLY), arg[0]);

	must(syscall(SYS_finit_module, fd, "", 0), "finit_module");
	done(arg[1]);
}

static void module_bytes(char **arg)
{
	int fd = must(open(arg[0], O_RDONLY), arg[0]);
	struct stat st;
	void *bytes;

	must(fstat(fd, &st), "fstat");
	bytes = malloc(st.st_size);
	must(read(fd, bytes, st.st_size) == st.st_size ? 0 : -1, "read");
	must(syscall(SYS_init_module, bytes, st.st_size, ""), "init_module");
	done(arg[1]);
}

/* ---- capabilities ---- */

static void set_time(char **arg)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	must(settimeofday(&now, NULL), "settimeofday");
	done(arg[0]);
}

static void log_read(char **arg)
{
	/* What does not fit its newest record gets nothing. */
	char buf[4096];

	if (must(klogctl(3, buf, sizeof(buf)), "syslog") > 0)
		done(arg[0]);
}

static void hang_up(char **arg)
{
	signal(SIGHUP, SIG_IGN);
	must(vhangup(), "vhangup");
	done(arg[0]);
}

/* ---- device files. path, how many bytes ---- */

static void device_read(char **arg)
{
	int fd = must(open(arg[0], O_RDONLY | O_NONBLOCK), arg[0]);
	char buf[512];

	if (must(read(fd, buf, atoi(arg[1])), "read") >= 0)
		done(arg[2]);
}

static void device_write(char **arg)
{
	int fd = must(open(arg[0], O_WRONLY), arg[0]);

	must(write(fd, arg[1], strlen(arg[1])), "write");
	done(arg[1]);
}

static void device_open(char **arg)
{
	must(open(arg[0], O_RDONLY | O_NONBLOCK), arg[0]);
	done(arg[1]);
}

/* What stands in the first block, by READ(10) in a request of version 4. path */
static void bsg_read(char **arg)
{
	unsigned char command[10] = { 0x28, [8] = 1 }, sense[64];
	char block[513] = "";
	struct sg_io_v4 io = { .guard = 'Q', .request_len = sizeof(command),
			       .request = (unsigned long)command,
			       .max_response_len = sizeof(sense),
			       .response = (unsigned long)sense, .din_xfer_len = 512,
			       .din_xferp = (unsigned long)block, .timeout = 5000 };
	int fd = must(open(arg[0], O_RDWR), arg[0]);

	must(ioctl(fd, SG_IO, &io), "SG_IO");
	done(block);
}

/* The same of the first namespace of a controller, whose blocks have 4 KiB. path */
static void nvme_read(char **arg)
{
	char *block = aligned_alloc(4096, 4096);
	struct nvme_passthru_cmd c = { .opcode = 2, .nsid = 1, .addr = (unsigned long)block,
				       .data_len = 4096 };
	int fd = must(open(arg[0], O_RDONLY), arg[0]);

	memset(block, 0, 4096);
	must(ioctl(fd, NVME_IOCTL_IO_CMD, &c), "NVME_IOCTL_IO_CMD");
	done(block);
}

/* ---- sockets that somebody outside made: descriptor 9 is one, then the command runs ---- */

static void raw_hand(char **arg)
{
	int fd = must(socket(AF_INET, SOCK_RAW, IPPROTO_RAW), "socket");

	must(dup2(fd, 9), "dup2");
	execvp(arg[0], arg);
	fail(arg[0]);
}

/* address, port, text: a UDP packet by descriptor 9, beside an address and port that are allowed. */
static void raw_send(char **arg)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(7001) };
	unsigned char p[512] = {};
	struct iphdr *ip = (void *)p;
	size_t len = strlen(arg[2]);
	uint16_t port = htons(atoi(arg[1])), udp = htons(8 + len);

	*ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP,
			      .tot_len = htons(28 + len) };
	inet_pton(AF_INET, arg[0], &ip->daddr);
	ip->saddr = ip->daddr;
	memcpy(p + 20, &port, 2);
	memcpy(p + 22, &port, 2);
	memcpy(p + 24, &udp, 2);
	memcpy(p + 28, arg[2], len);
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	must(sendto(9, p, 28 + len, 0, (void *)&to, sizeof(to)), "sendto");
}

/* name, word: a network device that is there. */
static void tun_open(char **arg)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = must(open("/dev/net/tun", O_RDWR), "/dev/net/tun");

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", arg[0]);
	must(ioctl(fd, TUNSETIFF, &r), "TUNSETIFF");
	done(arg[1]);
}

/* ---- bpf(2) beyond one's own: command numbers in turn, each with an id or path ---- */

static void bpf_others(char **arg)
{
	static const int gets[] = { BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID,
				    BPF_BTF_GET_FD_BY_ID, BPF_LINK_GET_FD_BY_ID };

	for (unsigned int i = 0; i < 4; i++) {
		for (unsigned int id = 1; id < 200; id++) {
			union bpf_attr a = { .map_id = id };

			if (syscall(SYS_bpf, gets[i], &a, sizeof(a)) >= 0)
				done(arg[0]);
		}
	}
	for (unsigned int i = BPF_PROG_GET_NEXT_ID; i <= BPF_MAP_GET_NEXT_ID; i++) {
		union bpf_attr a = {};

		if (syscall(SYS_bpf, i, &a, sizeof(a)) >= 0)
			done(arg[0]);
	}
}

static const struct verb verbs[] = {
	{ "userns-unshare", 1, userns_unshare }, { "userns-clone", 1, userns_clone },
	{ "mount-new", 2, mount_new },	  { "mount-move", 2, mount_move },
	{ "mount-by-fd", 1, mount_by_fd }, { "mount-pick", 2, mount_pick },
	{ "bsg-read", 1, bsg_read },	  { "nvme-read", 1, nvme_read },
	{ "mount-tree", 3, mount_tree },  { "mount-away", 2, mount_away },
	{ "mount-pivot", 2, mount_pivot }, { "mount-flags", 2, mount_flags },
	{ "fs-open", 1, fs_open },
	{ "perf", 2, perf },		  { "key-add", 2, key_add },
	{ "key-read", 1, key_read },	  { "key-guess", 0, key_guess },
	{ "key-request", 1, key_request }, { "module-file", 2, module_file },
	{ "module-bytes", 2, module_bytes }, { "set-time", 1, set_time },
	{ "log-read", 1, log_read },	  { "hang-up", 1, hang_up },
	{ "device-read", 3, device_read }, { "device-write", 2, device_write },
	{ "device-open", 2, device_open }, { "raw-hand", 1, raw_hand },
	{ "tun-open", 2, tun_open },
	{ "raw-send", 3, raw_send },	  { "bpf-others", 1, bpf_others },
};
VERBS_MAIN(verbs)
