/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The shipped policies, object by object. One row for each promise; the columns are read-only,
 * workspace-write, full-access and strict, `+` allowed and `-` denied.
 */
#include "test_policy.h"

static struct tap tap;

enum { N_PRESETS = 4 };
static const char *const names[N_PRESETS] = {"read-only", "workspace-write", "full-access",
					     "strict"};
static const struct policy_params params = {.workspace = "/srv/ws", .home = "/home/u"};

#define LISTEN_OR_CONNECT 16 /* + HG_CONNECT, HG_LISTEN */
enum {
	R = HG_READ,
	M = HG_MODIFY,
	C = HG_CREATE,
	D = HG_DELETE,
	A = HG_ATTR,
	X = HG_EXEC,
	U = HG_UNIX,
	CONNECT = LISTEN_OR_CONNECT + HG_CONNECT,
	LISTEN = LISTEN_OR_CONNECT + HG_LISTEN
};

/* clang-format off */
static const struct row {
	const char *want;
	unsigned action;
	const char *object;
} rows[] = {
	/* Reading and running. */
	{ "++++", R, "/usr/share/doc/x" },	{ "++++", R, "/usr/lib/x86_64-linux-gnu/libc.so.6" },
	{ "++++", X, "/usr/lib/x86_64-linux-gnu/libc.so.6" }, { "++++", X, "/usr/bin/gcc" },
	{ "++++", R, "/etc/passwd" },		{ "++++", R, "/etc/ld.so.cache" },
	{ "++++", R, "/etc/ssl/certs/x.pem" },	{ "+++-", R, "/etc/fstab" },
	{ "+++-", R, "/home/u/notes" },		{ "+++-", R, "/home/u" },
	{ "++++", R, "/srv/ws" },		{ "++++", R, "/srv/ws/src/main.c" },
	{ "++++", X, "/srv/ws/build/a.out" },	{ "+++-", R, "/srv/wsx" },
	{ "+++-", X, "/tmp/a.out" },		{ "+++-", R, "/srv/other/x" },
	{ "++++", R, "/proc/cpuinfo" },		{ "++++", R, "/proc/4711/status" },
	{ "++++", R, "/proc/4711/fd" },		{ "++++", R, "/sys/devices/system/cpu/online" },
	{ "++++", R, "/dev/null" },		{ "++++", R, "/dev/urandom" },
	/* Secrets, in every home and in the workspace. */
	{ "----", R, "/home/u/.ssh" },		{ "----", R, "/home/u/.ssh/id_ed25519" },
	{ "----", R, "/home/v/.ssh/work_key" }, { "----", R, "/root/.ssh/authorized_keys" },
	{ "----", X, "/home/u/.ssh/rc" },	{ "----", R, "/home/u/.aws/credentials" },
	{ "----", R, "/home/u/.gnupg/private-keys-v1.d/x.key" }, { "----", R, "/home/u/.kube/config" },
	{ "----", R, "/home/u/.config/gcloud/credentials.db" }, { "----", R, "/home/u/.azure/x" },
	{ "----", R, "/root/.docker/config.json" }, { "----", R, "/home/u/.netrc" },
	{ "----", R, "/home/u/.git-credentials" }, { "----", R, "/home/u/.npmrc" },
	{ "----", R, "/home/u/.local/share/keyrings/login.keyring" },
	{ "----", R, "/home/u/.mozilla/firefox/x/logins.json" },
	{ "----", R, "/home/u/.config/google-chrome/Default/Cookies" },
	{ "----", R, "/home/u/.bash_history" },	{ "----", R, "/root/.zsh_history" },
	{ "----", R, "/etc/shadow" },		{ "----", R, "/etc/shadow-" },
	{ "----", R, "/etc/ssh/ssh_host_rsa_key" }, { "----", R, "/etc/sudoers" },
	{ "----", R, "/srv/ws/.env" },		{ "----", R, "/srv/ws/app/.env.production" },
	{ "++++", R, "/srv/ws/.env.example" },	{ "++++", R, "/srv/ws/.envoy/x" },
	{ "++++", R, "/srv/ws/.npmrc" },	{ "----", R, "/srv/ws/test/id_rsa" },
	{ "----", R, "/srv/ws/id_rsa.bak" },	{ "----", R, "/proc/4711/environ" },
	{ "----", R, "/run/secrets/token" },	{ "----", R, "/dev/input/event3" },
	{ "--+-", R, "/home/u/.ssh/known_hosts" }, { "----", R, "/var/lib/x/.ssh/key" },
	/* Writing. */
	{ "-+++", M, "/srv/ws/src/main.c" },	{ "-+++", C, "/srv/ws/new" },
	{ "-+++", D, "/srv/ws/old" },		{ "-+++", A, "/srv/ws/old" },
	{ "-++-", C, "/tmp/x" },		{ "-++-", C, "/var/tmp/x" },
	{ "-++-", C, "/dev/shm/sem.x" },	{ "--+-", C, "/home/u/x" },
	{ "--+-", M, "/etc/hosts" },		{ "--+-", C, "/usr/lib/libnew.so" },
	{ "--+-", C, "/var/lib/dpkg/status-new" }, { "--+-", C, "/usr/lib/systemd/system/new.service" },
	{ "----", M, "/usr/lib/systemd/system/ssh.service" },
	{ "++++", M, "/dev/null" },		{ "++++", M, "/dev/tty" },
	{ "++++", M, "/dev/pts/3" },		{ "++++", M, "/dev/ptmx" },
	{ "++++", M, "/proc/4711/oom_score_adj" }, { "++++", M, "/proc/4711/task/4712/comm" },
	{ "--+-", D, "/dev/null" },		{ "-+++", C, "/srv/ws/.env" },
	/* git in the workspace: init, add, commit, branch, gc. */
	{ "-+++", C, "/srv/ws/.git" },		{ "-+++", C, "/srv/ws/.git/config.lock" },
	{ "-+++", D, "/srv/ws/.git/config.lock" }, { "-+++", D, "/srv/ws/.git/config" },
	{ "-+++", C, "/srv/ws/.git/config" },	{ "-+++", C, "/srv/ws/.git/hooks" },
	{ "-+++", C, "/srv/ws/.git/hooks/pre-commit.sample" },
	{ "-+++", C, "/srv/ws/.git/objects/aa/bb" }, { "-+++", C, "/srv/ws/.git/refs/heads/x.lock" },
	{ "-+++", D, "/srv/ws/.git/packed-refs" }, { "-+++", C, "/srv/ws/.git/gc.pid.lock" },
	{ "----", C, "/srv/ws/.git/hooks/pre-commit" }, { "----", M, "/srv/ws/.git/hooks/post-merge" },
	{ "----", D, "/srv/ws/a/b/.git/hooks/update" },
	{ "----", C, "/srv/ws/.git/modules/a/b/hooks/post-checkout" },
	/* Doors. */
	{ "----", M, "/home/u/.bashrc" },	{ "----", C, "/root/.profile" },
	{ "----", M, "/home/u/.zshrc" },	{ "----", M, "/home/u/.gitconfig" },
	{ "----", C, "/home/u/.ssh/authorized_keys" }, { "----", C, "/srv/ws/.mcp.json" },
	{ "----", C, "/srv/ws/.vscode/tasks.json" }, { "----", M, "/home/u/p/.vscode/tasks.json" },
	{ "--+-", C, "/srv/ws/.vscode/settings.json" },
	{ "-+++", C, "/srv/ws/node_modules/a/.vscode/settings.json" },
	{ "--+-", C, "/srv/ws/.idea/workspace.xml" }, { "----", C, "/srv/ws/a/.idea/watcherTasks.xml" }, { "----", M, "/srv/ws/.claude/settings.local.json" },
	{ "-+++", C, "/srv/ws/.claude/todos/x" }, { "----", M, "/home/u/.codex/config.toml" },
	{ "----", M, "/home/u/.claude.json" },	{ "----", C, "/etc/cron.d/x" },
	{ "----", M, "/etc/crontab" },		{ "----", C, "/var/spool/cron/crontabs/root" },
	{ "----", C, "/etc/systemd/system/x.service" }, { "----", C, "/home/u/.config/systemd/user/x.service" },
	{ "----", C, "/run/systemd/system/x.service" }, { "----", C, "/etc/ld.so.preload" },
	{ "----", C, "/etc/profile.d/x.sh" },	{ "----", C, "/etc/sudoers.d/x" },
	{ "----", M, "/etc/pam.d/login" },	{ "----", C, "/etc/udev/rules.d/x.rules" },
	{ "----", C, "/etc/modprobe.d/x.conf" }, { "----", C, "/etc/binfmt.d/x.conf" },
	{ "----", C, "/home/u/.config/autostart/x.desktop" }, { "----", M, "/etc/passwd" },
	{ "----", M, "/dev/uinput" },		{ "----", M, "/etc/hydraguard/policies/x.yaml" },
	{ "----", M, "/proc/sys/kernel/core_pattern" }, { "----", C, "/boot/vmlinuz" },
	/* Sockets that are not the agent's own; as U, @names are reached, as LISTEN taken. */
	{ "----", U, "/run/docker.sock" },	{ "----", U, "/run/containerd/containerd.sock" },
	{ "----", U, "/run/podman/podman.sock" }, { "----", U, "/run/user/1000/podman/podman.sock" },
	{ "----", U, "/run/dbus/system_bus_socket" }, { "----", U, "/run/user/1000/bus" },
	{ "----", U, "/run/systemd/private" },	{ "----", U, "/run/systemd/resolve/io.systemd.Resolve" },
	{ "----", U, "/run/user/1000/systemd/private" }, { "----", U, "/run/nscd/socket" },
	{ "----", U, "/tmp/tmux-1000/default" }, { "----", U, "/run/screen/S-u/1.x" },
	{ "----", U, "/tmp/.X11-unix/X0" },	{ "----", U, "/run/user/1000/wayland-0" },
	{ "----", U, "/tmp/ssh-abc/agent.1" },	{ "----", U, "/home/u/.ssh/agent/s.1" },
	{ "----", U, "/home/u/.gnupg/S.gpg-agent" }, { "----", U, "/run/user/1000/gnupg/S.gpg-agent" },
	{ "----", U, "/run/snapd.socket" },	{ "----", U, "/run/libvirt/libvirt-sock" },
	{ "----", U, "/run/avahi-daemon/socket" }, { "----", U, "/run/cups/cups.sock" },
	{ "----", U, "/run/systemd/journal/dev-log" }, { "----", U, "/dev/log" },
	{ "----", U, "/srv/ws/.docker/docker.sock" }, { "----", U, "/srv/ws/x.sock" },
	{ "--+-", U, "/run/postgresql/.s.PGSQL.5432" }, { "--+-", U, "/run/mysqld/mysqld.sock" },
	{ "----", U, "@/tmp/.X11-unix/X0" },	{ "----", U, "@/tmp/dbus-AbC" },
	{ "----", LISTEN, "@/tmp/.X11-unix/X0" }, { "--+-", LISTEN, "@mine" },
	{ "----", U, "@" },			{ "--+-", LISTEN, "@a/b/c" },
	/* Network. */
	{ "--+-", CONNECT, "192.0.2.1:443/tcp" }, { "--+-", CONNECT, "[2001:db8::1]:443/tcp" },
	{ "--+-", CONNECT, "127.0.0.1:8080/tcp" }, { "--+-", CONNECT, "192.0.2.1:53/udp" },
	{ "--+-", CONNECT, "192.0.2.1/icmp" },	{ "--+-", LISTEN, "0.0.0.0:8080/tcp" },
	{ "--+-", LISTEN, "[::1]:0/tcp" },	{ "----", CONNECT, "169.254.169.254:80/tcp" },
	{ "----", CONNECT, "127.0.0.1:22/tcp" }, { "----", CONNECT, "[::1]:22/tcp" },
	{ "----", CONNECT, "0.0.0.0:22/tcp" },
};
/* clang-format on */

static enum hg_verdict ask(const struct policy *p, const struct row *r, const char **ret_rule)
{
	struct hg_out out = {};
	unsigned action = r->action == U ? HG_CONNECT : HG_LISTEN;

	*ret_rule = "";
	if (*r->object == '@') {
		if (image_label(p->image, HG_LABEL_ABSTRACT, r->object + 1, strlen(r->object) - 1,
				&out))
			return -1;
		return out.allow & HG_BIT(action) ? HG_ALLOW : HG_DENY;
	}
	if (r->action >= LISTEN_OR_CONNECT)
		return decide_endpoint(p, r->action - LISTEN_OR_CONNECT, r->object);
	return decide(p, r->action, r->object, ret_rule);
}

static void each_row(const struct loaded *l)
{
	char got[N_PRESETS + 1] = {};
	const char *rule;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];
		bool ok = true;

		for (unsigned k = 0; k < N_PRESETS; k++) {
			got[k] = ask(l[k].p, r, &rule) == HG_ALLOW ? '+' : '-';
			if (got[k] == r->want[k])
				continue;
			ok = false;
			tap_note("%s: %s", names[k], rule);
		}
		tap_ok(&tap, ok, "%s %s: %s, got %s",
		       r->action >= LISTEN_OR_CONNECT
			       ? rule_endpoint_action_names[r->action - LISTEN_OR_CONNECT]
			       : rule_action_names[r->action],
		       r->object, r->want, got);
	}
}

/* Every policy that is shipped, the parts too, by itself and without a workspace where it has none
 * in it. */
static void each_loads(void)
{
	static const struct policy_params bare;
	struct loaded l;
	uint32_t n;

	for (const struct preset *p = policy_presets; p->name; p++) {
		l = load_file(p->name, strstr(p->text, "${workspace}") ? &params : &bare);
		if (!tap_ok(&tap, !l.err && !l.d.n, "%s loads", p->name))
			show_diags(&l.d);
		if (!l.err) {
			image_chunks(l.p->image, &n);
			tap_ok(&tap, n <= 2, "%s fits 256 KiB (%u chunks)", p->name, n);
		}
		unload(&l);
	}
}

static uint16_t state_of(const struct policy *p, const char *folder)
{
	uint16_t dir = 0, out;

	image_path_at(p->image, folder, strlen(folder), &dir, &out);
	return dir;
}

/* A tree can be moved where the rights below are the same: up, down and across the folders that an
 * agent may write in. That is so where their states are one. */
static void one_state(const char *workspace, const char *preset)
{
	static const char *const below[] = {"a", "a/b", "a/b/c", "a/b/c/d"};
	struct policy_params with = {.workspace = workspace};
	struct loaded l = load_file(preset, &with);
	char path[256];
	uint16_t first;

	if (!tap_ok(&tap, !l.err, "%s loads", preset))
		return;
	snprintf(path, sizeof(path), "%s/x", workspace);
	first = state_of(l.p, path);
	for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++) {
		snprintf(path, sizeof(path), "%s/%s", workspace, below[i]);
		tap_ok(&tap, state_of(l.p, path) == first, "%s: trees can be moved to %s", preset,
		       path);
		snprintf(path, sizeof(path), "/tmp/%s", below[i]);
		tap_ok(&tap, !strcmp(preset, "strict") || state_of(l.p, path) == first,
		       "%s: trees can be moved to %s", preset, path);
	}
	unload(&l);
}

int main(void)
{
	struct loaded l[N_PRESETS];
	bool ok = true;

	for (unsigned k = 0; k < N_PRESETS; k++) {
		l[k] = load_file(names[k], &params);
		ok = tap_ok(&tap, !l[k].err, "%s", names[k]) && ok;
		show_diags(&l[k].d);
	}
	if (ok) {
		each_row(l);
		for (unsigned k = 1; k < N_PRESETS; k++) {
			one_state("/srv/ws", names[k]);
			one_state("/home/u/project", names[k]);
		}
	}
	for (unsigned k = 0; k < N_PRESETS; k++)
		unload(&l[k]);
	each_loads();
	return tap_done(&tap);
}
