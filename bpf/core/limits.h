/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every bound that the kernel side and user space share, each with its reason.
 * What does not fit a bound is denied or refused, never cut and allowed.
 */
#ifndef HG_LIMITS_H
#define HG_LIMITS_H

/* Linux itself: NAME_MAX bytes for a path component (include/uapi/linux/limits.h). */
#define HG_NAME_MAX		255
/* Bytes a byte DFA reads before its loop is left and entered again: what the kernel's verifier has
 * to unroll. Most names are shorter. */
#define HG_WINDOW		32
/* Dentries from an object up to its superblock's root. PATH_MAX/2 would be the true
 * bound of one path walk; real trees stay below 60. Deeper is denied, reason too_long. */
#define HG_DEPTH_MAX		128
/* Bytes of a path kept for an event; the decision itself never depends on it. */
#define HG_EVENT_PATH_MAX	4096
/* Bytes of a program's path kept for an event. */
#define HG_EVENT_EXE_MAX	1024

/* A policy image is an array of chunks; a small policy is one chunk, read after one lookup. */
#define HG_CHUNK_SIZE		(128 * 1024)
#define HG_UNIT			8	/* bytes; everything in a chunk is found by unit index */
#define HG_CHUNK_UNITS		(HG_CHUNK_SIZE / HG_UNIT)
/* 16 MiB of kernel memory for the largest policy. */
#define HG_CHUNKS_MAX		128
/* Directory states, component symbols and verdict rows are 16-bit indexes. */
#define HG_DIRS_MAX		65535
#define HG_SYMBOLS_MAX		65535
#define HG_OUTS_MAX		65535
#define HG_RULES_MAX		65534	/* HG_RULE_NONE stands for "no rule matched" */
#define HG_RULE_NONE		0xffff
/* Linear probes in a hash region; the packer chooses a size that keeps to it. */
#define HG_PROBES_MAX		8

/* hg_out.argv is a byte, and 0 is none. */
#define HG_ARGVS_MAX		255
/* Bytes of a command line that is judged by its arguments, their NULs included; the kernel's own bound
 * is a quarter of the stack, 2 MiB. Longer is denied, reason too_long. A build's longest link lines
 * are some 100 KiB; reading this much takes a few ten milliseconds. */
#define HG_ARGV_MAX		(1024 * 1024)

/* Programs and scripts of one execve(2) that are judged by their arguments: the kernel follows five
 * interpreters (exec_binprm()). */
#define HG_CHAIN_MAX		8
/* Threads of one agent that are in the midst of an execve(2) of such a program, or had one fail and
 * have done none since: more than a large machine starts at one moment. */
#define HG_EXECS_EACH		128
/* Bytes of arguments kept for an event. */
#define HG_EVENT_ARGV_MAX	2048
/* And of the name of a script. */
#define HG_EVENT_SCRIPT_MAX	255

/* The longest endpoint string: family, 16 address bytes, protocol, 2 port bytes. */
#define HG_ENDPOINT_MAX		20
/* A host name in its written form: 255 bytes on the wire, less the first length and the root's
 * (RFC 1035 2.3.4); a label's length has six bits (RFC 1035 4.1.4). */
#define HG_HOST_MAX		253
#define HG_HOST_LABEL_MAX	63
/* The longest name string: a byte for what it names, a host name, NUL, protocol, port. Of a unix
 * socket's abstract name, what sun_path has behind its NUL (include/uapi/linux/un.h). */
#define HG_LABEL_MAX		(1 + HG_HOST_MAX + 1 + 3)
#define HG_ABSTRACT_MAX		107
/* Bytes of a DNS message that are read; longer is refused as a question and not learned from as an
 * answer. Resolvers ask for at most 4096 over UDP (RFC 6891 6.2.5), in practice for 1232. */
#define HG_DNS_MAX		4096
/* Bytes of a connection's first payload that are gathered until its name is found; longer is
 * refused. A TLS record has at most 16 KiB (RFC 8446 5.1); a ClientHello with post-quantum key
 * shares has about 1.8 KiB, an HTTP head with large cookies 8 to 16. */
#define HG_HELLO_MAX		16384

/* The longest name of an agent: of a file, with room for a suffix. */
#define HG_AGENT_NAME_MAX	63

#define HG_AGENTS_MAX		1024
#define HG_POLICIES_MAX		2048	/* two generations for each agent */
#define HG_CGROUPS_MAX		65536
#define HG_NEAR_MAX		4096	/* a power of two */
#define HG_PROCESSES_MAX	65536	/* all allocated beforehand: each fork takes one */
#define HG_SUPERBLOCKS_MAX	65536
/* Mounted parts of one superblock that do not lie in each other: a btrfs as distributions lay it out
 * has two to nine subvolumes mounted. Each is compared with every directory above a file. */
#define HG_PARTS_MAX		16
/* Mounted at one time: overlays, and what agents mount for themselves. */
#define HG_OVERLAYS_MAX		4096
#define HG_OWN_MAX		16384
/* Pseudo terminals that agents made and that no session has yet. The kernel has 4,096 at a time. */
#define HG_TERMINALS_MAX	4096
#define HG_COUNTERS_MAX		262144
#define HG_STARTS_MAX		262144
/* Files with names of different rights, for each policy one. */
#define HG_LINKS_MAX		262144
/* Bits of the filter before them, as a power of two: 128 KiB. */
#define HG_LINK_FILTER_BITS	20
#define HG_RING_SIZE		(256 * 1024)	/* bytes, for each agent */
#define HG_ANCESTORS		4

/* Rules with a budget, of all agents and both generations while one follows the other. */
#define HG_BUDGETS_MAX		16384
/* Names that are remembered to have been asked for, of all agents. */
#define HG_ASKED_NAMES_MAX	8192
/* Names of one address that are kept: hosts behind one frontend. More push the oldest out. */
#define HG_NAME_WAYS		4
/* (address, name) pairs kept for each agent; more push out the least used. */
#define HG_NAMES_MAX		1024
/* Bits of the filter before them, for all agents, as a power of two: 8 KiB, of which a thousand addresses
 * set 1.5 %. */
#define HG_LEARNED_BITS		16
/* Seconds that an answer stands beyond its time to live: programs keep addresses longer than they
 * should, and connections are made in rows. A new answer makes it new. */
#define HG_NAME_GRACE		300
/* Questions of one socket that wait for their answer; libc has two at a time, c-ares some more. */
#define HG_ASKED_MAX		8
#define HG_RESOLVERS_MAX	16384	/* (agent, address) pairs */
/* Connections whose first payload is read; one that finds no room sends nothing. */
#define HG_GUARDED_MAX		65536

#endif
