/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An ordered list of rules and the automata made from it. The last matching rule decides.
 *
 * This is the border between the language (policy/, above) and the automata (below): the language
 * hands over expanded patterns, the automata give back an image for the kernel and answers to
 * questions. Return values: 0 or -errno for breakage; a bad pattern or a policy that grows too big
 * is -EINVAL / -E2BIG with *ret_error filled.
 */
#ifndef HG_RULESET_H
#define HG_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../bpf/core/table.h"
#include "../bpf/core/endpoint.h"

struct ruleset;
struct image;

/* What is wrong with a pattern: byte offset into it (0-based), what, and what would be right; or,
 * for -E2BIG, the rules that make the automaton grow, most guilty first. */
struct ruleset_error {
	size_t offset;
	char message[240];
	uint16_t blamed[4];
	unsigned n_blamed;
};

int ruleset_new(struct ruleset **ret);
void ruleset_free(struct ruleset *rs);

/* Appends a rule: its index is the number of rules before it. options: HG_OPT_*. */
int ruleset_add(struct ruleset *rs, enum hg_verdict verdict, uint8_t options, uint16_t *ret_rule);

/*
 * Gives `rule` (any rule added; order among rules decides, not order of these calls) a path
 * pattern for actions (HG_BIT(HG_READ)...). Pattern: bytes, no NUL; absolute, or starting
 * with double-star-slash; '*' any bytes but '/', '?' one byte but '/', '[a-z]' '[!a-z]' one byte
 * but '/', '{a,b}' alternatives (nesting, slashes inside), double star any bytes ('/' included);
 * '/x/' double star is /x and everything below; '\' makes the next byte literal. "." and ".."
 * components, empty components ("//", a trailing '/' other than the root's) and NUL are errors.
 * "/" is the root directory alone.
 */
int ruleset_path(struct ruleset *rs, uint16_t rule, uint8_t actions, const char *pattern,
		 size_t len, struct ruleset_error *ret_error);

/*
 * Makes `rule` an argument rule: its paths, all of them for HG_EXEC, are of programs, and it speaks
 * only of runs whose arguments match. Words of the pattern are whole arguments: bytes, '*' any
 * bytes, '?' one byte, '[a-z]', '{a,b}', '\' makes the next byte literal; a double star alone is any
 * number of arguments. Before the rule's first path, and in the order of the rules.
 */
int ruleset_argv(struct ruleset *rs, uint16_t rule, const char *pattern, size_t len,
		 struct ruleset_error *ret_error);
/* Another path whose last component is a name that the rule's programs are called by. */
int ruleset_argv_name(struct ruleset *rs, uint16_t rule, const char *path, size_t len,
		      struct ruleset_error *ret_error);

/* So many bytes, or names, in a period; period 0: for good. */
struct rule_budget {
	uint64_t amount, period_ns;
};

/* A set of endpoints: the address prefix, ports and protocols a rule speaks of. */
struct ruleset_endpoint {
	uint8_t family;		      /* 4, 6, or 0 for both (then prefix_len is 0) */
	uint8_t address[16];	      /* network order; first 4 bytes for family 4 */
	uint8_t prefix_len;	      /* bits */
	uint16_t port_low, port_high; /* inclusive, host order; 0..65535 for any */
	bool tcp, udp, icmp;
};
/* actions: HG_BIT(HG_CONNECT), HG_BIT(HG_LISTEN). A v4-mapped v6 prefix of at least 96 bits must be
 * given as family 4 (the caller normalises); a shorter v6 prefix never matches v4. Address bits beyond
 * the prefix are an error. ICMP has port 0: a port range without 0 has no ICMP. */
int ruleset_endpoint(struct ruleset *rs, uint16_t rule, uint8_t actions,
		     const struct ruleset_endpoint *ep, struct ruleset_error *ret_error);

/* A set of endpoints by the name of their host. */
struct ruleset_host {
	char name[HG_HOST_MAX + 1];   /* in small letters, no dot at its end; "" only with below */
	bool below;		      /* every name that has more labels in front, not the name itself */
	uint16_t port_low, port_high; /* inclusive, host order; 0..65535 for any */
	bool tcp, udp, icmp;
};
/* actions: HG_BIT(HG_CONNECT), HG_BIT(HG_RESOLVE). Who may connect to a name may ask for it: a rule
 * that does not deny speaks of both, as does one that denies every port. */
int ruleset_host(struct ruleset *rs, uint16_t rule, uint8_t actions,
		 const struct ruleset_host *host, struct ruleset_error *ret_error);

/* A pattern (policy/glob.h) of names of a kind. actions: HG_BIT(HG_CONNECT) to reach what has the
 * name, HG_BIT(HG_LISTEN) to take it. */
int ruleset_label(struct ruleset *rs, uint16_t rule, uint8_t actions, enum hg_label kind,
		  const char *pattern, size_t len, struct ruleset_error *ret_error);

/* Makes `rule` speak of a word of `use`; order among rules decides, as for patterns. */
int ruleset_use(struct ruleset *rs, uint16_t rule, enum hg_use use);

struct ruleset_limits {
	uint32_t max_states; /* of any intermediate automaton; 0: the default */
	uint32_t max_chunks; /* 0: HG_CHUNKS_MAX */
};
/* Compiles everything added. Deterministic: the same rules give the same bytes. */
int ruleset_compile(struct ruleset *rs, const struct ruleset_limits *limits, struct image **ret,
		    struct ruleset_error *ret_error);

/* ---- the compiled image ---- */
void image_free(struct image *im);
const struct hg_chunk *image_chunks(const struct image *im, uint32_t *ret_n);
const struct hg_head *image_head(const struct image *im);
/* Takes n chunks of bytes (copied) as an image after checking every state, unit, region and index
 * in them; -EBADMSG with a message when the kernel could be led astray by it. */
int image_from_bytes(const void *bytes, uint32_t n_chunks, struct image **ret,
		     struct ruleset_error *ret_error);

/* Verdict row of a path ("/", or "/a/b" without a trailing slash), decided by bpf/core/run.h. */
int image_path(const struct image *im, const char *path, size_t len, struct hg_out *ret);
/* The same, and the directory state below it (for mount points). */
int image_path_at(const struct image *im, const char *path, size_t len, uint16_t *ret_dir,
		  uint16_t *ret_out);
int image_endpoint(const struct image *im, const struct hg_endpoint *ep, struct hg_out *ret);
int image_label(const struct image *im, enum hg_label kind, const char *name, size_t len,
		struct hg_out *ret);
/* name: as in struct ruleset_host. proto 0: what may be asked of a resolver, else an endpoint; port in
 * host order. -EINVAL: no host name. */
int image_host(const struct image *im, const char *name, uint8_t proto, uint16_t port,
	       struct hg_out *ret);
int image_use(const struct image *im, enum hg_use use, struct hg_out *ret);

/* The verdict row of running what image_path() gave `out` for, whose argv is not 0. line: the
 * arguments, the name first, each followed by NUL. */
int image_argv(const struct image *im, const struct hg_out *out, const char *line, size_t len,
	       struct hg_out *ret);

/* ---- every rule that matches, for explain: fills ret_rules in rule order, returns how many ----
 */
size_t ruleset_match_path(const struct ruleset *rs, const char *path, size_t len, unsigned action,
			  uint16_t *ret_rules, size_t max);
size_t ruleset_match_endpoint(const struct ruleset *rs, const struct hg_endpoint *ep,
			      unsigned action, uint16_t *ret_rules, size_t max);
size_t ruleset_match_use(const struct ruleset *rs, enum hg_use use, uint16_t *ret_rules, size_t max);
size_t ruleset_match_label(const struct ruleset *rs, enum hg_label kind, const char *name,
			   size_t len, unsigned action, uint16_t *ret_rules, size_t max);
/* proto, port: as for image_host(). */
size_t ruleset_match_host(const struct ruleset *rs, const char *name, uint8_t proto, uint16_t port,
			  uint16_t *ret_rules, size_t max);

/* Of the rules that match a program's path, those that match its arguments too; plain rules stay. Gives
 * their new number. */
size_t ruleset_match_argv(const struct ruleset *rs, const char *line, size_t len, uint16_t *rules,
			  size_t n);

/* Rules that can never decide any action on any path, endpoint or word: sets ret_dead[rule] (n_rules
 * bytes) to 1. Uses the automata compiled by the last ruleset_compile(). */
int ruleset_dead(const struct ruleset *rs, uint8_t *ret_dead);

/*
 * A rule that keeps a host name closed, and an earlier one that allows addresses, whatever their name,
 * at some of the same ports: who knows an address has no need of the name. Gives 1 and the next such
 * pair from *at on (0 to begin with), 0 when there is none. wide: every address of a family.
 */
struct ruleset_unheld {
	uint16_t name, address;
	bool wide;
};
int ruleset_unheld(const struct ruleset *rs, size_t *at, struct ruleset_unheld *ret);

/*
 * Difference of two rulesets: shortest path (witness, NUL-terminated, at most max bytes) and action
 * for which `b` allows (verdict allow) and `a` does not. An argument rule that allows counts in `b`
 * as if it spoke of all arguments, one that does not in `a`. Returns 1 with *ret_action and witness, 0
 * when there is none, -errno.
 */
int ruleset_newly_allows(const struct ruleset *a, const struct ruleset *b, unsigned *ret_action,
			 char *witness, size_t max);

#endif
