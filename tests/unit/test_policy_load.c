/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a policy means: order, never, variables, extends, JSON, symbolic links, the guard's rules.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test_policy.h"

static struct tap tap;
static char dir[] = "/tmp/hg-policy-XXXXXX";

#define HEAD "version: 1\nrules:\n"

static const struct policy_params params = {
	.workspace = "/srv/ws",
	.home = "/home/u",
	.name = "mail",
	.no_resolve = true,
};

static bool is(const char *text, unsigned action, const char *path, enum hg_verdict want)
{
	struct loaded l = load_text(text, strlen(text), &params);
	bool ok = !l.err && decide(l.p, action, path, NULL) == want;

	if (l.err)
		show_diags(&l.d);
	unload(&l);
	return ok;
}

static void order(void)
{
	tap_ok(&tap, is("version: 1\n", HG_READ, "/x", HG_DENY), "no rule: deny");
	tap_ok(&tap,
	       is(HEAD "  - allow read /x/**\n  - deny read /x/y\n", HG_READ, "/x/y", HG_DENY),
	       "the last rule that matches decides: deny");
	tap_ok(&tap,
	       is(HEAD "  - deny read /x/y\n  - allow read /x/**\n", HG_READ, "/x/y", HG_ALLOW),
	       "the last rule that matches decides: allow");
	tap_ok(&tap, is(HEAD "  - allow read /x/**\n  - ask read /x/y\n", HG_READ, "/x/y", HG_ASK),
	       "ask");
	tap_ok(&tap, is(HEAD "  - allow read /x/**\n", HG_READ, "/x", HG_ALLOW), "/x/** is /x too");
	tap_ok(&tap, is(HEAD "  - allow read /x/**\n", HG_MODIFY, "/x/y", HG_DENY),
	       "read is not modify");
	for (unsigned a = HG_MODIFY; a <= HG_ATTR; a++)
		tap_ok(&tap, is(HEAD "  - allow write /x\n", a, "/x", HG_ALLOW), "write is %s",
		       rule_action_names[a]);
	tap_ok(&tap, is(HEAD "  - allow write /x\n", HG_READ, "/x", HG_DENY), "write is not read");
	for (unsigned a = 0; a < HG_N_PATH_ACTIONS; a++)
		tap_ok(&tap, is(HEAD "  - allow all /x\n", a, "/x", HG_ALLOW), "all is %s",
		       rule_action_names[a]);
	tap_ok(&tap, is(HEAD "  - allow read \"/a b\" /c\\ d\n", HG_READ, "/a b", HG_ALLOW),
	       "quoted object");
	tap_ok(&tap, is(HEAD "  - allow read \"/a b\" /c\\ d\n", HG_READ, "/c d", HG_ALLOW),
	       "escaped blank");
	tap_ok(&tap, is(HEAD "  - allow read /a\\*b\n", HG_READ, "/a*b", HG_ALLOW), "escaped star");
	tap_ok(&tap, is(HEAD "  - allow read /a\\*b\n", HG_READ, "/axb", HG_DENY),
	       "escaped star is no star");
}

static void never(void)
{
	static const char own[] = "version: 1\nnever:\n  - deny read **/.ssh/**\nrules:\n"
				  "  - allow all /**\n";

	tap_ok(&tap, is(own, HG_READ, "/home/u/.ssh/id", HG_DENY), "never stands behind rules");
	tap_ok(&tap, is(own, HG_EXEC, "/home/u/.ssh/id", HG_ALLOW),
	       "never speaks of its actions only");
	tap_ok(&tap,
	       is("version: 1\nextends: workspace-write\nrules:\n  - allow all /**\n", HG_MODIFY,
		  "/srv/ws/.git/hooks/pre-commit", HG_DENY),
	       "never of a policy that is extended");
	tap_ok(&tap,
	       is("version: 1\nextends: workspace-write\nrules:\n  - allow read /**\n", HG_READ,
		  "/home/u/.aws/credentials", HG_ALLOW),
	       "secrets can be given by a later rule");
}

static void guard(void)
{
	static const char all[] = HEAD "  - allow all /**\n";
	static const char *const closed[] = {
		"/sys/fs/bpf/x",
		"/sys/fs/cgroup/x/cgroup.procs",
		"/run/hydraguard/control.sock",
		"/etc/hydraguard/policies/a.yaml",
		"/var/lib/hydraguard/x",
		"/var/log/hydraguard/events.jsonl",
		"/proc/sys/kernel/core_pattern",
		"/proc/sysrq-trigger",
		"/sys/kernel/mm/x",
		"/sys/module/x/parameters/y",
		"/dev/mem",
		"/dev/kmem",
		"/dev/port",
		"/proc/kcore",
		"/usr/bin/hydraguard",
		"/etc/systemd/system/hydraguard.service",
		"/sys/devices/pci0000:00/x/config",
		"/dev/kmsg",
		"/proc/irq/1/smp_affinity",
	};
	struct loaded l = load_text(all, strlen(all), &params);
	const char *rule = "";

	for (size_t i = 0; i < sizeof(closed) / sizeof(*closed); i++) {
		for (unsigned a = HG_MODIFY; a <= HG_ATTR; a++)
			tap_ok(&tap, decide(l.p, a, closed[i], &rule) == HG_DENY,
			       "guard: %s %s (%s)", rule_action_names[a], closed[i], rule);
	}
	tap_ok(&tap, decide(l.p, HG_READ, "/run/hydraguard/control.sock", NULL) == HG_DENY,
	       "guard: read socket");
	tap_ok(&tap, decide(l.p, HG_READ, "/var/log/hydraguard/events.jsonl", NULL) == HG_DENY,
	       "guard: read log");
	tap_ok(&tap, decide(l.p, HG_READ, "/sys/devices/pci0000:00/0000:00:02.0/resource0_wc", NULL) == HG_DENY,
	       "guard: read registers");
	tap_ok(&tap, decide(l.p, HG_READ, "/sys/devices/pci0000:00/0000:00:02.0/resource", NULL) == HG_ALLOW,
	       "guard: where they are may be read");
	tap_ok(&tap, decide(l.p, HG_READ, "/etc/hydraguard/policies/a.yaml", NULL) == HG_ALLOW,
	       "guard: policies may be read");
	tap_ok(&tap, decide(l.p, HG_MODIFY, "/proc/4711/oom_score_adj", NULL) == HG_ALLOW,
	       "guard: processes' own files are a policy's matter");
	tap_ok(&tap,
	       !strcmp(l.p->rules[l.p->n_rules - 1].file, "<builtin>") &&
		       l.p->rules[l.p->n_rules - 1].never && l.p->rules[l.p->n_rules - 1].line > 1,
	       "guard: origin");
	unload(&l);
}

static void variables(void)
{
	static const char text[] =
		"version: 1\nvars:\n  one: 10.20.0.0/16\n  many: [/a, '/b*']\n  deep: '${many}/x'\n"
		"  none: []\nrules:\n  - allow read ${many}/y ${deep} ${home}/r "
		"${workspace}/${name}\n"
		"  - allow connect ${one}:5432/tcp\n  - deny read ${none}/y\n";
	static const struct policy_params odd = {
		.workspace = "/srv/a*b",
		.home = "/",
		.name = "mail",
		.no_resolve = true,
	};
	static const char literal[] = HEAD "  - allow read ${workspace}/** ${home}/h\n";
	struct loaded l;

	tap_ok(&tap, is(text, HG_READ, "/a/y", HG_ALLOW), "a list makes several objects: first");
	tap_ok(&tap, is(text, HG_READ, "/bcd/y", HG_ALLOW), "a policy's own variable is a pattern");
	tap_ok(&tap, is(text, HG_READ, "/bcd/x", HG_ALLOW), "variables in variables");
	tap_ok(&tap, is(text, HG_READ, "/home/u/r", HG_ALLOW), "${home}");
	tap_ok(&tap, is(text, HG_READ, "/srv/ws/mail", HG_ALLOW), "${workspace} and ${name}");
	tap_ok(&tap, is_endpoint(&params, text, HG_CONNECT, "10.20.1.2:5432/tcp", HG_ALLOW),
	       "a variable in an endpoint");
	tap_ok(&tap, is_endpoint(&params, text, HG_CONNECT, "10.21.1.2:5432/tcp", HG_DENY),
	       "and nothing beside it");
	l = load_text(literal, strlen(literal), &odd);
	tap_ok(&tap, !l.err && decide(l.p, HG_READ, "/srv/a*b/x", NULL) == HG_ALLOW,
	       "a star in a workspace");
	tap_ok(&tap, !l.err && decide(l.p, HG_READ, "/srv/aXb/x", NULL) == HG_DENY,
	       "is a byte of its name");
	tap_ok(&tap, !l.err && decide(l.p, HG_READ, "/h", NULL) == HG_ALLOW,
	       "a home that is the root");
	tap_ok(&tap, !l.err && l.p->workspace && !strcmp(l.p->workspace, "/srv/a*b"),
	       "the workspace as it is");
	unload(&l);
}

static bool is_use(const struct policy *p, enum hg_use use, enum hg_verdict want, int line)
{
	struct hg_out out;

	if (image_use(p->image, use, &out))
		return false;
	if (!!(out.allow & HG_BIT(HG_USE)) != (want == HG_ALLOW) ||
	    !!(out.ask & HG_BIT(HG_USE)) != (want == HG_ASK))
		return false;
	if (out.rule[HG_USE] == HG_RULE_NONE)
		return !line;
	return p->rules[out.rule[HG_USE]].line == (unsigned)line;
}

static void use(void)
{
	static const char text[] =
		HEAD "  - allow use anonymous-exec raw-disk\n  - deny use raw-disk\n"
		     "  - allow use device-node cap:SYS_TIME mount [log]\n  - ask use mount\n"
		     "  - allow use userns\nnever:\n  - deny use userns bpf [quiet]\n";
	struct loaded l = load_text(text, strlen(text), &params);
	static const struct {
		enum hg_use use;
		enum hg_verdict want;
		int line;
	} cases[] = {
		{HG_USE_ANONYMOUS_EXEC, HG_ALLOW, 3},
		{HG_USE_RAW_DISK, HG_DENY, 4},
		{HG_USE_DEVICE_NODE, HG_ALLOW, 5},
		{HG_USE_CAP + 25, HG_ALLOW, 5},
		{HG_USE_MOUNT, HG_ASK, 6},
		{HG_USE_USERNS, HG_DENY, 9},
		{HG_USE_BPF, HG_DENY, 9},
		{HG_USE_PERF, HG_DENY, 0},
		{HG_USE_CAP + 21, HG_DENY, 0},
	};
	struct hg_out out;
	uint16_t rules[4];

	if (!tap_ok(&tap, !l.err, "rules of `use` load"))
		show_diags(&l.d);
	for (size_t i = 0; !l.err && i < sizeof(cases) / sizeof(*cases); i++)
		tap_ok(&tap, is_use(l.p, cases[i].use, cases[i].want, cases[i].line),
		       "use %s is %s, by line %d", rule_use_names[cases[i].use],
		       rule_verdict_names[cases[i].want], cases[i].line);
	tap_ok(&tap,
	       !l.err && !image_use(l.p->image, HG_USE_DEVICE_NODE, &out) &&
		       out.log == HG_BIT(HG_USE),
	       "use: [log] is kept");
	tap_ok(&tap,
	       !l.err && ruleset_match_use(l.p->ruleset, HG_USE_MOUNT, rules, 4) == 2 &&
		       rules[0] == 2 && rules[1] == 3,
	       "use: every rule that matches");
	unload(&l);
}

static void head(void)
{
	static const char json[] = "{\"version\": 1, \"name\": \"x\", \"mode\": \"audit\", "
				   "\"extends\": [\"strict\"],\n"
				   " \"vars\": {\"a\": [\"\\/a\"]}, \"rules\": [\"allow read "
				   "${a}\\u002fb\"], \"never\": []}";
	static const char windows[] = "\xef\xbb\xbfversion: 1\r\nrules:\r\n  - deny read /x\r\n";
	static const char two_lines[] = HEAD "  - deny read\n      /x  [log]\n";
	static const struct policy_params named = {.workspace = "/srv/ws"};
	struct loaded l = load_text(json, strlen(json), &named);

	tap_ok(&tap, !l.err && l.p->mode == POLICY_AUDIT && !strcmp(l.p->name, "x"), "JSON: keys");
	tap_ok(&tap, !l.err && decide(l.p, HG_READ, "/a/b", NULL) == HG_ALLOW, "JSON: rules");
	if (l.err)
		show_diags(&l.d);
	unload(&l);
	l = load_text(windows, strlen(windows), NULL);
	tap_ok(&tap,
	       !l.err && l.p->rules[0].line == 3 && l.p->rules[0].col == 5 &&
		       !strcmp(l.p->rules[0].text, "deny read /x"),
	       "byte order mark, CR LF");
	tap_ok(&tap, !l.err && !strcmp(l.p->name, "t") && !l.p->workspace,
	       "the name is the file's");
	unload(&l);
	l = load_text(two_lines, strlen(two_lines), NULL);
	tap_ok(&tap,
	       !l.err && !strcmp(l.p->rules[0].text, "deny read /x  [log]") &&
		       l.p->rules[0].options == HG_OPT_LOG,
	       "a rule over two lines, options");
	unload(&l);
}

/* ---- files ---- */

/* Overwritten after eight more calls. */
static const char *path(const char *name)
{
	static char paths[8][256];
	static unsigned n;
	char *p = paths[n++ % 8];

	snprintf(p, sizeof(*paths), "%s/%s", dir, name);
	return p;
}

static void put(const char *name, const char *format, ...)
{
	FILE *f = fopen(path(name), "w");
	va_list ap;

	va_start(ap, format);
	vfprintf(f, format, ap);
	va_end(ap);
	fclose(f);
}

static void extends(void)
{
	char lib[256];
	const char *search[] = {lib, NULL};
	struct policy_params with = {.search = search, .no_resolve = true};
	struct loaded l;

	strcpy(lib, path("lib"));
	mkdir(lib, 0755);
	put("base.yaml",
	    "version: 1\nname: base\nmode: audit\nvars: { v: /base }\nrules:\n"
	    "  - allow read ${v}\n  - allow read /both\nnever:\n  - deny read /n/**\n");
	put("lib/far.yaml", "version: 1\nextends: near\nrules:\n  - allow read /far\n");
	put("lib/near.yaml", "version: 1\nrules:\n  - allow read /near\n");
	put("top.yaml",
	    "version: 1\nextends: [base, far, ./base.yaml]\nmode: enforce\nvars: { v: /top }\n"
	    "rules:\n  - deny read /both\n  - allow read /n/**\n");
	l = load_file(path("top.yaml"), &with);
	if (!tap_ok(&tap, !l.err, "extends: files, search folders, twice the same"))
		show_diags(&l.d);
	if (!l.err) {
		tap_ok(&tap, !strcmp(l.p->name, "top") && l.p->mode == POLICY_ENFORCE,
		       "extends: the outer keys");
		tap_ok(&tap,
		       decide(l.p, HG_READ, "/top", NULL) == HG_ALLOW &&
			       decide(l.p, HG_READ, "/base", NULL) == HG_DENY,
		       "extends: the outer variable");
		tap_ok(&tap, decide(l.p, HG_READ, "/both", NULL) == HG_DENY,
		       "extends: outer rules are later");
		tap_ok(&tap, decide(l.p, HG_READ, "/n/x", NULL) == HG_DENY,
		       "extends: never cannot be lifted");
		tap_ok(&tap,
		       decide(l.p, HG_READ, "/far", NULL) == HG_ALLOW &&
			       decide(l.p, HG_READ, "/near", NULL) == HG_ALLOW,
		       "extends: through the search folder");
	}
	unload(&l);

	put("a.yaml", "version: 1\nextends: b\n");
	put("b.yaml", "version: 1\nextends: a\n");
	l = load_file(path("a.yaml"), &with);
	if (!tap_ok(&tap,
		    l.err == -EINVAL && has_diag(&l.d, DIAG_ERROR, NULL, 2, 10, "extends itself") &&
			    strstr(l.d.items[0].message, "a.yaml -> ") &&
			    strstr(l.d.items[0].message, "b.yaml -> "),
		    "extends: a circle, with its chain"))
		show_diags(&l.d);
	unload(&l);
	for (unsigned i = 0; i < 12; i++) {
		char name[16];

		snprintf(name, sizeof(name), "d%u.yaml", i);
		put(name, "version: 1\nextends: d%u\n", i + 1);
	}
	l = load_file(path("d0.yaml"), &with);
	tap_ok(&tap, l.err == -EINVAL && strstr(l.d.items[0].message, "more than 8 deep"),
	       "extends: too deep");
	unload(&l);
	put("miss.yaml", "version: 1\nextends: stric\nrules:\n  - alow read /x\n");
	l = load_file(path("miss.yaml"), &with);
	if (!tap_ok(&tap,
		    has_diag(&l.d, DIAG_ERROR, NULL, 2, 10, "did you mean `strict`?") &&
			    has_diag(&l.d, DIAG_ERROR, NULL, 4, 5, "allow"),
		    "extends: a wrong name, and what follows"))
		show_diags(&l.d);
	unload(&l);
	l = load_file("workspace-write", &(struct policy_params){.home = "/home/u"});
	tap_ok(&tap, l.err == -EINVAL && l.d.n_errors == 1, "no workspace: said once");
	unload(&l);
	l = load_file("workspace-write",
		      &(struct policy_params){.home = "/home/u", .default_workspace = "/srv/here"});
	tap_ok(&tap,
	       !l.err && l.p->workspace_default &&
		       decide(l.p, HG_MODIFY, "/srv/here/x", NULL) == HG_ALLOW,
	       "no workspace: the one for that");
	unload(&l);
	put("own.yaml", "version: 1\nextends: workspace-write\nworkspace: /srv/own\n");
	l = load_file(path("own.yaml"),
		      &(struct policy_params){.home = "/home/u", .default_workspace = "/srv/here"});
	tap_ok(&tap,
	       !l.err && !l.p->workspace_default &&
		       decide(l.p, HG_MODIFY, "/srv/here/x", NULL) == HG_DENY,
	       "but not beside its own");
	unload(&l);
	l = load_file("strikt", &with);
	tap_ok(&tap, l.err == -ENOENT && strstr(l.d.items[0].message, "did you mean `strict`?"),
	       "a shipped policy's name that is wrong");
	unload(&l);
	put("bad.yaml", "version: 1\nrules:\n  - alow read /x\n");
	put("good.yaml", "version: 1\nextends: bad\n");
	l = load_file(path("good.yaml"), &with);
	tap_ok(&tap, has_diag(&l.d, DIAG_ERROR, path("bad.yaml"), 3, 5, "allow"),
	       "extends: whose error it is");
	unload(&l);
	l = load_file(path("absent.yaml"), &with);
	tap_ok(&tap, l.err == -ENOENT && l.d.n_errors == 1, "a file that is not there");
	unload(&l);
	l = load_file("strict", &params);
	tap_ok(&tap, !l.err && !strcmp(l.p->name, "strict"), "a shipped policy by its name");
	unload(&l);
}

static void own_files(void)
{
	static const char *const closed[] = {"p.yaml", "q.yaml", "real/p.yaml", "dirlink"};
	struct policy_params with = {};
	struct loaded l;

	mkdir(path("real"), 0755);
	put("real/p.yaml", "version: 1\nextends: [../q, r]\nrules:\n  - allow all /**\n");
	put("q.yaml", "version: 1\n");
	put("real/r.yaml", "version: 1\n");
	if (symlink("real", path("dirlink")) || symlink("dirlink/p.yaml", path("p.yaml")))
		return;
	l = load_file(path("dirlink/p.yaml"), &with);
	tap_ok(&tap, !l.err, "a policy behind a link loads");
	for (unsigned i = 1; !l.err && i < 4; i++)
		tap_ok(&tap,
		       decide(l.p, HG_DELETE, path(closed[i]), NULL) == HG_DENY &&
			       decide(l.p, HG_CREATE, path(closed[i]), NULL) == HG_DENY,
		       "guard: the policy's own %s", closed[i]);
	tap_ok(&tap, !l.err && decide(l.p, HG_MODIFY, path("real/r.yaml"), NULL) == HG_DENY,
	       "guard: a file that it extends");
	unload(&l);
	/* `extends: far` looked for far.yaml here first: making it would put it before the real
	 * one. */
	put("s.yaml", "version: 1\nextends: far\nrules:\n  - allow all /**\n");
	with.guard = (const char *const[]){"/opt/hg/bin/hydraguard", NULL};
	with.search = (const char *const[]){path("lib"), NULL};
	l = load_file(path("s.yaml"), &with);
	tap_ok(&tap, !l.err && decide(l.p, HG_CREATE, path("far.yaml"), NULL) == HG_DENY,
	       "guard: a file that would be read instead");
	tap_ok(&tap,
	       !l.err && decide(l.p, HG_MODIFY, "/opt/hg/bin/hydraguard", NULL) == HG_DENY &&
		       decide(l.p, HG_EXEC, "/opt/hg/bin/hydraguard", NULL) == HG_ALLOW,
	       "guard: a file that is named");
	unload(&l);
}

static void links(void)
{
	struct policy_params with = {};
	char workspace[256];
	struct loaded l;

	strcpy(workspace, path("ws"));
	with.workspace = workspace;
	mkdir(path("ws"), 0755);
	mkdir(path("data"), 0755);
	if (symlink("data", path("link")) || symlink("../data", path("ws/own")) ||
	    symlink("data/file", path("flink")) || symlink("../../../etc", path("ws/etc")))
		return;
	put("l.yaml", "version: 1\nrules:\n  - allow read %s/link/**\n  - allow all %s/flink\n",
	    dir, dir);
	l = load_file(path("l.yaml"), &with);
	if (!tap_ok(&tap, !l.err && decide(l.p, HG_READ, path("data/x"), NULL) == HG_ALLOW,
		    "a link before a wildcard is followed"))
		show_diags(&l.d);
	tap_ok(&tap, !l.err && decide(l.p, HG_READ, path("link"), NULL) == HG_DENY,
	       "the link itself is not given away with it");
	tap_ok(&tap, has_diag(&l.d, DIAG_NOTE, NULL, 3, 16, "symbolic link"), "and a note says so");
	unload(&l);

	/* With create, the agent could point flink elsewhere and wait for the next load. */
	put("l.yaml", "version: 1\nrules:\n  - allow read,modify,exec %s/flink\n", dir);
	l = load_file(path("l.yaml"), &with);
	tap_ok(&tap,
	       !l.err && decide(l.p, HG_MODIFY, path("data/file"), NULL) == HG_ALLOW &&
		       decide(l.p, HG_MODIFY, path("flink"), NULL) == HG_ALLOW,
	       "a link alone: itself and its target");
	unload(&l);
	put("l.yaml", "version: 1\nrules:\n  - allow all %s/flink\n", dir);
	l = load_file(path("l.yaml"), &with);
	tap_ok(&tap,
	       !l.err && decide(l.p, HG_READ, path("data/file"), NULL) == HG_DENY &&
		       decide(l.p, HG_CREATE, path("flink"), NULL) == HG_ALLOW &&
		       has_diag(&l.d, DIAG_WARNING, NULL, 3, 5, "lets the agent make"),
	       "a link that the agent may replace is not followed");
	unload(&l);
	put("l.yaml", "version: 1\nrules:\n  - allow all ${workspace}/**\n  - allow read "
		      "${workspace}/own/**\n"
		      "  - allow read ${workspace}/etc/**\n");
	l = load_file(path("l.yaml"), &with);
	tap_ok(&tap,
	       !l.err && decide(l.p, HG_READ, path("data/x"), NULL) == HG_DENY &&
		       decide(l.p, HG_READ, "/etc/shadow", NULL) == HG_DENY &&
		       has_diag(&l.d, DIAG_WARNING, NULL, 4, 5, "lets the agent make"),
	       "a link that the agent may have planted is not followed");
	tap_ok(&tap, !l.err && decide(l.p, HG_READ, path("ws/x"), NULL) == HG_ALLOW,
	       "and the rest holds");
	unload(&l);
	put("l.yaml",
	    "version: 1\nrules:\n  - allow all /**\n  - deny read %s/link/x %s/flink\n"
	    "  - deny read %s/{link,nothing}/y/**\n",
	    dir, dir, dir);
	l = load_file(path("l.yaml"), &with);
	tap_ok(&tap,
	       !l.err && decide(l.p, HG_READ, path("data/x"), NULL) == HG_DENY &&
		       decide(l.p, HG_READ, path("data/file"), NULL) == HG_DENY,
	       "a denial follows every link");
	tap_ok(&tap,
	       !l.err && decide(l.p, HG_READ, path("link/x"), NULL) == HG_DENY &&
		       decide(l.p, HG_READ, path("flink"), NULL) == HG_DENY,
	       "and keeps the name as written");
	tap_ok(&tap,
	       !l.err && decide(l.p, HG_READ, path("data/y/z"), NULL) == HG_DENY &&
		       decide(l.p, HG_READ, path("nothing/y/z"), NULL) == HG_DENY,
	       "links in alternatives");
	unload(&l);
	put("l.yaml", "version: 1\nrules:\n  - allow read /proc/self/status\n");
	l = load_file(path("l.yaml"), &with);
	tap_ok(&tap,
	       !l.err && decide(l.p, HG_READ, "/proc/4711/status", NULL) == HG_ALLOW &&
		       decide(l.p, HG_READ, "/proc/4711/environ", NULL) == HG_DENY &&
		       has_diag(&l.d, DIAG_WARNING, NULL, 3, 16, "every process"),
	       "/proc/self is any process");
	unload(&l);
	with.no_resolve = true;
	put("l.yaml", "version: 1\nrules:\n  - allow read %s/link/**\n", dir);
	l = load_file(path("l.yaml"), &with);
	tap_ok(&tap, !l.err && decide(l.p, HG_READ, path("link/x"), NULL) == HG_ALLOW && !l.d.n,
	       "nothing is followed where that is asked for");
	unload(&l);
}

int main(void)
{
	char command[64];

	if (!mkdtemp(dir))
		return 1;
	order();
	never();
	guard();
	variables();
	use();
	head();
	extends();
	own_files();
	links();
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return tap_done(&tap) | (system(command) != 0);
}
