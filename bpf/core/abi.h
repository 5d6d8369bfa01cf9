/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel side and user space say to each other: map keys and values, event records.
 * Host byte order unless a field says otherwise; times are nanoseconds since boot
 * (CLOCK_BOOTTIME). Every struct is zeroed before it is filled.
 */
#ifndef HG_ABI_H
#define HG_ABI_H

#include "types.h"
#include "limits.h"
#include "table.h"
#include "endpoint.h"
#include "hash.h"
#include "near.h"

enum hg_mode { HG_ENFORCE = 0, HG_AUDIT = 1 };

/*
 * An agent. Map `agents`, an array, index = agent number (0 is never used). Written by user space,
 * read by every hook, counters added to by the kernel. `policy` alone decides which image and
 * generation apply, so one 8-byte store switches a policy: slot (low 32 bits, 0: no policy, which
 * denies everything with HG_WHY_NO_POLICY) | generation << 32.
 */
struct hg_agent {
	__u64 policy;
	__u64 uid;		/* identity of this use of the number; never used again in a boot */
	__u32 mode;		/* enum hg_mode */
	__u32 guarded;		/* 1: the programs on its cgroup see its packets and payloads */
	__u64 denied;		/* decisions that were deny (enforced or audited) */
	__u64 logged;		/* allowed and reported */
	__u64 lost;		/* events that found the ring full */
	__u64 uncounted;	/* decisions that found no room in `counters` */
	__u32 listens;		/* 1, kernel: it has bound or listened, so what it reaches may be its own */
	__u32 zero;
	char name[HG_AGENT_NAME_MAX + 1]; /* ended by a NUL; what `agent:NAME` in policies means */
};

/* Map `cgroups`: cgroup id -> agent number. The kernel adds children as they are made. */

/*
 * Map `processes`: address of a process's struct signal_struct (the same for its threads and over
 * exec) -> whose process it is, wherever it is moved. Written by the kernel at fork and when a
 * process enters an agent's cgroup; for those that were there before, by the iterator
 * `adopt_tasks`. Deleted when the last thread exits.
 */
struct hg_process {
	__u64 uid;		/* hg_agent.uid; another one there means: not an agent's any more */
	__u32 agent;
	__u32 zero;
};

/* What the iterator `list_processes` writes for each process that is an agent's, wherever it is. */
struct hg_listed {
	__u32 agent, pid;
};

/* The kernel side's own globals (.bss). */
struct hg_state {
	/* Processes seen in a cgroup that is not their agent's. While 0, the cgroup alone says who
	 * an agent is; afterwards `processes` is asked first. Never lowered by the kernel. */
	__u64 strays;
	/* Entries in `execs`. While 0, no thread has one. */
	__u64 execs;
	/* Internet sockets made elsewhere that an agent was seen with. While 0, none of an agent's is. */
	__u64 foreign;
};

/*
 * Map `counters`, key to value. rule HG_RULE_NONE with reason HG_WHY_DEFAULT: nothing matched; a
 * reason other than HG_WHY_RULE has its own entry. Kernel adds, user space reads.
 */
struct hg_counter_key {
	__u32 agent;
	__u32 generation;
	__u16 rule;
	__u8 reason;		/* enum hg_why */
	__u8 zero;
	__u32 zero2;
};
struct hg_counter {
	__u64 hits;		/* decisions this rule made that are reported (denied, asked, logged) */
	__u64 lost;		/* of those: events that found the ring full */
};

/*
 * A part of a superblock that a mount names: what is below the mount's root. The address alone does
 * not say that the dentry is still that one: it may be gone with its mount, and its memory another's.
 * It stands where all of it is as it was; otherwise the part is none.
 */
struct hg_part {
	__u64 anchor;		/* address of the dentry that `place` names: the mount's root */
	__u64 inode;		/* address of its inode, */
	__u64 ino;		/* the inode's number, */
	__u64 tree;		/* of btrfs: the subvolume's number, where the kernel's types say it; else 0 */
	__u32 generation;	/* and generation */
	__u32 place;		/* a number for one (superblock, name) pair, never used again in a boot */
};
/*
 * Map `superblocks`: struct super_block's address -> how it is named. Usually it has one part, its
 * root's; of several, the one whose anchor is nearest above a file names it. Written by user space
 * through the registration below, deleted by the kernel when the superblock goes.
 */
struct hg_superblock {
	__u64 creator;		/* of an overlay: address of the struct cred it works with; else 0 */
	__u32 n_parts;		/* 1 .. HG_PARTS_MAX */
	__u32 zero;
	struct hg_part part[HG_PARTS_MAX];
};
/* Places the kernel knows by file system type, whatever instance: names are fixed. */
enum hg_home {
	HG_HOME_NONE = 0,
	HG_HOME_PROC = 1,	/* /proc */
	HG_HOME_SYSFS = 2,	/* /sys */
	HG_HOME_DEVPTS = 3,	/* /dev/pts */
	HG_HOME_CGROUP2 = 4,	/* /sys/fs/cgroup */
	HG_HOME_BPF = 5,	/* /sys/fs/bpf */
	HG_FIRST_PLACE = 16,	/* user space numbers from here */
};

/*
 * Map `starts`: where a place is in a policy's directory machine. Written by user space for every
 * place (homes included) of every policy in use before the policy is switched to.
 */
struct hg_start_key {
	__u32 slot;
	__u32 place;
};
struct hg_start {
	__u16 dir, out;		/* as struct hg_at */
	__u32 zero;
};

/*
 * Map `directories`, inode storage: what is kept of one directory for the policies that were asked about
 * it last.
 *
 * Its state, in one word so that it is read and written whole: directory state | slot << 16 |
 * rename_lock's sequence << 32. Any rename, anywhere, makes all of them stale; user space renames a
 * file of its own after it changed what a slot or a place means.
 *
 * And the step by which it was reached: from which state, by which name, under which image; and what
 * some of the names in it led to from its state. That stays right whatever is renamed, since it says
 * nothing of where the directory is.
 */
#define HG_DIRECTORY_WAYS 4	/* a policy's way is its slot's low bits */
#define HG_SHORT_WORDS 4	/* a short name: as the dentry has it, with what is behind its NUL */
struct hg_memo {
	__u64 epoch;		/* hg_epoch.images + 1 then; 0: none */
	__u64 word;		/* the directory's state | its parent's << 16 | slot << 32 */
};
#define HG_DIRECTORY_NAMES 4	/* a name's place is the low bits of its dentry's hash */
struct hg_named {
	__u64 name[HG_SHORT_WORDS];
	__u64 epoch;		/* as above */
	__u64 word;		/* what is allowed | the directory's state << 16 | slot << 32 */
};
struct hg_directory {
	__u64 way[HG_DIRECTORY_WAYS];
	__u64 version;		/* odd while what follows is being written */
	__u64 name[HG_SHORT_WORDS];
	struct hg_memo memo[HG_DIRECTORY_WAYS];
	struct hg_named named[HG_DIRECTORY_NAMES];
};

/* Map `epoch`, an array of one: user space adds to it whenever a slot has got another image, before any
 * agent uses it. */
struct hg_epoch {
	__u64 images;
};

/*
 * Map `links`: files that had several names when a policy was loaded, one of them with fewer rights
 * than another. Whatever name is used, what one of them lacks is refused. Written by user space
 * for every policy before it is switched to.
 */
struct hg_link_key {
	__u64 sb;		/* address of the struct super_block */
	__u64 tree;		/* as in struct hg_part */
	__u64 ino;
	__u32 generation;	/* of the inode: tells apart files that had one number in turn */
	__u32 slot;
};
struct hg_link {
	__u8 lacks;		/* HG_OBJECT_RIGHTS that some name has not */
	__u8 zero[3];
	__u16 rule[6];		/* which rule says so, HG_RULE_NONE where none is known */
};
/* What concerns a file whatever it is called; making and deleting concern a name. */
#define HG_OBJECT_RIGHTS \
	(HG_BIT(HG_READ) | HG_BIT(HG_MODIFY) | HG_BIT(HG_ATTR) | HG_BIT(HG_EXEC))

/* Map `link_filter`, array, one element, in user space's memory: a bit for each inode number that
 * may be in `links`. Files without one, nearly all, cost no lookup. */
struct hg_link_filter {
	__u64 used;		/* 0: no bit is set */
	__u64 word[1u << (HG_LINK_FILTER_BITS - 6)];
};
HG_INLINE __u64 hg_link_bit(__u64 ino)
{
	return hg_spread(ino) >> (64 - HG_LINK_FILTER_BITS);
}

/*
 * Registration of a part of a superblock: user space stores `who` = its own thread id (as the initial
 * pid namespace knows it), `place`, which of the superblock's other parts stay (`keep`, places) and
 * `done` = 0 in map `registrar` (array, one element), then calls fstatfs(2) on an O_PATH descriptor
 * of the mount's root. The kernel side, in sb_statfs, stores the superblock with these parts and the
 * new one and sets done = 1; or 2 where there is no room for it, or 3 where an agent mounted what
 * gets no name. place 0 only asks: the kernel's own numbers of the descriptor's file are stored
 * in `key`.
 */
struct hg_registrar {
	__u32 who, place, done, n_keep;
	__u32 keep[HG_PARTS_MAX];
	struct hg_link_key key;
	struct hg_superblock made; /* the kernel's working memory */
};

/*
 * Map `execs`: address of a thread's struct task_struct -> the programs of its execve(2) under way
 * that are judged when their arguments can be read. Written by the kernel at bprm_check_security,
 * deleted when it has been judged; what an execve left behind that failed goes when the thread
 * begins another, or exits.
 */
struct hg_exec_link {
	__u32 argc;		/* as it was when this program was asked about */
	__u16 rule;		/* what holds whatever the arguments are: rule, */
	__u8 allowed;		/* verdict (0 or 1) */
	__u8 argv;		/* hg_out.argv */
};
struct hg_exec {
	__u64 policy;		/* hg_agent.policy then */
	__u64 bprm;		/* address of the execve's struct linux_binprm */
	__u32 agent;		/* whose room it takes */
	__u32 n;
	struct hg_exec_link link[HG_CHAIN_MAX];
};

/*
 * Map `names`, an array of hashes by agent number: what an address was learned to be called. Written
 * by the kernel from answers to questions that the policy allows. By the network namespace in which
 * the answer came: an agent that answers itself in one of its own learns nothing for another.
 */
struct hg_name_key {
	__u32 netns;		/* inode number of the namespace */
	__u32 way;		/* 0 .. HG_NAME_WAYS - 1 */
	__u8 address[16];	/* network order; IPv4 as ::ffff:a.b.c.d */
};
struct hg_name {
	__u64 until;		/* when it is forgotten */
	__u32 hash;		/* hg_host_hash() */
	__u16 len;		/* of the name */
	__u8 bytes[HG_HOST_MAX + 3]; /* backwards (core/host.h), NUL */
};

/* Map `learned`, array, one element, the kernel's alone: a bit for each address that some agent has learned a
 * name of. Addresses without one, nearly all that rules on addresses are about, cost no lookups. A bit is
 * set before the name is, and never cleared. */
struct hg_learned {
	__u64 word[1u << (HG_LEARNED_BITS - 6)];
};
/* Of an agent's number and an address as in struct hg_name_key. */
HG_INLINE __u64 hg_learned_bit(__u32 agent, const __u8 address[16])
{
	__u64 high, low;

	__builtin_memcpy(&high, address, sizeof(high));
	__builtin_memcpy(&low, address + 8, sizeof(low));
	return hg_spread(hg_spread(high) ^ low ^ agent) >> (64 - HG_LEARNED_BITS);
}

/* Map `resolvers`: who may be asked for names, at port 53. Written by user space. */
struct hg_resolver_key {
	__u32 agent;
	__u32 zero;
	__u8 address[16];	/* as in struct hg_name_key */
};

/*
 * Map `budgets`: how much may be sent by a rule with HG_OPT_BUDGET. Written by user space before the
 * policy is switched to, with what the same rule had spent before; spent by the kernel. One that is
 * missing is spent.
 */
struct hg_budget_key {
	__u32 agent;
	__u32 generation;
	__u32 rule;		/* its number; or'ed with HG_BUDGET_NAMES: of HG_OPT_NAMES */
};
#define HG_BUDGET_NAMES (1u << 16)
struct hg_budget {
	__u64 limit;		/* bytes, or names, in a period */
	__u64 period;		/* ns; 0: one period for good */
	__u64 begun;		/* when it began, CLOCK_BOOTTIME */
	__u64 spent;		/* in it: bytes of packets from their network header on, and of questions; or
				 * names; may exceed limit */
	__u64 cut;		/* packets or questions that were dropped, in all periods */
	__u64 text;		/* hash of the rule as it is written */
	__u32 told;		/* 1: the period's event was written */
	__u32 zero;
};

/* Map `asked`: names that were asked for under HG_OPT_NAMES -> hg_budget.begun then. As they were asked
 * for, since a zone's servers see that: the letters' case, and the type where it is not one that libraries
 * ask for beside each other (A, AAAA, HTTPS, SVCB: 0). The kernel's alone; what falls out of it counts
 * anew. */
struct hg_asked_key {
	__u32 agent;
	__u16 qtype;
	__u8 wire[HG_HOST_MAX + 5]; /* without the root's label, zeros */
};

/*
 * Map `sockets`, socket storage: what is known of an agent's internet socket. Made by the kernel when
 * a connection, a datagram or an accepted connection is asked about.
 */
enum hg_socket_state {
	HG_SOCKET_UNDECIDED,	/* its packets are asked about one by one */
	HG_SOCKET_OPEN,		/* its peer is allowed, whatever is sent */
	HG_SOCKET_NAMED,	/* its peer is allowed by name, and nothing was sent yet */
	HG_SOCKET_SAID,		/* and the name was in what was sent first, but TLS may say it again */
	HG_SOCKET_JUDGED,	/* and the name was said */
	HG_SOCKET_RESOLVER,	/* a connection to a resolver: questions only */
	HG_SOCKET_ACCEPTED,	/* a connection from elsewhere */
	HG_SOCKET_LOCAL,	/* of a loopback address: who is at the other end decides each packet */
};
struct hg_asked {
	__u16 id, qtype;	/* of a DNS question */
	__u32 name;		/* hg_host_hash() of its name; 0: free */
};
#define HG_PEER_UNKNOWN (~0ull)
struct hg_socket {
	__u64 version;		/* odd while what belongs to `remote` is being written: state, policy, budget,
				 * by, peer, stands, quiet */
	__u64 policy;		/* hg_agent.policy when `state` was decided */
	__u64 agent_uid;
	__u64 cgroup, start;	/* as struct hg_event, of the process that asked last */
	__u32 agent, netns;
	__u32 state;		/* enum hg_socket_state */
	__u16 guarded;		/* 1: its payload is seen before it is sent */
	__u16 early;		/* 1: it offered TLS early data */
	__u32 pid, tid, uid, gid;
	char comm[16];
	__u32 next_asked;
	__u32 due;		/* where `guarded`: TCP's sequence number behind what was let through */
	__u64 peer;		/* hg_agent.uid of whose the other end, on this machine, was when `state` was
				 * decided; 0: no agent's, HG_PEER_UNKNOWN: not looked at */
	__u32 budget;		/* number of the rule whose budget `state` goes by, + 1; 0: none */
	__u16 stands;		/* 1: a connection that stood by then, so `peer` is whose it stays */
	__u16 quiet;		/* 1: asking for the same peer again would tell nothing */
	struct hg_endpoint remote; /* the peer that `state` speaks of */
	__u32 by_len;		/* where a name allows it: bytes of that name and its NUL; else 0 */
	__u8 by[HG_HOST_MAX + 3]; /* backwards (core/host.h) */
	struct hg_asked asked[HG_ASKED_MAX];
};

enum hg_verdict_said { HG_SAID_DENIED = 0, HG_SAID_AUDITED = 1, HG_SAID_LOGGED = 2 };

/* Why a decision fell as it did. The names users see are in user/reasons.c, one for each. */
enum hg_why {
	HG_WHY_RULE,			/* a rule of the policy */
	HG_WHY_DEFAULT,			/* no rule matched */
	HG_WHY_NO_APPROVER,		/* ask, and nobody to ask */
	HG_WHY_NO_POLICY,		/* the agent has no policy in force */
	HG_WHY_UNMAPPED_FILESYSTEM,	/* a superblock that nobody named */
	HG_WHY_DISCONNECTED,		/* the dentry chain does not reach an anchor of the superblock */
	HG_WHY_RACED,			/* renames kept changing the path while it was read */
	HG_WHY_TOO_LONG,		/* deeper than HG_DEPTH_MAX */
	HG_WHY_TOO_BUSY,		/* no scratch space: too many decisions preempted on this CPU */
	HG_WHY_BROKEN_POLICY,		/* the image could not be read: a bug, or memory corruption */
	HG_WHY_RIGHTS_WOULD_CHANGE,	/* rename or link to where other rights hold */
	HG_WHY_SOCKET_FAMILY,		/* a kind of socket that no rule can speak of */
	HG_WHY_ADDRESS_FAMILY,		/* an address whose family does not fit the socket */
	HG_WHY_GUARD,			/* it would reach the guard itself */
	HG_WHY_SOURCE_ROUTE,		/* options that send a packet by way of another address */
	HG_WHY_PRIVILEGE,		/* another's process, another's terminal */
	HG_WHY_HARD_LINK,		/* the file has another name, which has not this right */
	HG_WHY_TRACED,			/* what arguments decide, and a tracer could change them */
	HG_WHY_OTHER_AGENT,		/* another agent's socket, and no rule on that agent */
	HG_WHY_NAME_NOT_ALLOWED,	/* a name that no rule allows to ask for */
	HG_WHY_NAME_MISMATCH,		/* the name that is sent is none the peer is allowed by */
	HG_WHY_NAME_MISSING,		/* none is sent */
	HG_WHY_NAME_UNSEEN,		/* sent in a way in which no name can be seen */
	HG_WHY_MALFORMED,		/* a message that cannot be read, or need not be written so */
	HG_WHY_PRIVATE_ANSWER,		/* a public name with an address that is not public */
	HG_WHY_BUDGET,			/* the rule's budget is spent */
	HG_WHY_RESOLVER,		/* it would pass for a resolver's answer */
	HG_WHY_OUTSIDE,			/* a socket made where no program sees what it sends */
	HG_WHY_SPELLING,		/* a name that can be spelled in other ways, among such with other rights */
	HG_N_WHY,
	HG_WHY_ANONYMOUS,		/* inside the kernel side only: unnamed memory, no path rule */
};

/* What was attempted: the `event` and `hydraguard.action` a user sees. */
enum hg_what {
	HG_WHAT_PATH,		/* action: enum hg_action bits; path, maybe path2 (rename, link) */
	HG_WHAT_CONNECT,	/* endpoint */
	HG_WHAT_LISTEN,		/* endpoint */
	HG_WHAT_SOCKET,		/* family, type, protocol in endpoint.bytes[0..3): no path */
	HG_WHAT_BPF,		/* somebody else's programs and maps */
	HG_WHAT_USE,		/* endpoint.bytes[0]: enum hg_use; then, of a socket, family, type and
				 * protocol (low byte first); of a module, its name, endpoint.len - 1
				 * bytes of it; maybe a path */
	HG_WHAT_PTRACE,		/* of a process that is not the agent's */
	HG_WHAT_ESCAPE,		/* a task reached a cgroup of another domain; it keeps its own */
	HG_WHAT_UNIX,		/* reaching a unix socket; path, or abstract name */
	HG_WHAT_UNIX_LISTEN,	/* binding an abstract name */
	HG_WHAT_DNS,		/* asking for a name: path is the name, `detail` the type asked for */
	HG_WHAT_HELLO,		/* what a connection sends first: path is the name in it */
	HG_N_WHAT,
};

struct hg_ancestor {
	__u32 pid;		/* tgid; 0: none */
	char comm[16];
};

/*
 * One event, in the agent's own ring (map `rings`, array of ring buffers by agent number):
 * this head, then path_len bytes of path, path2_len bytes, exe_len bytes, argv_len bytes. Paths are relative to
 * the named place, starting with '/', or empty for the place itself; no NUL.
 */
struct hg_event {
	__u64 time;
	__u64 agent_uid;	/* struct hg_agent.uid */
	__u64 missed;		/* hg_agent.lost when this was written */
	__u64 cgroup;		/* id of the acting task's cgroup */
	__u64 start;		/* start time of the process (task's group leader) */
	__u32 agent, slot, generation;
	__u16 rule;
	__u8 what;		/* enum hg_what */
	__u8 actions;		/* bits of enum hg_action: the ones refused (or logged) */
	__u8 said;		/* enum hg_verdict_said */
	__u8 why;		/* enum hg_why */
	__u16 flags;		/* HG_EVENT_* */
	__u32 pid;		/* thread group id, initial pid namespace */
	__u32 tid, ppid, uid, gid;
	__u32 place, place2, exe_place;
	__u16 path_len, path2_len, exe_len;
	__u16 argv_len;		/* bytes; may go on behind the last argument: see argc */
	__u32 argc;		/* arguments, each followed by NUL; the last may be cut */
	__u32 detail;		/* of what was attempted: see enum hg_what */
	char comm[16];
	struct hg_ancestor ancestors[HG_ANCESTORS];
	struct hg_endpoint endpoint;
};
#define HG_EVENT_PATH_CUT	1u	/* path is its first HG_EVENT_PATH_MAX bytes */
#define HG_EVENT_PATH2_CUT	2u
#define HG_EVENT_EXE_CUT	4u
#define HG_EVENT_DIRECTORY	8u	/* the object is a directory */
#define HG_EVENT_ARGV_CUT	32u	/* argv is its first HG_EVENT_ARGV_MAX bytes */
#define HG_EVENT_UNLINKED	16u	/* the object's name is gone already */
#define HG_EVENT_UNSEEN		64u	/* nobody has looked yet whether the object exists */
#define HG_EVENT_ABSTRACT	128u	/* path is a socket's abstract name, any bytes */
#define HG_EVENT_PEER		256u	/* path2 is the name of the agent at the other end */
#define HG_EVENT_HOST		512u	/* path is a host name, backwards */
#define HG_EVENT_SCRIPT		1024u	/* path2 is what execve(2) was told to run, for which the object is the
					 * interpreter: as it was told, of at most HG_EVENT_SCRIPT_MAX bytes */

_Static_assert(sizeof(struct hg_near) == 16, "shared with user space");
_Static_assert(sizeof(struct hg_agent) == 64 + HG_AGENT_NAME_MAX + 1, "shared with user space");
_Static_assert(sizeof(struct hg_counter_key) == 16, "shared with user space");
_Static_assert(sizeof(struct hg_superblock) == 16 + 40 * HG_PARTS_MAX, "shared with user space");
_Static_assert(sizeof(struct hg_event) == 240 && sizeof(struct hg_event) % 8 == 0, "records follow each other");

#endif
