/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel types the programs read, with only the members they read. How it was made: by hand,
 * each member looked up by name in the BTF of Debian's 6.1 and 6.12 kernels (`tools/vm btf 6.1`,
 * `bpftool btf dump file F format c`); offsets here mean nothing, every access is relocated to
 * the running kernel's BTF when the object is loaded (CO-RE), and a member that a kernel lacks
 * makes loading fail. Constants are the kernel's own values; they are not in BTF.
 */
#ifndef HG_VMLINUX_H
#define HG_VMLINUX_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
	union {
		struct {
			__u32 hash;
			__u32 len;
		};
	};
	const unsigned char *name;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct file_system_type {
	const char *name;
	int fs_flags;
};

struct dentry;

struct user_namespace {
	int level;
};

struct super_block {
	unsigned long s_flags;
	unsigned long s_magic;
	struct file_system_type *s_type;
	struct dentry *s_root;
	struct user_namespace *s_user_ns;
	void *s_fs_info;
};

/* Of the module overlay. */
struct ovl_fs {
	const struct cred *creator_cred;
};

struct inode {
	unsigned short i_mode;
	__u32 i_rdev;
	struct super_block *i_sb;
	unsigned long i_ino;
	__u32 i_generation;
	unsigned int i_flags;
};

struct list_head {
	struct list_head *next;
};

struct miscdevice {
	int minor;
	const char *name;
	struct list_head list;
};

/* One of chrdevs. */
struct char_device_struct {
	struct char_device_struct *next;
	unsigned int major;
	unsigned int baseminor;
	int minorct;
	char name[64];
};

struct seqcount {
	unsigned int sequence;
};

struct seqcount_spinlock {
	struct seqcount seqcount;
};

/* Of the module btrfs. */
struct btrfs_key {
	__u64 objectid;
};

struct btrfs_root {
	struct btrfs_key root_key;
};

struct btrfs_inode {
	struct btrfs_root *root;
	struct inode vfs_inode;
};

struct dentry {
	unsigned int d_flags;
	struct seqcount_spinlock d_seq;
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	unsigned char d_iname[32];
	struct super_block *d_sb;
	void *d_fsdata;
};

struct path {
	struct dentry *dentry;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct file {
	void *private_data;
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_mode;
	unsigned int f_flags;
};

struct iattr {
	unsigned int ia_valid;
};

struct linux_binprm {
	unsigned long p;
	struct file *file;
	int argc;
	const char *filename;
	const char *interp;
	unsigned long exec;
};

struct vm_area_struct {
	unsigned long vm_flags;
	struct file *vm_file;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

typedef struct {
	int counter;
} atomic_t;

struct hlist_node {
	struct hlist_node *next, **pprev;
};
struct hlist_head {
	struct hlist_node *first;
};

enum pid_type {
	PIDTYPE_PID,
	PIDTYPE_TGID,
	PIDTYPE_PGID,
	PIDTYPE_SID,
	PIDTYPE_MAX,
};
struct pid {
	struct hlist_head tasks[PIDTYPE_MAX];
};

struct tty_struct {
	struct {
		struct pid *session;
	} ctrl;
	struct tty_struct *link;
};
struct tty_file_private {
	struct tty_struct *tty;
};

struct signal_struct {
	atomic_t live;
	struct tty_struct *tty;
};

struct cred;

struct mm_struct {
	struct file *exe_file;
};

struct nameidata;

struct task_struct {
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct mm_struct *mm;
	unsigned int personality;
	const struct cred *real_cred;
	const struct cred *cred;
	unsigned int in_execve : 1;
	unsigned int ptrace;
	struct nameidata *nameidata;
	struct css_set *cgroups;
	struct signal_struct *signal;
	struct hlist_node pid_links[PIDTYPE_MAX];
	__u64 start_boottime;
	char comm[16];
};

struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	possible_net_t skc_net;
	unsigned short skc_family;
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

struct sock {
	struct sock_common __sk_common;
	__u8 sk_userlocks : 4;
	__u16 sk_type;
	__u16 sk_protocol;
	struct sock_cgroup_data sk_cgrp_data;
};

struct tcp_sock {
	__u32 write_seq;
};

struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[];
};

struct unix_sock {
	struct unix_address *addr;
	struct path path;
};

struct socket {
	struct sock *sk;
};

struct msghdr {
	void *msg_name;
	int msg_namelen;
	void *msg_control;
	size_t msg_controllen;
	unsigned int msg_flags;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

/* Address structures as system calls pass them; the layout is the ABI (include/uapi/linux/in.h). */
struct sockaddr {
	__u16 sa_family;
	char sa_data[14];
};

#define S_IFMT		0170000
#define S_IFLNK		0120000
#define S_IFBLK		0060000
#define S_IFREG			0100000
#define S_IFCHR		0020000
#define S_IFDIR		0040000

#define O_TRUNC		00001000
#define __O_TMPFILE	020000000
#define __FMODE_EXEC	0x20		/* in f_flags */
#define FMODE_READ	0x1
#define FMODE_WRITE	0x2
#define FMODE_PATH	0x4000
#define FMODE_CREATED	0x100000

#define ATTR_SIZE	(1 << 3)
#define ATTR_FORCE	(1 << 9)

#define RENAME_EXCHANGE	(1 << 1)
#define RENAME_WHITEOUT	(1 << 2)

#define PROT_READ	0x1
#define PROT_EXEC	0x4
#define READ_IMPLIES_EXEC	0x0400000
#define VM_EXEC		0x4UL

#define FS_REQUIRES_DEV	1
#define SB_KERNMOUNT	(1UL << 22)	/* never in a user's mount table */
#define PROC_SUPER_MAGIC	0x9fa0
#define SYSFS_MAGIC		0x62656572
#define DEVPTS_SUPER_MAGIC	0x1cd1
#define CGROUP2_SUPER_MAGIC	0x63677270
#define BPF_FS_MAGIC		0xcafe4a11
#define TMPFS_MAGIC		0x01021994
#define HUGETLBFS_MAGIC		0x958458f6
#define PIPEFS_MAGIC		0x50495045
#define SOCKFS_MAGIC		0x534f434b
#define ANON_INODE_FS_MAGIC	0x09041934
#define NSFS_MAGIC		0x6e736673
#define PID_FS_MAGIC		0x50494446
#define SECRETMEM_MAGIC		0x5345434d
#define DMA_BUF_MAGIC		0x444d4142
#define RAMFS_MAGIC		0x858458f6
#define FUSE_SUPER_MAGIC	0x65735546
#define EXT4_SUPER_MAGIC	0xef53
#define F2FS_SUPER_MAGIC	0xf2f52010

#define DCACHE_OP_COMPARE	(1 << 1)	/* include/linux/dcache.h */
#define S_CASEFOLD		(1 << 15)	/* include/linux/fs.h */
#define OVERLAYFS_SUPER_MAGIC	0x794c7630
#define BTRFS_SUPER_MAGIC	0x9123683e

#define AF_UNSPEC	0
#define AF_UNIX		1
#define AF_INET		2
#define AF_INET6	10
#define AF_NETLINK	16
#define AF_PACKET	17
#define AF_VSOCK	40
#define SOCK_STREAM	1
#define SOCK_DGRAM	2
#define SOCK_RAW	3
#define NETLINK_ROUTE	0
#define IPPROTO_MPTCP	262
#define TCP_ULP		31
#define SOL_IP		0
#define SOL_IPV6	41
#define IP_OPTIONS	4
#define IP_RETOPTS	7
#define IP_ADD_MEMBERSHIP	35
#define IP_UNBLOCK_SOURCE	37	/* up to MCAST_MSFILTER: sources of groups, and groups */
#define MCAST_JOIN_GROUP	42	/* as those up to MCAST_MSFILTER, of both levels */
#define MCAST_LEAVE_GROUP	45
#define MCAST_MSFILTER	48
#define IPV6_ADD_MEMBERSHIP	20
#define IPV6_JOIN_ANYCAST	27
#define IPV6_2292RTHDR	5
#define IPV6_2292PKTOPTIONS	6
#define IPV6_FLOWINFO	11
#define IPV6_FLOWLABEL_MGR	32
#define IPV6_RTHDR	57
#define MSG_FASTOPEN	0x20000000
#define TCP_ESTABLISHED	1		/* of datagram sockets: connected */
#define TCP_CLOSE	7
#define TCP_LISTEN	10
#define SOCK_BINDPORT_LOCK	8	/* bound to a port that was asked for */

#define FSNOTIFY_OBJ_TYPE_INODE	0
/* FS_OPEN_PERM, FS_ACCESS_PERM, FS_OPEN_EXEC_PERM, and FS_PRE_ACCESS (since 6.14) */
#define FS_PERM_EVENTS	0x00170000

#define CAP_OPT_NOAUDIT		0x2
#define PTRACE_MODE_ATTACH	0x2
#define PTRACE_MODE_NOAUDIT	0x4

#define SIGKILL		9
#define EPERM		1
#define EACCES		13
#define ENOMEM		12

#define READING_MODULE	2	/* enum kernel_read_file_id, and LOADING_MODULE */

#define FS_IOC_SETFLAGS		0x40086602
#define FS_IOC32_SETFLAGS	0x40046602
#define FS_IOC_FSSETXATTR	0x401c5820
#define FS_IOC_SETVERSION	0x40087602
#define FS_IOC32_SETVERSION	0x40047602
#define EXT4_IOC_SETVERSION	0x40086604
#define EXT4_IOC32_SETVERSION	0x40046604
#define BTRFS_IOC_SNAP_CREATE	0x50009401
#define BTRFS_IOC_SUBVOL_CREATE	0x5000940e
#define BTRFS_IOC_SNAP_DESTROY	0x5000940f
#define BTRFS_IOC_SNAP_CREATE_V2	0x50009417
#define BTRFS_IOC_SUBVOL_CREATE_V2	0x50009418
#define BTRFS_IOC_SNAP_DESTROY_V2	0x5000943f
#define FS_IOC_ENABLE_VERITY	0x40806685
#define FS_IOC_SET_ENCRYPTION_POLICY	0x800c6613
#define EXT4_IOC_SETVERSION	0x40086604
#define EXT4_IOC32_SETVERSION	0x40046604
#define EXT4_IOC_MIGRATE	0x6609
#define FAT_IOCTL_SET_ATTRIBUTES	0x40047211
#define BTRFS_IOC_SUBVOL_SETFLAGS	0x4008941a
#define BTRFS_IOC_SET_RECEIVED_SUBVOL	0xc0c89425
#define BTRFS_IOC_SET_RECEIVED_SUBVOL_32	0xc0c09425
#define OCFS2_IOC_REFLINK	0x40186f04
#define FIDEDUPERANGE		0xc0189436

/* Without the size of the argument, which other versions and 32-bit programs have differently. */
#define XFS_IOC_GETPARENTS_BY_HANDLE	0x583f
#define XFS_IOC_PATH_TO_FSHANDLE	0x5868
#define XFS_IOC_PATH_TO_HANDLE		0x5869
#define XFS_IOC_FD_TO_HANDLE		0x586a
#define XFS_IOC_OPEN_BY_HANDLE		0x586b
#define XFS_IOC_READLINK_BY_HANDLE	0x586c
#define XFS_IOC_ATTRLIST_BY_HANDLE	0x587a
#define XFS_IOC_ATTRMULTI_BY_HANDLE	0x587b
#define BCH_IOCTL_SUBVOLUME_CREATE	0xbc10
#define BCH_IOCTL_SUBVOLUME_DESTROY	0xbc11
#define BCH_IOCTL_SUBVOLUME_CREATE_V2	0xbc1d
#define BCH_IOCTL_SUBVOLUME_DESTROY_V2	0xbc1e

#define F_SETLEASE	1024
#define F_SETDELEG	1040
#define F_UNLCK		2

#define TIOCSTI		0x5412
#define TIOCLINUX	0x541c
#define TIOCCONS	0x541d
#define TIOCSETD	0x5423
#define TIOCVHANGUP	0x5437
#define KDSETMODE	0x4b3a
#define KDSKBMODE	0x4b45
#define KDSKBENT	0x4b47
#define KDSKBSENT	0x4b49
#define KDSKBDIACR	0x4b4b
#define KDSETKEYCODE	0x4b4d
#define KDSIGACCEPT	0x4b4e
#define KDSKBDIACRUC	0x4bfb
#define VT_SETMODE	0x5602
#define VT_LOCKSWITCH	0x560b

#endif
