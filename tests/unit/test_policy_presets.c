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
	{ "----", C, "/srv/ws/.vscode/settings.json" },
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
	{ "----", R, "/dev/console" },		{ "----", M, "/dev/console" },
	{ "----", R, "/dev/ttyS0" },		{ "----", M, "/dev/ttyS0" },
	{ "----", R, "/dev/hvc0" },		{ "----", M, "/dev/ttyAMA0" },
	{ "----", R, "/dev/tty1" },		{ "--+-", M, "/dev/ttyUSB0" },
	{ "----", M, "/dev/uinput" },		{ "----", M, "/etc/hydraguard/policies/x.yaml" },
	{ "----", M, "/proc/sys/kernel/core_pattern" }, { "----", C, "/boot/vmlinuz" },
	/* Agents', editors', shells' and terminals' files, there or not yet. */
	{ "----", C, "/srv/ws/.devcontainer/devcontainer.json" },	{ "----", M, "/srv/ws/.devcontainer/devcontainer.json" },
	{ "----", C, "/srv/ws/.devcontainer.json" },	{ "----", M, "/srv/ws/.devcontainer.json" },
	{ "----", C, "/srv/ws/.zed/tasks.json" },	{ "----", M, "/srv/ws/.zed/tasks.json" },
	{ "----", C, "/srv/ws/sub/.zed/settings.json" },	{ "----", M, "/srv/ws/sub/.zed/settings.json" },
	{ "----", C, "/srv/ws/.helix/languages.toml" },	{ "----", M, "/srv/ws/.helix/languages.toml" },
	{ "----", C, "/srv/ws/.roo/mcp.json" },	{ "----", M, "/srv/ws/.roo/mcp.json" },
	{ "----", C, "/srv/ws/.kilocode/mcp.json" },	{ "----", M, "/srv/ws/.kilocode/mcp.json" },
	{ "----", C, "/srv/ws/.qwen/settings.json" },	{ "----", M, "/srv/ws/.qwen/settings.json" },
	{ "----", C, "/srv/ws/opencode.json" },	{ "----", M, "/srv/ws/opencode.json" },
	{ "----", C, "/srv/ws/a/opencode.jsonc" },	{ "----", M, "/srv/ws/a/opencode.jsonc" },
	{ "----", C, "/srv/ws/.opencode/plugin/x.js" },	{ "----", M, "/srv/ws/.opencode/plugin/x.js" },
	{ "----", C, "/srv/ws/.opencode/command/x.md" },	{ "----", M, "/srv/ws/.opencode/command/x.md" },
	{ "----", C, "/srv/ws/.gemini/settings.json" },	{ "----", M, "/srv/ws/.gemini/settings.json" },
	{ "----", C, "/srv/ws/.gemini/hooks/x" },	{ "----", M, "/srv/ws/.gemini/hooks/x" },
	{ "----", C, "/srv/ws/.cursor/cli.json" },	{ "----", M, "/srv/ws/.cursor/cli.json" },
	{ "----", C, "/srv/ws/.cursor/commands/x.md" },	{ "----", M, "/srv/ws/.cursor/commands/x.md" },
	{ "----", C, "/srv/ws/.amp/settings.json" },	{ "----", M, "/srv/ws/.amp/settings.json" },
	{ "----", C, "/srv/ws/.agents/skills/x/run.sh" },	{ "----", M, "/srv/ws/.agents/skills/x/run.sh" },
	{ "----", C, "/srv/ws/.amazonq/mcp.json" },	{ "----", M, "/srv/ws/.amazonq/mcp.json" },
	{ "----", C, "/srv/ws/.trae/mcp.json" },	{ "----", M, "/srv/ws/.trae/mcp.json" },
	{ "----", C, "/srv/ws/.windsurf/hooks.json" },	{ "----", M, "/srv/ws/.windsurf/hooks.json" },
	{ "----", C, "/srv/ws/.kiro/hooks/x" },	{ "----", M, "/srv/ws/.kiro/hooks/x" },
	{ "----", C, "/srv/ws/.junie/mcp/mcp.json" },	{ "----", M, "/srv/ws/.junie/mcp/mcp.json" },
	{ "----", C, "/srv/ws/.github/hooks/x.json" },	{ "----", M, "/srv/ws/.github/hooks/x.json" },
	{ "----", C, "/srv/ws/.clinerules/hooks/x" },	{ "----", M, "/srv/ws/.clinerules/hooks/x" },
	{ "----", C, "/srv/ws/crush.json" },	{ "----", M, "/srv/ws/crush.json" },
	{ "----", C, "/srv/ws/.claude/rules/x.md" },	{ "----", M, "/srv/ws/.claude/rules/x.md" },
	{ "----", C, "/srv/ws/.nvim.lua" },	{ "----", M, "/srv/ws/.nvim.lua" },
	{ "----", C, "/srv/ws/deep/er/.roo/mcp.json" },	{ "----", M, "/srv/ws/deep/er/.roo/mcp.json" },
	{ "----", C, "/home/u/.copilot/mcp-config.json" },	{ "----", M, "/home/u/.copilot/mcp-config.json" },
	{ "----", C, "/home/u/.copilot/config.json" },	{ "----", M, "/home/u/.copilot/config.json" },
	{ "----", C, "/home/u/.wezterm.lua" },	{ "----", M, "/home/u/.wezterm.lua" },
	{ "----", C, "/home/u/.config/wezterm/wezterm.lua" },	{ "----", M, "/home/u/.config/wezterm/wezterm.lua" },
	{ "----", C, "/home/u/.config/kitty/kitty.conf" },	{ "----", M, "/home/u/.config/kitty/kitty.conf" },
	{ "----", C, "/home/u/.alacritty.toml" },	{ "----", M, "/home/u/.alacritty.toml" },
	{ "----", C, "/home/u/.config/ghostty/config" },	{ "----", M, "/home/u/.config/ghostty/config" },
	{ "----", C, "/home/u/.config/crush/crush.json" },	{ "----", M, "/home/u/.config/crush/crush.json" },
	{ "----", C, "/home/u/.config/amp/settings.json" },	{ "----", M, "/home/u/.config/amp/settings.json" },
	{ "----", C, "/home/u/.config/helix/config.toml" },	{ "----", M, "/home/u/.config/helix/config.toml" },
	{ "----", C, "/home/u/.config/go/env" },	{ "----", M, "/home/u/.config/go/env" },
	{ "----", C, "/home/u/.config/gh/config.yml" },	{ "----", M, "/home/u/.config/gh/config.yml" },
	{ "----", C, "/home/u/.config/starship.toml" },	{ "----", M, "/home/u/.config/starship.toml" },
	{ "----", C, "/home/u/.config/pipewire/x.conf" },	{ "----", M, "/home/u/.config/pipewire/x.conf" },
	{ "----", C, "/home/u/.local/share/nvim/site/plugin/x.lua" },	{ "----", M, "/home/u/.local/share/nvim/site/plugin/x.lua" },
	{ "----", C, "/home/u/.tmux/plugins/x" },	{ "----", M, "/home/u/.tmux/plugins/x" },
	{ "----", C, "/home/u/.nanorc" },	{ "----", M, "/home/u/.nanorc" },
	{ "----", C, "/home/u/.lesskey" },	{ "----", M, "/home/u/.lesskey" },
	{ "----", C, "/home/u/.hgrc" },	{ "----", M, "/home/u/.hgrc" },
	{ "----", C, "/home/u/.muttrc" },	{ "----", M, "/home/u/.muttrc" },
	{ "----", C, "/home/u/.i3/config" },	{ "----", M, "/home/u/.i3/config" },
	{ "----", C, "/home/u/.bunfig.toml" },	{ "----", M, "/home/u/.bunfig.toml" },
	{ "----", C, "/home/u/.yarnrc.yml" },	{ "----", M, "/home/u/.yarnrc.yml" },
	{ "----", C, "/home/u/.jupyter/x.py" },	{ "----", M, "/home/u/.jupyter/x.py" },
	{ "----", C, "/home/u/.gemini/GEMINI.md" },	{ "----", M, "/home/u/.gemini/GEMINI.md" },
	{ "----", C, "/home/u/.cursor/extensions/x/main.js" },	{ "----", M, "/home/u/.cursor/extensions/x/main.js" },
	{ "----", C, "/home/u/.codeium/windsurf/hooks.json" },	{ "----", M, "/home/u/.codeium/windsurf/hooks.json" },
	{ "----", C, "/home/u/.my.cnf" },	{ "----", M, "/home/u/.my.cnf" },
	{ "----", C, "/etc/claude-code/managed-settings.json" },	{ "----", M, "/etc/claude-code/managed-settings.json" },
	{ "----", C, "/etc/codex/config.toml" },	{ "----", M, "/etc/codex/config.toml" },
	{ "----", C, "/etc/tmux.conf" },	{ "----", M, "/etc/tmux.conf" },
	{ "----", C, "/etc/vim/vimrc.local" },	{ "----", M, "/etc/vim/vimrc.local" },
	{ "----", C, "/etc/npmrc" },	{ "----", M, "/etc/npmrc" },
	{ "----", C, "/etc/pip.conf" },	{ "----", M, "/etc/pip.conf" },
	{ "----", M, "/etc/init.d/ssh" },	{ "----", D, "/etc/init.d/ssh" },
	{ "----", M, "/etc/vim/vimrc" },	{ "----", D, "/etc/vim/vimrc" },
	{ "----", M, "/etc/X11/Xsession.d/20x" },	{ "----", D, "/etc/X11/Xsession.d/20x" },
	{ "----", M, "/etc/X11/Xsession" },	{ "----", D, "/etc/X11/Xsession" },
	{ "----", M, "/etc/screenrc" },	{ "----", D, "/etc/screenrc" },
	{ "----", M, "/etc/nanorc" },	{ "----", D, "/etc/nanorc" },
	{ "----", M, "/etc/emacs/site-start.el" },	{ "----", D, "/etc/emacs/site-start.el" },
	{ "----", M, "/etc/ssl/openssl.cnf" },	{ "----", D, "/etc/ssl/openssl.cnf" },
	{ "----", M, "/etc/needrestart/needrestart.conf" },	{ "----", D, "/etc/needrestart/needrestart.conf" },
	{ "----", M, "/etc/gdb/gdbinit" },	{ "----", D, "/etc/gdb/gdbinit" },
	{ "----", M, "/etc/python3.11/sitecustomize.py" },	{ "----", D, "/etc/python3.11/sitecustomize.py" },
	{ "----", M, "/srv/ws/.hg/hgrc" },	{ "----", D, "/srv/ws/.hg/hgrc" },
	/* Beside them. */
	{ "--+-", C, "/etc/init.d/new" },
	{ "--+-", C, "/etc/X11/Xsession.d/90new" },
	{ "--+-", C, "/etc/vim/new" },
	{ "--+-", C, "/etc/ssl/openssl.cnf.dpkg-new" },
	{ "--+-", M, "/etc/ssl/other.cnf" },
	{ "-+++", C, "/srv/ws/.hg/hgrc" },
	{ "-+++", C, "/srv/ws/.github/workflows/x.yml" },
	{ "-+++", C, "/srv/ws/.zed/notes" },
	{ "-+++", C, "/srv/ws/.opencode/state.db" },
	{ "-+++", C, "/srv/ws/opencode.json.md" },
	{ "-+++", C, "/srv/ws/.roo/rules/x.md" },
	{ "-+++", C, "/srv/ws/.qwen/tmp/x" },
	{ "-+++", C, "/srv/ws/.gemini/tmp/x" },
	{ "-+++", M, "/srv/ws/package.json" },
	{ "-+++", M, "/srv/ws/.vscode/extensions.json" },
	{ "-+++", C, "/srv/ws/new/.vscode/launch.json" },
	{ "-+++", C, "/srv/ws/node_modules/a/.devcontainer/devcontainer.json" },
	{ "--+-", C, "/home/u/.config/app/x" },
	{ "--+-", C, "/home/u/.local/share/app/x" },
	{ "--+-", C, "/home/u/.local/bin/x" },
	{ "--+-", C, "/home/u/.copilot/logs/x" },
	{ "--+-", C, "/home/u/.cursor/state" },
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
	{ "--+-", LISTEN, "[::1]:0/tcp" },
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
			tap_ok(&tap, n <= 3, "%s fits 384 KiB (%u chunks)", p->name, n);
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

/* ---- metadata services ---- */

/* open: at port 53. */
static const struct metadata {
	const char *address;
	bool open;
} metadata[] = {
	{"169.254.169.254", true}, {"100.100.100.200", true}, {"168.63.129.16", true},
	{"169.254.170.2", false},  {"169.254.170.23", false}, {"169.254.42.42", false},
	{"169.254.0.23", false},   {"192.0.0.192", false},    {"[fd00:ec2::254]", true},
	{"[fd00:ec2::23]", false}, {"[fd20:ce::254]", false}, {"[fd00:42::42]", false},
	{"[fe80::a9fe:a9fe]", false},
};
static const char *const neighbours[] = {
	"169.254.169.253", "169.254.170.3", "169.254.170.22", "100.100.100.201", "168.63.129.17",
	"192.0.0.193", "[fd00:ec2::253]", "[fd00:ec2::24]", "[fd20:ce::255]",
	"[64:ff9b::192.0.2.1]", "[64:ff9b::169.254.170.3]", "[2002:c000:0201::1]", "[2002:a9fe:aa03::1]",
};

static bool all_ports(const struct policy *p, const char *address, bool open_53, enum hg_verdict want)
{
	static const char *const ports[] = {"1/tcp", "52/tcp", "54/tcp", "80/tcp", "80/udp", "65535/tcp"};
	char text[100];
	bool ok = true;

	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++) {
		snprintf(text, sizeof(text), "%s:%s", address, ports[i]);
		ok &= decide_endpoint(p, HG_CONNECT, text) == want;
	}
	snprintf(text, sizeof(text), "%s:53/udp", address);
	return ok && (open_53 || decide_endpoint(p, HG_CONNECT, text) == want);
}

/* Under a policy that opens the whole network behind `preset`, which has no-doors in it. */
static void each_metadata(const char *preset)
{
	char text[200], form[60];
	unsigned b[4];
	struct loaded l;

	snprintf(text, sizeof(text), "version: 1\nextends: [%s, network]\nrules:\n  - allow connect *:*\n",
		 preset);
	l = load_text(text, strlen(text), &params);
	if (!tap_ok(&tap, !l.err, "%s, network opened", preset))
		show_diags(&l.d);
	for (size_t i = 0; !l.err && i < sizeof(metadata) / sizeof(*metadata); i++) {
		const struct metadata *m = &metadata[i];

		tap_ok(&tap, all_ports(l.p, m->address, m->open, HG_DENY), "%s: %s is closed", preset,
		       m->address);
		if (sscanf(m->address, "%u.%u.%u.%u", b, b + 1, b + 2, b + 3) != 4)
			continue;
		for (unsigned k = 0; k < 4; k++) {
			snprintf(form, sizeof(form),
				 k == 0	  ? "[64:ff9b::%02x%02x:%02x%02x]"
				 : k == 1 ? "[2002:%02x%02x:%02x%02x::]"
				 : k == 2 ? "[2002:%02x%02x:%02x%02x:1:2:3:4:5]"
					  : "[::ffff:%02x%02x:%02x%02x]",
				 b[0], b[1], b[2], b[3]);
			tap_ok(&tap, all_ports(l.p, form, k == 3 && m->open, HG_DENY),
			       "%s: %s is closed", preset, form);
		}
	}
	for (size_t i = 0; !l.err && i < sizeof(neighbours) / sizeof(*neighbours); i++)
		tap_ok(&tap, all_ports(l.p, neighbours[i], false, HG_ALLOW), "%s: %s is open", preset,
		       neighbours[i]);
	unload(&l);
	/* As it is shipped. */
	l = load_file(preset, &params);
	for (size_t i = 0; !l.err && i < sizeof(metadata) / sizeof(*metadata); i++)
		tap_ok(&tap, all_ports(l.p, metadata[i].address, metadata[i].open, HG_DENY),
		       "%s as shipped: %s is closed", preset, metadata[i].address);
	for (size_t i = 0; !l.err && i < sizeof(neighbours) / sizeof(*neighbours); i++)
		tap_ok(&tap,
		       all_ports(l.p, neighbours[i], false,
				 strcmp(preset, "full-access") ? HG_DENY : HG_ALLOW),
		       "%s as shipped: %s is %s", preset, neighbours[i],
		       strcmp(preset, "full-access") ? "closed" : "open");
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
	for (unsigned k = 0; k < N_PRESETS; k++)
		each_metadata(names[k]);
	each_metadata("no-doors");
	return tap_done(&tap);
}
