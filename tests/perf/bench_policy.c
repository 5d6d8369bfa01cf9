/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What policies cost: size of the image, time to compile it, time to decide a path. And the plain
 * byte automaton beside the lexer and directory machine, for the small policy, in states and KiB.
 *
 * Prints tables; asserts nothing about time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/fa.h"
#include "policy/glob.h"
#include "policy/pack.h"
#include "policy/ruleset.h"

static const char *const floating[] = {
	"**/.ssh/**",
	"**/.aws/**",
	"**/.gnupg/**",
	"**/.env",
	"**/.env.*",
	"**/*.pem",
	"**/*.key",
	"**/id_rsa*",
	"**/id_ed25519*",
	"**/.netrc",
	"**/.npmrc",
	"**/.pypirc",
	"**/.docker/config.json",
	"**/.kube/**",
	"**/.git/hooks/**",
	"**/.git/config",
	"**/.bash_history",
	"**/.zsh_history",
	"**/.bashrc",
	"**/.zshrc",
	"**/.profile",
	"**/.bash_profile",
	"**/.config/gcloud/**",
	"**/.config/gh/**",
	"**/.mozilla/**",
	"**/.config/google-chrome/**",
	"**/.vscode/tasks.json",
	"**/.idea/**",
	"**/.envrc",
	"**/*.kdbx",
	"**/.local/share/keyrings/**",
	"**/.password-store/**",
	"**/credentials.json",
	"**/.terraform.d/**",
	"**/.azure/**",
	"**/.cargo/credentials*",
	"**/.config/autostart/**",
	"**/.config/systemd/**",
	"**/docker.sock",
	"**/.gitconfig",
};
#define N_FLOATING (sizeof(floating) / sizeof(*floating))

static const char *const fixed[] = {
	"/usr/**",
	"/bin/**",
	"/lib/**",
	"/lib64/**",
	"/etc/**",
	"/opt/**",
	"/var/lib/dpkg/**",
	"/proc/self/**",
	"/sys/devices/system/cpu/**",
	"/dev/{null,zero,random,urandom,tty}",
	"/tmp/**",
	"/var/tmp/**",
	"/run/user/1000/**",
	"/srv/hydra/mail/**",
	"/srv/hydra/mail/.git/**",
	"/home/agent/**",
	"/home/agent/.cache/**",
	"/home/agent/.local/share/**",
	"/home/agent/.config/**",
	"/etc/shadow*",
	"/etc/sudoers*",
	"/etc/sudoers.d/**",
	"/etc/cron*/**",
	"/etc/systemd/**",
	"/var/spool/cron/**",
	"/root/**",
	"/boot/**",
	"/sys/fs/bpf/**",
	"/etc/ssh/ssh_host_*_key",
	"/var/run/docker.sock",
	"/run/docker.sock",
	"/run/dbus/**",
	"/usr/local/**",
	"/usr/share/doc/**",
	"/var/log/**",
	"/home/*/.config/Code/User/*.json",
	"/usr/bin/{su,sudo,pkexec,at,crontab}",
	"/etc/ld.so.*",
	"/etc/profile.d/**",
	"/etc/environment",
	"/usr/lib/**/*.so*",
	"/srv/hydra/mail/**/node_modules/.bin/*",
	"/srv/hydra/mail/run/*.sock",
	"/srv/hydra/*/shared/**",
	"/media/**",
	"/mnt/**",
	"/snap/**",
	"/var/lib/docker/**",
};
#define N_FIXED (sizeof(fixed) / sizeof(*fixed))

struct policy {
	struct ruleset *rs;
	size_t n_rules, n_patterns;
	/* for the plain byte automaton */
	struct {
		const char *pattern;
		uint8_t actions;
	} small[256];
};

static void add_path(struct policy *p, enum hg_verdict verdict, uint8_t actions,
		     const char *pattern)
{
	struct ruleset_error error = {0};
	uint16_t rule;

	if (ruleset_add(p->rs, verdict, 0, &rule) < 0 ||
	    ruleset_path(p->rs, rule, actions, pattern, strlen(pattern), &error) < 0) {
		fprintf(stderr, "%s: %s\n", pattern, error.message);
		exit(1);
	}
	if (p->n_rules < 256) {
		p->small[p->n_rules].pattern = pattern;
		p->small[p->n_rules].actions = actions;
	}
	p->n_rules++;
}

static void add_address(struct policy *p, enum hg_verdict verdict, uint32_t v4, uint8_t prefix,
			uint16_t low, uint16_t high)
{
	struct ruleset_endpoint ep = {
		.family = 4, .prefix_len = prefix, .port_low = low, .port_high = high, .tcp = true};
	struct ruleset_error error = {0};
	uint16_t rule;
	int i;

	v4 &= prefix ? ~0u << (32 - prefix) : 0;
	for (i = 0; i < 4; i++)
		ep.address[i] = v4 >> (24 - 8 * i);
	if (ruleset_add(p->rs, verdict, 0, &rule) < 0 ||
	    ruleset_endpoint(p->rs, rule, HG_BIT(HG_CONNECT), &ep, &error) < 0) {
		fprintf(stderr, "%s\n", error.message);
		exit(1);
	}
	p->n_rules++;
}

/* The shape of a shipped policy: places first, then what is secret wherever it is. */
static void add_base(struct policy *p)
{
	const uint8_t read = HG_BIT(HG_READ), all = HG_ALL_PATH_ACTIONS;
	const uint8_t write =
		HG_BIT(HG_MODIFY) | HG_BIT(HG_CREATE) | HG_BIT(HG_DELETE) | HG_BIT(HG_ATTR);
	size_t i;

	for (i = 0; i < N_FIXED; i++)
		add_path(p,
			 i % 5 == 4	     ? HG_ASK
			 : i >= 19 && i < 32 ? HG_DENY
					     : HG_ALLOW,
			 i % 3 == 0   ? read
			 : i % 3 == 1 ? read | write
				      : all,
			 fixed[i]);
	for (i = 0; i < 10; i++)
		add_address(p, HG_ALLOW, 0x0a140000u + (uint32_t)i * 0x10000, 16, 443, 443);
}

static void add_secrets(struct policy *p)
{
	size_t i;

	for (i = 0; i < N_FLOATING; i++)
		add_path(p, HG_DENY, HG_ALL_PATH_ACTIONS, floating[i]);
}

/* Projects of about seven rules each, up to n rules. */
static void add_projects(struct policy *p, size_t n)
{
	const uint8_t read = HG_BIT(HG_READ), write = 0x1e;
	char text[128];
	unsigned i;

	for (i = 0; p->n_rules + N_FLOATING + 7 <= n; i++) {
		snprintf(text, sizeof(text), "/srv/projects/team-%u/project-%04u/**", i / 40, i);
		add_path(p, HG_ALLOW, read | write, text);
		snprintf(text, sizeof(text), "/srv/projects/team-%u/project-%04u/.git/**", i / 40,
			 i);
		add_path(p, HG_ASK, write, text);
		snprintf(text, sizeof(text),
			 "/srv/projects/team-%u/project-%04u/secrets/*.{yaml,json}", i / 40, i);
		add_path(p, HG_DENY, read | write, text);
		snprintf(text, sizeof(text),
			 "/srv/projects/team-%u/project-%04u/node_modules/.bin/*", i / 40, i);
		add_path(p, HG_ALLOW, HG_BIT(HG_EXEC), text);
		snprintf(text, sizeof(text), "/var/cache/builds/%08x/**", i * 2654435761u);
		add_path(p, HG_ALLOW, read | write, text);
		add_address(p, HG_ALLOW, 0x0a000000u + i * 0x3d09u * 256, 24, 8000, 8100);
		add_address(p, HG_DENY, 0xc0a80000u + i * 7919u, 32, 0, 65535);
	}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static const char *const walked[] = {
	"/usr/lib/x86_64-linux-gnu/libc.so.6",
	"/srv/hydra/mail/node_modules/typescript/lib/lib.es2020.intl.d.ts",
	"/home/agent/.ssh/id_ed25519",
	"/srv/projects/team-1/project-0042/src/main/app/server.py",
	"/srv/projects/team-1/project-0042/.env",
	"/tmp/build-8123/output/objects/cache.bin",
	"/etc/passwd",
	"/srv/projects/team-3/project-0123/node_modules/.bin/eslint",
};

static double ns_per_byte(const struct image *im)
{
	size_t i, k, bytes = 0;
	struct hg_out out;
	double start = now();

	for (k = 0; k < 100000; k++)
		for (i = 0; i < sizeof(walked) / sizeof(*walked); i++) {
			size_t len = strlen(walked[i]);

			if (image_path(im, walked[i], len, &out) < 0)
				exit(1);
			bytes += len;
		}
	return (now() - start) * 1e9 / (double)bytes;
}

static struct policy make_policy(size_t n)
{
	struct policy p = {0};

	ruleset_new(&p.rs);
	add_base(&p);
	if (n > 200)
		add_projects(&p, n);
	add_secrets(&p);
	return p;
}

static bool as_json;

static void measure(const char *name, size_t n)
{
	struct policy p = make_policy(n);
	struct ruleset_error error = {0};
	struct image *im;
	const struct hg_head *h;
	uint32_t n_chunks, c, used = 0;
	double start = now(), ms;
	size_t u;

	if (ruleset_compile(p.rs, NULL, &im, &error) < 0) {
		printf("%-12s %s\n", name, error.message);
		ruleset_free(p.rs);
		return;
	}
	ms = (now() - start) * 1e3;
	h = image_head(im);
	const struct hg_chunk *chunks = image_chunks(im, &n_chunks);

	for (c = 0; c < n_chunks; c++)
		for (u = 0; u < HG_CHUNK_UNITS; u++)
			used += chunks[c].unit[u] != 0;
	if (as_json)
		printf("%s{\"rules\": %zu, \"directories\": %u, \"symbols\": %u, \"rows\": %u, "
		       "\"bytes\": %u, \"bytes_used\": %u, \"compile_ms\": %.1f, "
		       "\"ns_per_byte\": %.2f}",
		       n > 100 ? ", " : "", p.n_rules, h->n_dirs, h->n_symbols, h->n_outs,
		       n_chunks * HG_CHUNK_SIZE, used * 8, ms, ns_per_byte(im));
	else
		printf("%-12s %6zu %7u %8u %6u %8u %7u %6u %9.1f %9.1f %8.2f\n", name, p.n_rules,
		       h->n_dirs, h->n_symbols, h->n_outs, 1u << h->hash_bits, n_chunks,
		       n_chunks * 128, used * 8 / 1024.0, ms, ns_per_byte(im));
	image_free(im);
	ruleset_free(p.rs);
}

/* ---- the same small policy as one automaton over the bytes of whole paths ---- */
struct plain_node {
	uint16_t rule;
	uint8_t actions;
	bool accepts, below; /* below: accepts whatever follows */
};

struct plain {
	struct fa_nfa *nfa;
	struct plain_node *nodes;
	size_t n_nodes, cap_nodes;
	uint32_t not_slash, slash;
	struct pack_rows rows;
	uint16_t rule;
	uint8_t actions;
};

static uint32_t plain_node(struct plain *p)
{
	uint32_t node;

	fa_nfa_node(p->nfa, &node);
	fa_grow((void **)&p->nodes, &p->cap_nodes, node + 1, sizeof(*p->nodes));
	p->nodes[node] = (struct plain_node){.rule = p->rule, .actions = p->actions};
	p->n_nodes = node + 1;
	return node;
}

static uint32_t plain_step(struct plain *p, uint32_t from, uint32_t label)
{
	uint32_t to = plain_node(p);

	fa_nfa_edge(p->nfa, from, label, to);
	return to;
}

static uint32_t plain_token(struct plain *p, const struct glob *glob, const struct glob_token *t,
			    uint32_t node)
{
	uint32_t label, b;

	switch (t->kind) {
	case GLOB_STAR:
		fa_nfa_edge(p->nfa, node, p->not_slash, node);
		return node;
	case GLOB_DSTAR:
		fa_nfa_edge(p->nfa, node, FA_ANY, node);
		return node;
	case GLOB_ONE:
		return plain_step(p, node, p->not_slash);
	default:
		fa_nfa_label(p->nfa, &label);
		for (b = 1; b < 256; b++)
			if (t->kind == GLOB_BYTE ? t->byte == b
						 : glob_set_has(glob->sets + t->set, (uint8_t)b))
				fa_nfa_label_add(p->nfa, label, (struct fa_range){b, b});
		return plain_step(p, node, label);
	}
}

static bool is_slash(const struct glob_alternative *a, size_t i)
{
	return i < a->n && a->tokens[i].kind == GLOB_BYTE && a->tokens[i].byte == '/';
}

static void plain_alternative(struct plain *p, const struct glob *glob,
			      const struct glob_alternative *a)
{
	uint32_t node = 0, through;
	size_t i;

	for (i = 0; i < a->n; i++) {
		bool alone = is_slash(a, i) && i + 1 < a->n &&
			     a->tokens[i + 1].kind == GLOB_DSTAR &&
			     (i + 2 == a->n || is_slash(a, i + 2));

		if (alone && i + 2 == a->n) {
			p->nodes[node].accepts |= node != 0;
			node = plain_step(p, node, p->slash);
			fa_nfa_edge(p->nfa, node, FA_ANY, node);
			p->nodes[node].below = true;
			break;
		}
		if (alone) {
			/* "/" and any number of "name/" */
			node = plain_step(p, node, p->slash);
			through = plain_step(p, node, p->not_slash);
			fa_nfa_edge(p->nfa, through, p->not_slash, through);
			fa_nfa_edge(p->nfa, through, p->slash, node);
			i += 2;
			continue;
		}
		node = plain_token(p, glob, a->tokens + i, node);
	}
	p->nodes[node].accepts = true;
}

static int plain_output(void *ctx, const uint32_t *nodes, size_t n, uint32_t *ret_out)
{
	struct plain *p = ctx;
	uint32_t last[HG_N_PATH_ACTIONS] = {0};
	size_t i;
	unsigned a;

	for (i = 0; i < n; i++) {
		const struct plain_node *node = p->nodes + nodes[i];

		for (a = 0; a < HG_N_PATH_ACTIONS; a++)
			if (node->accepts && (node->actions & HG_BIT(a)) &&
			    last[a] < node->rule + 1u)
				last[a] = node->rule + 1u;
	}
	return pack_rows_add(&p->rows, last, ret_out);
}

/* As in the directory machine: what can no longer decide is dropped. */
static size_t plain_reduce(void *ctx, uint32_t *nodes, size_t n)
{
	struct plain *p = ctx;
	uint32_t floor[HG_N_PATH_ACTIONS] = {0};
	size_t i, k = 0;
	unsigned a;

	for (i = 0; i < n; i++)
		for (a = 0; a < HG_N_PATH_ACTIONS; a++)
			if (p->nodes[nodes[i]].below && (p->nodes[nodes[i]].actions & HG_BIT(a)) &&
			    floor[a] < p->nodes[nodes[i]].rule + 1u)
				floor[a] = p->nodes[nodes[i]].rule + 1u;
	for (i = 0; i < n; i++) {
		const struct plain_node *node = p->nodes + nodes[i];
		bool keep = nodes[i] == 0;

		for (a = 0; a < HG_N_PATH_ACTIONS; a++)
			keep |= (node->actions & HG_BIT(a)) &&
				node->rule + 1u >= floor[a] + !node->below;
		if (keep)
			nodes[k++] = nodes[i];
	}
	return k;
}

static size_t plain_units(const struct fa *fa)
{
	struct pack_space space = {.max = HG_CHUNKS_MAX};
	uint16_t *out = calloc(fa->n_states, sizeof(*out));
	struct pack_bytes bytes = {fa, HG_ENDPOINT_CLASSES, out, NULL};
	uint32_t start = fa->start, c;
	size_t units = 0;

	if (pack_space_chunk(&space, HG_FIRST_FREE_UNIT) == 0 &&
	    pack_bytes(&space, &bytes, &start, 1) == 0)
		for (c = 0; c < space.n; c++)
			units += space.filled[c];
	pack_space_done(&space);
	free(out);
	return units;
}

static void measure_plain(void)
{
	struct policy policy = make_policy(100);
	struct hg_rule rules[256] = {0};
	struct plain p = {0};
	struct fa_subset sub = {.ctx = &p,
				.output = plain_output,
				.reduce = plain_reduce,
				.n_symbols = 256,
				.rest = 0,
				.max_states = 1u << 20,
				.max_edges = 16u << 20};
	struct fa *fa = NULL, *small = NULL;
	struct glob *glob;
	double start = now();
	size_t i, k;

	fa_nfa_new(&p.nfa);
	pack_rows_init(&p.rows, rules, 256);
	fa_nfa_label(p.nfa, &p.slash);
	fa_nfa_label_add(p.nfa, p.slash, (struct fa_range){'/', '/'});
	fa_nfa_label(p.nfa, &p.not_slash);
	fa_nfa_label_add(p.nfa, p.not_slash, (struct fa_range){0, '/' - 1});
	fa_nfa_label_add(p.nfa, p.not_slash, (struct fa_range){'/' + 1, 255});
	plain_node(&p);
	for (i = 0; i < policy.n_rules; i++) {
		if (!policy.small[i].pattern || glob_parse(&glob, policy.small[i].pattern,
							   strlen(policy.small[i].pattern), NULL))
			continue;
		p.rule = (uint16_t)i;
		p.actions = policy.small[i].actions;
		for (k = 0; k < glob->n_alternatives; k++)
			plain_alternative(&p, glob, glob->alternatives + k);
		glob_free(&glob);
	}
	if (fa_determinise(p.nfa, 0, &sub, &fa) == 0 && fa_minimise(fa, &small) == 0)
		printf("shipped-like, plain: one automaton over whole paths: %u states (%u before "
		       "minimising), %zu transitions, %.0f KiB packed, %.0f ms\n",
		       small->n_states, fa->n_states, small->n_edges,
		       (double)plain_units(small) * 8 / 1024, (now() - start) * 1e3);
	else
		printf("shipped-like, plain: more than %u states\n", sub.max_states);
	fa_free(&fa);
	fa_free(&small);
	fa_nfa_free(&p.nfa);
	pack_rows_done(&p.rows);
	free(p.nodes);
	ruleset_free(policy.rs);
}

int main(int argc, char **argv)
{
	as_json = argc > 1 && !strcmp(argv[1], "--json");
	if (as_json) {
		putchar('[');
		measure("shipped-like", 100);
		measure("1,000", 1000);
		measure("10,000", 10000);
		puts("]");
		return 0;
	}
	printf("%-12s %6s %7s %8s %6s %8s %7s %6s %9s %9s %8s\n", "policy", "rules", "dirs",
	       "symbols", "rows", "cells", "chunks", "KiB", "KiB used", "ms", "ns/byte");
	measure("shipped-like", 100);
	measure("1,000", 1000);
	measure("10,000", 10000);
	measure_plain();
	return 0;
}
