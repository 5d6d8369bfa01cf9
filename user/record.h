/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is written down about agents beside what the kernel holds, for the commands that come later:
 *
 *   /run/hydraguard/agents/NAME/agent.json		struct agent_record
 *   /run/hydraguard/agents/NAME/generation-N.json	struct generation_record
 *
 * A directory is there from before an agent's cgroup is confined until after it no longer is.
 * Readers trust nothing: a file that is not what was written is -EBADMSG.
 */
#ifndef HG_RECORD_H
#define HG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../bpf/core/limits.h"

#define AGENT_NAME_MAX HG_AGENT_NAME_MAX

struct agent_record {
	char *name;
	uint32_t number; /* index in the kernel's map `agents` */
	uint64_t uid;	 /* hg_agent.uid */
	char *cgroup;	 /* directory */
	uint64_t cgroup_id;
	bool made_cgroup;  /* by `run`: removed again at the end */
	char *policy_file; /* as given, to be read from `cwd` */
	char *cwd;
	char *home;	   /* ${home}; NULL: none */
	char *workspace;   /* override; NULL: as the policy says */
	char *policy_name; /* of the generation in force */
	uint32_t generation;
	/* Digests of what is mounted and of the policy's files, as the one in force was read with. */
	uint64_t mounts, sources;
	uint64_t attached; /* nanoseconds since 1970 */
	/* Counters of generations whose table is no longer kept. */
	uint64_t retired_hits;
};

struct rule_record {
	char *file, *text;
	uint32_t line;
};

/* Resolves what the events and counters of one policy generation mean. */
struct generation_record {
	uint32_t generation;
	uint64_t image; /* hg_head.uid */
	char *policy_name;
	uint32_t mode; /* enum hg_mode */
	struct rule_record *rules;
	size_t n_rules;
};

/* Letters, digits, '-', '_' and '.', not starting with '.' or '-': it becomes a directory's name.
 */
bool agent_name_ok(const char *name);
/* Makes a name of any text. */
void agent_name_from(const char *text, char *buf);

/* dir: the agents directory. Each returns 0 or -errno without a message. */
int agent_record_read(int dir, const char *name, struct agent_record *ret);
int agent_record_write(int dir, const struct agent_record *a);
int generation_read(int dir, const char *name, uint32_t generation, struct generation_record *ret);
int generation_write(int dir, const char *name, const struct generation_record *g);
int generation_remove(int dir, const char *name, uint32_t generation);
/* The numbers of those that are kept, ascending. */
int generations_list(int dir, const char *name, uint32_t **ret, size_t *ret_n);

void agent_record_clear(struct agent_record *a);
void generation_clear(struct generation_record *g);
#define _record_     __attribute__((cleanup(agent_record_clear)))
#define _generation_ __attribute__((cleanup(generation_clear)))

struct records {
	struct agent_record *items; /* by name */
	size_t n;
	char **broken; /* names whose agent.json cannot be read */
	size_t n_broken;
};
/* Every agent. An absent dir (-1) gives none. -errno without a message. */
int records_read(int dir, struct records *ret);
/* Tells of the broken ones. */
void records_tell_broken(const struct records *r);
void records_clear(struct records *r);
#define _records_ __attribute__((cleanup(records_clear)))
struct agent_record *records_find(const struct records *r, const char *name);
/* Is there one of that name, broken ones included? */
bool records_taken(const struct records *r, const char *name);

#endif
