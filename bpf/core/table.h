/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The policy image: the byte format that user space packs and the kernel reads.
 *
 * An image is n chunks of HG_CHUNK_SIZE bytes, little-endian, each one element of an array
 * map. Everything is addressed in units of eight bytes; chunk 0 starts with a struct hg_head.
 *
 * Four machines live in it:
 *  - lexer: a DFA over the bytes of one path component, with a start for each directory state; the
 *    row it stops in holds the symbol.
 *  - directories: (directory state, symbol) -> (next directory state, verdict row). A hash region
 *    holds the exceptions. Without one, those of the state's base hold (a directory and its .git
 *    differ in a few names); then the symbol's own fallback (a name such as .ssh leads to one place
 *    from nearly everywhere); then the state's default. Outputs are on the transitions, so a
 *    directory state is exactly the residual policy below a directory.
 *  - endpoints: a DFA over the bytes of an endpoint or of another thing's name (core/endpoint.h); the
 *    row it stops in holds the verdict row.
 *  - arguments: a DFA over a command line, each argument followed by a NUL, with a start for each
 *    set of rules that a verdict row's argv may name; the row it stops in holds the verdict row.
 *
 * The loader verifies a whole image (policy/image.c) before it is used; the masks
 * in the readers below only satisfy the kernel's verifier.
 */
#ifndef HG_TABLE_H
#define HG_TABLE_H

#include "types.h"
#include "limits.h"

#define HG_MAGIC 0x33444748u /* "HGD3" */

/* Actions on paths, as bits; the index of the bit is the index in hg_out.rule. */
enum hg_action {
	HG_READ		= 0,
	HG_MODIFY	= 1,
	HG_CREATE	= 2,
	HG_DELETE	= 3,
	HG_ATTR		= 4,
	HG_EXEC		= 5,
	HG_UNIX		= 6,	/* reaching the unix socket that is bound there */
	HG_N_PATH_ACTIONS,
	/* Actions on endpoints: same row shape, indexes of their own. */
	HG_CONNECT	= 0,
	HG_LISTEN	= 1,
	HG_RESOLVE	= 2,	/* asking for a host name */
	HG_N_EP_ACTIONS,
	/* The one action on a word. */
	HG_USE		= 0,
};
#define HG_BIT(action) (1u << (action))
#define HG_ALL_PATH_ACTIONS (HG_BIT(HG_N_PATH_ACTIONS) - 1)

/*
 * The words of `use`: what an agent is denied unless a rule names it. Each has a verdict row, in
 * which only HG_USE counts. Capabilities follow, one word each (HG_USE_CAP + CAP_*).
 */
enum hg_use {
	HG_USE_MOUNT,
	HG_USE_USERNS,
	HG_USE_CHROOT,
	HG_USE_BPF,
	HG_USE_PERF,
	HG_USE_MODULE,
	HG_USE_KEYRING,
	HG_USE_IO_URING,
	HG_USE_RAW_SOCKET,
	HG_USE_PACKET_SOCKET,
	HG_USE_NETLINK,
	HG_USE_VSOCK,
	HG_USE_DEVICE_NODE,
	HG_USE_RAW_DISK,
	HG_USE_ANONYMOUS_EXEC,
	HG_N_USE_WORDS,
	HG_USE_CAP	= 16,
	HG_N_USES	= HG_USE_CAP + 64,
};

/*
 * Capabilities that let root change what names mean, or reach below them: mounts of everybody's
 * (SYS_ADMIN: a file system that is moved has other rules), modules, the memory and the I/O ports,
 * the machine's network, another boot, tracing, the clock, other people's terminals. Over the
 * machine they are closed unless `use cap:NAME` opens them; those over one's own files and
 * processes are never asked about, and so is everything in a user namespace of one's own: a
 * sandbox that an agent makes of namespaces goes on working. Bits by number
 * (include/uapi/linux/capability.h).
 */
#define HG_MACHINE_CAPS ( \
	1ull << 12 | /* NET_ADMIN */ \
	1ull << 16 | /* SYS_MODULE */ \
	1ull << 17 | /* SYS_RAWIO */ \
	1ull << 19 | /* SYS_PTRACE */ \
	1ull << 20 | /* SYS_PACCT */ \
	1ull << 21 | /* SYS_ADMIN */ \
	1ull << 22 | /* SYS_BOOT */ \
	1ull << 25 | /* SYS_TIME */ \
	1ull << 26 | /* SYS_TTY_CONFIG */ \
	1ull << 30 | /* AUDIT_CONTROL */ \
	1ull << 32 | /* MAC_OVERRIDE */ \
	1ull << 33 | /* MAC_ADMIN */ \
	1ull << 34 | /* SYSLOG */ \
	1ull << 38 | /* PERFMON */ \
	1ull << 39 | /* BPF */ \
	1ull << 40)  /* CHECKPOINT_RESTORE */

/* One verdict row. allow and ask are disjoint bit sets over actions, in neither is deny; log marks
 * actions that are reported though allowed. rule[action] is the deciding rule's index in the
 * policy's rule list, HG_RULE_NONE where nothing matched.
 * argv: 0, or running it depends on its arguments: start argv - 1 of the argument machine. What the
 * row itself says about HG_EXEC then holds whatever the arguments are. */
struct hg_out {
	__u8 allow, ask, log, argv;
	__u16 rule[HG_N_PATH_ACTIONS];
	__u16 zero[3];
};

#define HG_OUT_UNITS 3

/* One directory state: where a symbol without exception and fallback leads, and what is allowed
 * below (at any depth, the directory itself not included). any_*: some name below has the right;
 * all_*: every name below has it. _allow counts allow, _held counts allow or ask. */
struct hg_dir {
	__u16 next, out;
	__u8 any_allow, all_allow, any_held, all_held;
	__u16 base;		/* the state whose exceptions hold here too; itself for none */
	__u16 kin;		/* equal where the verdicts below are, whichever rules say so */
	__u32 lexer;		/* where the lexer starts for names in it */
};

/* One exception: key is dir << 16 | symbol; HG_CELL_FREE (dir 0xffff never exists) where empty. */
struct hg_cell {
	__u32 key;
	__u16 next, out;
};
#define HG_CELL_FREE 0xffffffffu

/* Where an array of equal elements lies: element i is in chunk first_chunk + (i >> shift), at unit
 * `unit` plus (i & ((1 << shift) - 1)) elements. */
struct hg_region {
	__u16 first_chunk, unit;
	__u32 shift;
};

#define HG_HOSTS_SOME	1u	/* there are some */
#define HG_HOSTS_BUDGET	2u	/* and some with a budget, of bytes or of names */

struct hg_head {
	__u32 magic;
	__u32 n_chunks;
	__u64 uid;		/* the identity: a hash of all bytes with uid = 0; never 0 */
	__u32 hosts;		/* HG_HOSTS_*, of rules about host names */
	__u32 endpoint;		/* start state */
	__u32 n_dirs, n_outs;
	__u32 n_symbols, n_rules;
	__u32 hash_bits;	/* the hash region has 1 << hash_bits cells */
	__u32 agents;		/* 1: some rule is about other agents' listeners; else 0 */
	__u16 root_dir;		/* state below "/" */
	__u16 root_out;		/* verdict row of "/" itself */
	__u32 n_argvs;		/* starts of the argument machine; at most HG_ARGVS_MAX */
	struct hg_region dirs;	/* struct hg_dir, 16 bytes */
	struct hg_region outs;	/* struct hg_out, 24 bytes */
	struct hg_region cells;	/* struct hg_cell, 8 bytes */
	struct hg_region rules;	/* struct hg_rule, 8 bytes */
	struct hg_region uses;	/* by enum hg_use: the number of a verdict row, 8 bytes */
	struct hg_region argvs;	/* start states in words of 8 bytes */
};

/* What the kernel needs of a rule beside its verdict. */
struct hg_rule {
	__u8 verdict;		/* enum hg_verdict */
	__u8 options;		/* HG_OPT_* */
	__u16 zero;
	__u32 spare;
};
enum hg_verdict { HG_DENY = 0, HG_ASK = 1, HG_ALLOW = 2 };
#define HG_OPT_LOG	1u
#define HG_OPT_QUIET	2u
#define HG_OPT_PRIVATE	4u	/* the host name may have addresses that are not public */
#define HG_OPT_TLS_OFF	8u	/* what is sent there need not say the host name */
#define HG_OPT_BUDGET	16u	/* no more may be sent than map `budgets` says */
#define HG_OPT_NAMES	32u	/* nor more names be asked for */
#define HG_OPT_ALL	63u

/*
 * A byte DFA's state: the chunk of its row in the low half, the row's unit above, and what is to be
 * known before the row is read. A sink leads only to itself: reading further changes nothing. A
 * hub says itself where each class leads: the chunk-first order keeps its words from looking like
 * anybody's cell, since no row is at a unit that is a chunk's number.
 */
#define HG_STATE_HUB  0x80000000u
#define HG_STATE_SINK 0x40000000u
#define HG_STATE(chunk, unit) ((__u32)(unit) << 16 | (chunk))
#define HG_STATE_CHUNK(state) ((state) & 0xffffu)
#define HG_STATE_UNIT(state)  ((state) >> 16 & (HG_CHUNK_UNITS - 1))

/* A byte DFA's row: two units. A hub's is followed by the next state of each class, two to a unit.
 * Otherwise, where a cell at base + class belongs to this row it gives the next state; else, with
 * HG_ROW_DELEGATES, what the hub dflt does, which is in the same chunk; else dflt. Cells lie in
 * the row's chunk.
 * Any unit may come to be read as a cell, so no row's words look like a cell of another row: rows
 * are at even units, bases are odd, and `fallback`, where a cell names its row, is a small
 * number. */
struct hg_row {
	__u32 dflt;		/* a hub's or a sink's: 0 */
	__u16 base;		/* unit of the cell for class 0; odd; a hub's or a sink's: 1 */
	__u16 flags;		/* HG_ROW_* */
	__u16 out;		/* symbol (lexer) or verdict row (endpoints, arguments) */
	/* Lexer: the symbol's fallback. Else 0. */
	__u16 next;
	__u16 fallback;		/* HG_FALLBACK_*, maybe HG_FALLBACK_ONLY */
	__u16 next_out;
};
#define HG_ROW_DELEGATES 1u
#define HG_FALLBACK_NONE	0	/* the directory state's default */
#define HG_FALLBACK_PLACE	1	/* next, next_out */
#define HG_FALLBACK_VERDICT	2	/* the default's next, next_out */
#define HG_FALLBACK_ONLY	4	/* no directory has an exception for the symbol */

/* A byte DFA's cell: one unit; `row` is the unit of the row it belongs to, 0 for none. */
struct hg_edge {
	__u32 next;
	__u16 row, zero;
};

/* Unit of the 256-byte class map, the same in every chunk that holds byte DFA rows: [lexer],
 * [endpoint] and [arguments]. Chunk 0's head lies before it. */
#define HG_LEXER_CLASSES	32
#define HG_ENDPOINT_CLASSES	64
#define HG_ARGV_CLASSES		96
#define HG_FIRST_FREE_UNIT	128

struct hg_chunk {
	__u64 unit[HG_CHUNK_UNITS];
};

_Static_assert(sizeof(struct hg_out) == HG_OUT_UNITS * HG_UNIT, "shared with the kernel side");
_Static_assert(sizeof(struct hg_dir) == 16, "shared with the kernel side");
_Static_assert(sizeof(struct hg_cell) == 8, "shared with the kernel side");
_Static_assert(sizeof(struct hg_row) == 16, "shared with the kernel side");
_Static_assert(sizeof(struct hg_edge) == 8, "shared with the kernel side");
_Static_assert(sizeof(struct hg_rule) == 8, "shared with the kernel side");
_Static_assert(sizeof(struct hg_region) == 8, "shared with the kernel side");
_Static_assert(sizeof(struct hg_head) == 104, "shared with the kernel side");
_Static_assert(sizeof(struct hg_head) <= HG_LEXER_CLASSES * HG_UNIT, "head before classes");
_Static_assert((HG_CHUNK_UNITS & (HG_CHUNK_UNITS - 1)) == 0, "masks");
_Static_assert(HG_CHUNK_UNITS <= 0x4000, "a state has 14 bits for the unit");
_Static_assert(HG_CHUNKS_MAX <= HG_FIRST_FREE_UNIT, "no chunk's number is a row's unit");

#endif
