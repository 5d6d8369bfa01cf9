/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Warnings and notes about policies that are sound. */
#include "test_policy.h"

static struct tap tap;

#define HEAD "version: 1\nworkspace: /srv/ws\nrules:\n"

/* clang-format off */
static const struct doubt {
	const char *text;
	enum diag_level level;
	unsigned line, col;
	const char *part;
} doubts[] = {
	{ HEAD "  - allow read /x/y\n  - deny read /x/**\n", DIAG_WARNING, 4, 5,
	  "t.yaml:5:5 (deny read /x/**) comes later" },
	{ HEAD "  - allow read /x/{a,b}/*.[ch]\n  - deny read /x/**\n", DIAG_WARNING, 4, 5, "t.yaml:5:5" },
	{ HEAD "  - allow read **/y\n  - deny read /**\n", DIAG_WARNING, 4, 5, "t.yaml:5:5" },
	{ HEAD "  - allow modify /sys/kernel/x\n", DIAG_WARNING, 4, 5, "<builtin>:" },
	{ HEAD "  - allow connect 192.0.2.1:80\n  - deny connect *:*\n", DIAG_WARNING, 4, 5,
	  "never decides" },
	{ HEAD "  - ask read /x\n", DIAG_NOTE, 4, 5, "no_approver" },
	{ HEAD "  - deny read /x [log]\n", DIAG_WARNING, 4, 5, "[log] is for" },
	{ HEAD "  - allow read /x [quiet]\n", DIAG_WARNING, 4, 5, "[quiet] is for" },
	{ HEAD "  - allow read /x/y**\n", DIAG_WARNING, 4, 5, "crosses folders" },
	{ HEAD "  - allow read **/y\n", DIAG_WARNING, 4, 5, "is anywhere" },
	{ HEAD "  - allow connect *:*\n", DIAG_WARNING, 4, 5, "every address and every port" },
	{ HEAD "  - deny connect 0.0.0.0/0:25\n", DIAG_WARNING, 4, 5, "IPv4 only" },
	{ HEAD "  - allow write /etc/**\n", DIAG_WARNING, 4, 5, "change /etc/passwd and " },
	{ HEAD "  - allow read /home/**\n", DIAG_WARNING, 4, 5, "read /home/somebody/.ssh/" },
	{ HEAD "  - allow write ${workspace}/**\n", DIAG_WARNING, 4, 5, "git runs it" },
	{ HEAD "  - allow use raw-disk\n", DIAG_WARNING, 4, 5, "disks below their file systems" },
	{ HEAD "  - allow use cap:SYS_ADMIN [log]\n", DIAG_WARNING, 4, 5, "root over the machine" },
	{ HEAD "  - allow use raw-socket\n", DIAG_WARNING, 4, 5, "packets to any address" },
	{ HEAD "  - allow use mount\n  - deny use mount\n", DIAG_WARNING, 4, 5,
	  "never decides anything: t.yaml:5:5" },
	{ HEAD "  - allow connect 192.0.2.0/24:443\n  - deny connect a.example:443\n", DIAG_WARNING, 5, 5,
	  "t.yaml:4 (allow connect 192.0.2.0/24:443) allows addresses" },
	{ HEAD "  - allow connect *.example:443\n", DIAG_WARNING, 4, 5, "every name below example" },
	{ HEAD "  - allow resolve *\n", DIAG_WARNING, 4, 5, "is every name, " },
	{ HEAD "  - ask use mount\n", DIAG_NOTE, 4, 5, "nobody can be asked" },
};
/* clang-format on */

static const char *const sound[] = {
	"version: 1\nextends: workspace-write\nworkspace: /srv/ws\n",
	"version: 1\nextends: full-access\n",
	HEAD
	"  - allow read /srv/ws/** /usr/share/**\n  - deny read **/.env\n"
	"  - deny connect b.example:443\n  - allow connect *:443 192.0.2.0/24:8000-9000\n"
	"  - allow connect *.a.example:80\n  - deny connect c.a.example:80 d.example:81/udp\n"
	"  - allow use userns cap:SYS_TIME\n  - deny connect *:25\n",
};

int main(void)
{
	struct loaded l;

	for (size_t i = 0; i < sizeof(doubts) / sizeof(*doubts); i++) {
		const struct doubt *w = &doubts[i];
		char *name = diag_printable(strchr(w->text, '-'), strlen(strchr(w->text, '-')));

		l = load_text(w->text, strlen(w->text), NULL);
		if (!tap_ok(&tap,
			    !l.err && !policy_warn(l.p, &l.d) &&
				    has_diag(&l.d, w->level, "t.yaml", w->line, w->col, w->part),
			    "%s -- in %s", w->part, name))
			show_diags(&l.d);
		free(name);
		unload(&l);
	}
	for (size_t i = 0; i < sizeof(sound) / sizeof(*sound); i++) {
		l = load_text(sound[i], strlen(sound[i]), NULL);
		if (!tap_ok(&tap, !l.err && !policy_warn(l.p, &l.d) && !l.d.n,
			    "no doubt about policy %zu", i))
			show_diags(&l.d);
		unload(&l);
	}
	return tap_done(&tap);
}
