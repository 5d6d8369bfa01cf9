/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rules on what has another name than its path, because its superblock is mounted more than once.
 */
#include "../../policy/glob.h"
#include "test_policy.h"

static struct tap tap;

#define HEAD "version: 1\nrules:\n"

/* path, name pairs, NULL-ended; a name "" is none; names on what ends in /fat have other
 * spellings. */
static struct mount_names mounts_from(const char *const *list)
{
	struct mount_names m = {};

	for (; *list; list += 2)
		if (mount_names_add(&m, list[0], *list[1] ? strdup(list[1]) : NULL,
				    !strcmp(strrchr(list[0], '/'), "/fat")))
			abort();
	return m;
}

static struct loaded load_mounted(const char *text, const char *const *list)
{
	struct mount_names m = mounts_from(list);
	struct policy_params params = {.no_resolve = true, .mounts = &m, .workspace = "/srv/ws"};
	struct loaded l = load_text(text, strlen(text), &params);

	if (l.err)
		show_diags(&l.d);
	mount_names_done(&m);
	return l;
}

static void is(const char *const *list, const char *text, unsigned action, const char *path,
	       enum hg_verdict want, const char *what)
{
	struct loaded l = load_mounted(text, list);

	tap_ok(&tap, !l.err && decide(l.p, action, path, NULL) == want, "%s: %s", what, path);
	unload(&l);
}

static const char *const bound[] = {"/",	  "/", "/srv/b", "/srv/a", "/home/u/.ssh",
				    "/data/keys", NULL};

static void denials(void)
{
	static const char all[] = HEAD "  - allow all /**\n  - deny read /srv/b/**\n";
	static const char deep[] = HEAD "  - allow all /**\n  - deny read /srv/b/x/y\n";
	static const char wild[] = HEAD "  - allow all /**\n  - deny read /s*/?/k[!a-c]y\n";
	static const char above[] = HEAD "  - allow all /**\n  - deny read /srv/**\n";
	static const char floating[] = HEAD "  - allow all /**\n  - deny read **/.ssh/**\n";
	static const char folder[] = HEAD "  - allow all /**\n  - deny read **/.ssh\n";
	static const char glued[] = HEAD "  - allow all /**\n  - deny read /sr**y\n";
	static const char braces[] = HEAD "  - allow all /**\n  - deny read /srv/{q,b/{r,s}}/**\n";
	static const char *const home[] = {"/", "/", "/home", "/data/home", NULL};

	is(bound, all, HG_READ, "/srv/b/x", HG_DENY, "a denial by the path as written");
	is(bound, all, HG_READ, "/srv/a/x", HG_DENY, "and by the name");
	is(bound, all, HG_READ, "/srv/a", HG_DENY, "the folder itself");
	is(bound, all, HG_READ, "/srv/c", HG_ALLOW, "and no more");
	is(bound, all, HG_READ, "/srv/ab", HG_ALLOW, "nor what begins like it");
	is(bound, deep, HG_READ, "/srv/a/x/y", HG_DENY, "below the mount");
	is(bound, deep, HG_READ, "/srv/a/x", HG_ALLOW, "not what is above");
	is(bound, wild, HG_READ, "/srv/a/key", HG_DENY, "wildcards (also as written)");
	is(bound, wild, HG_READ, "/srv/a/kay", HG_ALLOW, "wildcards, not matched");
	is(bound, above, HG_READ, "/data/keys/id", HG_ALLOW, "another mount");
	is(bound, floating, HG_READ, "/data/keys/id", HG_DENY, "a floating name that is a mount");
	is(bound, floating, HG_READ, "/data/keys", HG_DENY, "a floating name that is a mount");
	is(bound, floating, HG_READ, "/data/id", HG_ALLOW, "no more of it");
	is(bound, folder, HG_READ, "/data/keys", HG_DENY, "the mount point alone");
	is(bound, folder, HG_READ, "/data/keys/id", HG_ALLOW, "and nothing below");
	is(bound, glued, HG_READ, "/srv/a/key", HG_DENY, "a double star beside other bytes");
	is(bound, glued, HG_READ, "/srv/a/kex", HG_ALLOW, "a double star beside other bytes");
	is(bound, braces, HG_READ, "/srv/a/s/t", HG_DENY, "alternatives");
	is(bound, braces, HG_READ, "/srv/a/q", HG_ALLOW, "alternatives");
	is(home, HEAD "  - allow all /**\n  - deny all /home/*/.aws/**\n", HG_READ,
	   "/data/home/u/.aws/x", HG_DENY, "a mount above the wildcard");
	is(home, HEAD "  - allow all /**\n  - ask read /h*/u\n", HG_READ, "/data/home/u", HG_ASK,
	   "asking restricts");
	is(bound, HEAD "  - allow all /**\n  - deny read /srv/b/**\n  - allow read /srv/b/p/**\n",
	   HG_READ, "/srv/a/p/x", HG_ALLOW, "order stays");
}

static void grants(void)
{
	static const char one[] = HEAD "  - allow read /srv/b/**\n";
	static const char wild[] = HEAD "  - allow read /srv/**\n  - allow read /h*/**\n";
	static const char secret[] = HEAD "  - deny read /data/**\n  - allow read /home/**\n";
	static const char *const masked[] = {"/",	 "/",	     "/srv/b", "/srv/a",
					     "/srv/b/m", "/srv/b/m", NULL};
	static const char *const along[] = {
		"/", "/", "/srv/b", "/srv/a", "/srv/b/m", "/srv/a/m", "/srv/a/m", "/srv/a/m", NULL};
	struct loaded l;

	is(bound, one, HG_READ, "/srv/a/x", HG_ALLOW, "a grant by the name");
	is(bound, one, HG_READ, "/srv/c", HG_DENY, "and no more");
	is(bound, wild, HG_READ, "/data/keys/id", HG_DENY, "a grant's wildcards follow no mount");
	is(bound, secret, HG_READ, "/data/keys/id", HG_DENY, "nor lift what is denied by name");
	is(masked, one, HG_READ, "/srv/a/x", HG_DENY, "a mount with a hidden part");
	is(masked, HEAD "  - allow read /srv/b/n/**\n", HG_READ, "/srv/a/n/x", HG_ALLOW,
	   "and the part that is not hidden");
	is(masked, HEAD "  - allow read /srv/b/m/**\n", HG_READ, "/srv/a/m/x", HG_DENY,
	   "what hides it is not it");
	is(along, one, HG_READ, "/srv/a/x", HG_ALLOW, "a mount bound with those in it");
	l = load_mounted(one, masked);
	tap_ok(&tap, has_diag(&l.d, DIAG_WARNING, NULL, 3, 16, "hide parts"), "and it is told");
	unload(&l);
	l = load_mounted(one, bound);
	if (!tap_ok(&tap,
		    has_diag(&l.d, DIAG_NOTE, NULL, 3, 16, "/srv/b is another mount of /srv/a"),
		    "what was followed is told"))
		show_diags(&l.d);
	unload(&l);
	l = load_mounted(wild, bound);
	tap_ok(&tap,
	       has_diag(&l.d, DIAG_NOTE, NULL, 4, 16, "does not allow what is in /home/u/.ssh"),
	       "what was not is told");
	unload(&l);
}

/* What is denied inside a mount on a mount is not what the outer one has there. */
static void nested(void)
{
	static const char *const list[] = {"/",	       "/",	   "/srv/b", "/srv/a",
					   "/srv/b/m", "/srv/b/m", "/srv/c", "/srv/a",
					   "/srv/c/m", "/srv/b/m", NULL};
	static const char inner[] = HEAD "  - allow all /**\n  - deny read /srv/b/m/**\n";
	static const char other[] = HEAD "  - allow all /**\n  - deny read /srv/c/**\n";

	is(list, inner, HG_READ, "/srv/b/m/x", HG_DENY, "nested: itself");
	is(list, inner, HG_READ, "/srv/a/m/x", HG_ALLOW, "nested: not what it hides");
	is(list, other, HG_READ, "/srv/a/x", HG_DENY, "nested: the outer");
	is(list, other, HG_READ, "/srv/b/m/x", HG_DENY, "nested: the inner, by its own name");
}

/* As on systems whose root is a part of a superblock that is mounted whole elsewhere. */
static void part_as_root(void)
{
	static const char *const list[] = {"/", "/mnt/@", "/mnt", "/mnt", "/proc", "/proc", NULL};
	static const char rules[] = HEAD "  - allow read /etc/** /usr/**\n  - deny read /etc/key\n";
	static const char root[] = HEAD "  - allow read /\n";

	is(list, rules, HG_READ, "/mnt/@/etc/x", HG_ALLOW, "root is a part: a grant");
	is(list, rules, HG_READ, "/mnt/@/etc/key", HG_DENY, "root is a part: a denial");
	is(list, rules, HG_READ, "/mnt/x", HG_DENY, "root is a part: and no more");
	is(list, root, HG_READ, "/mnt/@", HG_ALLOW, "root is a part: the root itself");
	is(list, root, HG_READ, "/mnt/@/x", HG_DENY, "root is a part: and nothing below");
}

static void whole_elsewhere(void)
{
	static const char *const list[] = {"/",	     "/",     "/mnt/root", "/",
					   "/mnt/p", "/proc", "/mnt/file", "/etc/shadow",
					   "/gone",  "",      NULL};
	static const char rules[] = HEAD "  - allow all /**\n  - deny read /mnt/root/etc/**\n"
					 "  - deny read /mnt/p/[0-9]*/environ /mnt/file /gone/**\n"
					 "  - deny delete /mnt/root\n";
	static const char guard[] = HEAD "  - allow all /**\n";

	is(list, rules, HG_READ, "/etc/x", HG_DENY, "the root mounted elsewhere");
	is(list, rules, HG_DELETE, "/", HG_DENY, "the root itself");
	is(list, rules, HG_DELETE, "/x", HG_ALLOW, "and nothing below");
	is(list, rules, HG_READ, "/proc/12/environ", HG_DENY, "a file system with a home");
	is(list, rules, HG_READ, "/etc/shadow", HG_DENY, "a file");
	is((const char *const[]){"/", "/", "/etc/hydraguard", "/data/hg", NULL}, guard, HG_MODIFY,
	   "/data/hg/policies/p.yaml", HG_DENY, "the guard's own files");
}

static void names(void)
{
	struct mount_names m = mounts_from((const char *const[]){"/", "/", "/srv/b", "/srv/a",
								 "/mnt", "/", "/gone", "", NULL});
	static const char *const want[][2] = {{"/srv/b/x", "/srv/a/x"}, {"/srv/b", "/srv/a"},
					      {"/srv/bc", "/srv/bc"},	{"/mnt", "/"},
					      {"/mnt/x", "/x"},		{"/", "/"},
					      {"/gone/x", NULL}};

	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		const struct mount_name *mount;
		char *name;
		bool ok = !mount_names_real(&m, want[i][0], &name, &mount) &&
			  (want[i][1] ? name && !strcmp(name, want[i][1]) : !name);

		tap_ok(&tap, ok, "%s is %s", want[i][0], want[i][1] ? want[i][1] : "nothing");
		free(name);
	}
	mount_names_done(&m);
}

static bool matches(const char *pattern, const char *path)
{
	struct glob *g;
	bool hit;

	if (glob_parse(&g, pattern, strlen(pattern), NULL))
		return false;
	hit = glob_match(g, path, strlen(path)) == 1;
	glob_free(&g);
	return hit;
}

/* Against the slow matcher, with every pattern of five parts: behind the mount a name matches
 * what its path or the name itself matched before, and nothing else does. */
static void exhaustive(void)
{
	static const char *const parts[] = {"/", "a", "b", "*", "?", "**", "[!a]"};
	static const char *const rests[] = {"", "/a", "/b", "/c", "/a/b", "/b/a", "/a/b/c"};
	struct mount_names m = mounts_from((const char *const[]){"/", "/", "/a/b", "/b", NULL});
	unsigned wrong = 0, n_tested = 0;

	for (unsigned code = 0; code < 16807; code++) {
		struct pattern p = {};
		struct mounted out;
		struct glob *g;

		pattern_add(&p, "/", 1, 0);
		for (unsigned i = 0, c = code; i < 5; i++, c /= 7)
			pattern_add(&p, parts[c % 7], strlen(parts[c % 7]), 0);
		if (glob_parse(&g, p.bytes, p.len, NULL)) {
			pattern_done(&p);
			continue;
		}
		glob_free(&g);
		if (expand_mounts(&m, &p, true, &out))
			abort();
		for (unsigned r = 0; r < 7; r++) {
			char path[32], name[32];
			bool want, got;

			snprintf(path, sizeof(path), "/a/b%s", rests[r]);
			snprintf(name, sizeof(name), "/b%s", rests[r]);
			want = matches(p.bytes, path) || matches(p.bytes, name);
			got = matches(p.bytes, name);
			for (size_t k = 0; k < out.patterns.n; k++)
				got |= matches(out.patterns.items[k].bytes, name);
			if (want != got && !wrong++)
				tap_note("%s, %s: %d", p.bytes, path, got);
			n_tested++;
		}
		/* And all that was added is behind the mount. */
		for (size_t k = 0; k < out.patterns.n; k++)
			wrong += strncmp(out.patterns.items[k].bytes, "/b", 2) != 0;
		mounted_done(&out);
		pattern_done(&p);
	}
	mount_names_done(&m);
	tap_ok(&tap, !wrong && n_tested > 1000, "every short pattern (%u questions, %u wrong)",
	       n_tested, wrong);
}

static bool says(const struct diags *d, const char *part)
{
	for (size_t i = 0; i < d->n; i++)
		if (strstr(d->items[i].message, part))
			return true;
	return false;
}

/* Where names have other spellings, rules that tell them apart are doubtful. */
static void respelled(void)
{
	static const char *const fat[] = {"/", "/", "/fat", "/fat", NULL};
	static const char *const elsewhere[] = {"/", "/", "/far", "/far", NULL};
	static const struct {
		const char *text;
		unsigned line; /* of the rule; 0: of the policy */
		const char *part;
	} doubts[] = {
		{HEAD "  - allow read /**\n  - deny read /fat/x\n", 4, "below it are not told apart: read,"},
		{HEAD "  - allow all /fat/a/**\n", 3, ": read,modify,create,delete,attr,"},
		{HEAD "  - allow read,create /**\n  - deny create **/x\n", 0, ": create,"},
	};
	static const char *const sound[] = {
		HEAD "  - allow read /**\n  - deny read **/x\n",
		HEAD "  - allow all /fat/**\n  - deny read /f/x\n",
		HEAD "  - allow all /a/**\n  - deny read /fat/x\n",
	};
	static const char *const inside[] = {"/", "/", "/srv/ws/fat", "/srv/ws/fat", NULL};
	struct loaded l;
	size_t i;

	l = load_mounted(HEAD "  - allow read ${workspace}/**\n  - deny read ${workspace}/*/x\n", inside);
	tap_ok(&tap, !l.err && !policy_warn(l.p, &l.d) && says(&l.d, "on /srv/ws/fat a name has other"),
	       "other spellings in the workspace, which rules name by a variable");
	unload(&l);
	for (i = 0; i < sizeof(doubts) / sizeof(*doubts); i++) {
		l = load_mounted(doubts[i].text, fat);
		tap_ok(&tap,
		       !l.err && !policy_warn(l.p, &l.d) &&
			       has_diag(&l.d, DIAG_WARNING, NULL, doubts[i].line,
					doubts[i].line ? 5 : 0, doubts[i].part),
		       "other spellings, told: %s", doubts[i].part);
		unload(&l);
		l = load_mounted(doubts[i].text, elsewhere);
		tap_ok(&tap,
		       !l.err && !policy_warn(l.p, &l.d) &&
			       !says(&l.d, "other spellings"),
		       "and not where names have none");
		unload(&l);
	}
	for (i = 0; i < sizeof(sound) / sizeof(*sound); i++) {
		l = load_mounted(sound[i], fat);
		tap_ok(&tap,
		       !l.err && !policy_warn(l.p, &l.d) &&
			       !says(&l.d, "other spellings"),
		       "other spellings, nothing to tell (%zu)", i);
		unload(&l);
	}
}

int main(void)
{
	denials();
	grants();
	nested();
	part_as_root();
	whole_elsewhere();
	names();
	respelled();
	exhaustive();
	return tap_done(&tap);
}
