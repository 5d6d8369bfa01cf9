/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every map of the kernel side. What a key, a value and an element mean is in core/abi.h and
 * core/table.h; who writes, who reads and what a full map does is said here. All are pinned.
 */
#ifndef HG_MAPS_H
#define HG_MAPS_H

#include "core/abi.h"

/* Written by user space; counters in it added to by the kernel. Cannot be full: user space refuses
 * the agent that has no number left. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HG_AGENTS_MAX);
	__type(key, __u32);
	__type(value, struct hg_agent);
} agents __weak SEC(".maps");

/* User space writes an agent's cgroup, the kernel its descendants. Full: a new child cgroup is not
 * entered, hg_state.strays is raised for good, and membership follows `processes`. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HG_CGROUPS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u32);
} cgroups __weak SEC(".maps");

/* In front of it (core/near.h). Never full. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HG_NEAR_MAX);
	__type(key, __u32);
	__type(value, struct hg_near);
} near __weak SEC(".maps");

/* Written and deleted by the kernel. Full: a process that is in a cgroup of its agent is still known
 * by that; one that is not goes to `spare_processes`, and the one that made it is killed. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HG_PROCESSES_MAX);
	__type(key, __u64);
	__type(value, struct hg_process);
} processes __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct hg_process);
} spare_processes __weak SEC(".maps");

/* Kernel adds entries, user space reads and deletes those of detached agents. Full: the decision
 * stands and is counted in hg_agent.uncounted. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HG_COUNTERS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct hg_counter_key);
	__type(value, struct hg_counter);
} counters __weak SEC(".maps");

/* Written by user space; full: the policy is refused. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HG_BUDGETS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct hg_budget_key);
	__type(value, struct hg_budget);
} budgets __weak SEC(".maps");

/* Written by the kernel at registration; full: registration says so, what is on it is denied. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HG_SUPERBLOCKS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct hg_superblock);
} superblocks __weak SEC(".maps");

/* Credentials that a known overlay works with in its layers -> the overlay's superblock. Written by
 * the kernel at registration; full: its layers are judged by their own names. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HG_OVERLAYS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u64);
} overlays __weak SEC(".maps");

/* Pseudo terminals that agents made: address of the slave's struct tty_struct -> hg_agent.uid. Kernel only. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HG_TERMINALS_MAX);
	__type(key, __u64);
	__type(value, __u64);
} terminals __weak SEC(".maps");

/* Superblocks made by an agent -> its hg_agent.uid where that was in a user namespace of its own, 0
 * where it was not. Kernel only; full: agents make no further ones. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HG_OWN_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u64);
} own_superblocks __weak SEC(".maps");

/* Written by user space; full: the policy is refused. A missing start is a denial. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HG_STARTS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct hg_start_key);
	__type(value, struct hg_start);
} starts __weak SEC(".maps");

/* Written by user space; full: the policy is refused. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HG_LINKS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct hg_link_key);
	__type(value, struct hg_link);
} links __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hg_link_filter);
} link_filter __weak SEC(".maps");

/* Kernel only (execs.h). Has room for HG_EXECS_EACH of every agent; more of one agent are refused
 * (HG_WHY_TOO_BUSY). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HG_AGENTS_MAX * HG_EXECS_EACH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct hg_exec);
} execs __weak SEC(".maps");

/* Entries of `execs`, by agent number: also those of the number's agent before. Kernel only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HG_AGENTS_MAX);
	__type(key, __u32);
	__type(value, __u64);
} exec_counts __weak SEC(".maps");

/* Kernel only. A cache: what is not in it is worked out again. It can only grow by a directory that
 * an agent uses, and goes with the directory's inode. */
struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct hg_directory);
} directories __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hg_epoch);
} epoch __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hg_registrar);
} registrar __weak SEC(".maps");

/* An image, by chunk. BPF_F_INNER_MAP: images differ in their number of chunks. */
struct hg_image_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, HG_CHUNK_SIZE);
};

/* Written by user space, slot 0 never. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, HG_POLICIES_MAX);
	__type(key, __u32);
	__array(values, struct hg_image_map);
} policies __weak SEC(".maps");

struct hg_ring_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, HG_RING_SIZE);
};

/* Events by agent: one agent's flood never takes another's room. Full: the event is counted. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, HG_AGENTS_MAX);
	__type(key, __u32);
	__array(values, struct hg_ring_map);
} rings __weak SEC(".maps");

/* Kernel only, made by user space with the agent. Full: the least used goes, and what it allowed is
 * refused until it is asked for again. */
struct hg_names_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HG_NAMES_MAX);
	__uint(key_size, sizeof(struct hg_name_key));
	__uint(value_size, sizeof(struct hg_name));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, HG_AGENTS_MAX);
	__type(key, __u32);
	__array(values, struct hg_names_map);
} names __weak SEC(".maps");

/* In front of it. Never full. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hg_learned);
} learned __weak SEC(".maps");

/* Written by user space; full: the agent is refused. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HG_RESOLVERS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct hg_resolver_key);
	__type(value, __u32);
} resolvers __weak SEC(".maps");

/* Kernel only; goes with the socket. No room: what needs it is refused. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct hg_socket);
} sockets __weak SEC(".maps");

/* Connections whose payload is read (payload.bpf.c), by socket cookie. Full: the connection's packets
 * are dropped as long as they carry anything. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, HG_GUARDED_MAX);
	__type(key, __u64);
	__type(value, __u64);
} guarded __weak SEC(".maps");

#endif
