#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# Doors to someone else's hands, under the widest policy that a user can write on a shipped one:
# full-access, and every socket allowed. Sockets are judged by what their listeners received, files
# by whether a process outside every agent ran the agent's program, or would find the file.
# shellcheck disable=SC2016
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

S=$ACTS/sockets
export S WS=/srv/doors PROOF=/srv/doors-proof/ran PAYLOAD=/srv/doors/payload
H=/home/agent
got=$T/received
mkdir -p "$CG/control" "$WS" "${PROOF%/*}"
chmod 777 "$WS" "${PROOF%/*}"
printf '#!/bin/sh\necho ran >>%s\nexit 0\n' "$PROOF" >"$PAYLOAD"
chmod 755 "$PAYLOAD"

# ---- sockets ----
doors=(
	/run/docker.sock /run/containerd/containerd.sock /run/podman/podman.sock
	/run/user/1000/podman/podman.sock /run/user/1000/docker.sock /run/crio/crio.sock
	/run/buildkit/buildkitd.sock /run/dbus/system_bus_socket /run/user/1000/bus
	/run/systemd/private-door /run/user/1000/systemd/private
	/run/systemd/resolve/io.systemd.Resolve /run/systemd/io.system.ManagedOOM
	/run/systemd/userdb/io.systemd.DynamicUser /run/systemd/journal/door /run/nscd/socket
	/tmp/.X11-unix/X9 @/tmp/.X11-unix/X9 @/tmp/.ICE-unix/9 /run/user/1000/wayland-0
	/run/user/1000/pipewire-0 /tmp/ssh-XXXXabcd/agent.9 /run/user/1000/keyring/ssh
	$H/.ssh/agent/s.door $H/.gnupg/S.gpg-agent /run/user/1000/gnupg/S.gpg-agent
	/tmp/tmux-1001/default /run/screen/S-agent/9.door $H/.screen/9.door /run/snapd.socket
	/run/lxd/lxd.socket /var/lib/lxd/unix.socket /run/libvirt/libvirt-sock
	/run/avahi-daemon/socket /run/cups/cups.sock /run/uuidd/request /run/udev/control-door
	@/tmp/dbus-AbCdEf @/org/kernel/linux/storage/multipathd @/com/ubuntu/upstart
	@/containerd-shim/door.sock /run/sudo/door /srv/elsewhere/docker.sock
)
serving=()
for door in "${doors[@]}"; do
	case $door in
	@*) ;;
	*) mkdir -p "${door%/*}" ;;
	esac
	serving+=(stream "$door")
done
mkdir -p /run/postgresql
chown -R 1000:1000 "$H" /run/user/1000
"$S" serve "$got" "${serving[@]}" stream /run/postgresql/honest stream @honest >"$T/serve" &
need wait_for 10 grep -q serving "$T/serve"

cat >"$T/wide.yaml" <<END
version: 1
name: wide
extends: full-access
workspace: $WS
rules:
  - allow unix /** @** agent:*
  - allow listen @**
END
mkdir -p "$CG/wide"
need "$HG" attach --cgroup "$CG/wide" --name wide --user agent --policy "$T/wide.yaml"

# knock WHO UID: to every door with a word of its own
knock()
{
	: >"$got"
	LIMIT=60 in_cgroup "$1" "$2" bash -c '
		for door; do "$S" send stream "$door" "[$door]"; done' sh \
		"${doors[@]}" /run/postgresql/honest @honest >"$T/out" 2>&1
	sleep 0.3
}
for who in control wide; do
	for uid in 1000 0; do
		knock $who $uid
		cp "$got" "$T/$who.$uid"
	done
done
for uid in 1000 0; do
	for door in "${doors[@]}"; do
		if ! grep -qF "[$door]" "$T/control.0"; then
			not_ok "uid $uid: $door" 'nothing arrives without confinement'
		elif grep -qF "[$door]" "$T/wide.$uid"; then
			not_ok "uid $uid: $door" 'THE ATTACK SUCCEEDS'
		else
			ok "uid $uid: $door"
		fi
	done
	for door in /run/postgresql/honest @honest; do
		check "uid $uid: honest: $door" grep -qF "[$door]" "$T/wide.$uid"
	done
done

# Whoever resolves names for others would carry them out, whatever names a policy allows.
resolving=(
	/run/systemd/resolve/io.systemd.Resolve /run/systemd/resolve/io.systemd.Resolve.Monitor
	/run/nscd/socket /run/dbus/system_bus_socket /run/avahi-daemon/socket
)
serving=()
for door in "${resolving[@]}" /run/lookup/honest; do
	mkdir -p "${door%/*}"
	serving+=(stream "$door")
done
"$S" serve "$T/resolved" "${serving[@]}" >"$T/serve2" &
need wait_for 10 grep -q serving "$T/serve2"
asks()
{
	: >"$T/resolved"
	in_cgroup "$1" "$2" bash -c 'for door; do "$S" send stream "$door" "[$door]"; done' sh \
		"${resolving[@]}" /run/lookup/honest >"$T/out" 2>&1
	sleep 0.3
}
asks control 1000
cp "$T/resolved" "$T/resolved.control"
for of in read-only workspace-write strict full-access none; do
	extends="[$of, network]" and=
	# Of none of the modes, a rule opens one of them.
	[ $of != none ] || { extends='[any-read, network]' and=' /run/nscd/socket'; }
	printf 'version: 1\nname: of-%s\nextends: %s\nworkspace: %s\nvars: { endpoints: api.test }\nrules:\n  - %s\n  - %s\n' \
		$of "$extends" "$WS" "allow read,exec $SRC/**" "allow unix /run/lookup/**$and" >"$T/of.yaml"
	mkdir -p "$CG/of-$of"
	need "$HG" attach --cgroup "$CG/of-$of" --name of-$of --user agent --policy "$T/of.yaml"
	for uid in 1000 0; do
		asks of-$of $uid
		for door in "${resolving[@]}"; do
			want=closed reached=closed
			[ "$of$door" != none/run/nscd/socket ] || want=open
			! grep -qF "[$door]" "$T/resolved" || reached=open
			if ! grep -qF "[$door]" "$T/resolved.control"; then
				not_ok "uid $uid: $of with network: $door" 'nothing arrives without confinement'
			elif [ $reached = $want ]; then
				ok "uid $uid: $of with network: $door is $want"
			else
				not_ok "uid $uid: $of with network: $door" "it is $reached"
			fi
		done
		check "uid $uid: $of with network: a socket that a rule opens" grep -qF '[/run/lookup/honest]' "$T/resolved"
	done
	agent_detach of-$of
done

# ---- files and switches ----
# Puts back what an attack without confinement has changed.
saved=()
keep()
{
	local at

	for at; do
		saved+=("$at")
		[ ! -e "$at" ] || cp -a "$at" "$T/kept.${at//\//_}"
	done
}
put_back()
{
	local at

	for at in "${saved[@]}"; do
		rm -rf "$at"
		[ ! -e "$T/kept.${at//\//_}" ] || cp -a "$T/kept.${at//\//_}" "$at"
	done
	rm -f "$PROOF"
}

# door [-n NEEDED] UID NAME SCRIPT VICTIM: the agent runs SCRIPT, then a process outside VICTIM. Where
# NEEDED fails, the machine has no such door.
door()
{
	local who needed=true

	[ "$1" != -n ] || { needed=$2; shift 2; }
	if ! bash -c "$needed"; then
		skip "uid $1: $2" "there is none on this machine: $needed"
		return
	fi
	for who in control wide; do
		put_back
		in_cgroup $who "$1" bash -c "$3" >"$T/out" 2>&1
		bash -c "$4" >"$T/victim" 2>&1
		sleep 0.1
		if [ $who = control ] && [ ! -e "$PROOF" ]; then
			not_ok "uid $1: $2" 'no effect without confinement' "$(cat "$T/out" "$T/victim")"
			break
		elif [ $who = wide ] && [ -e "$PROOF" ]; then
			not_ok "uid $1: $2" 'THE ATTACK SUCCEEDS' "$(cat "$T/out")"
		elif [ $who = wide ]; then
			ok "uid $1: $2"
		fi
	done
	put_back
}
person='setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/home/agent'

keep $H/.bashrc $H/.profile $H/.bash_aliases $H/.bash_profile $H/.zshenv $H/.inputrc
for file in .bashrc .bash_aliases; do
	door 1000 "~/$file, run by the next shell" "echo '$PAYLOAD' >>$H/$file" \
		"$person bash -ic '. $H/$file'"
done
door 1000 '~/.profile, run by the next login' "echo $PAYLOAD >>$H/.profile" "$person bash -lc true"
door 1000 '~/.bash_profile, not there yet' "echo $PAYLOAD >$H/.bash_profile" "$person bash -lc true"
door 1000 '~/.bash_profile, by rename' "echo $PAYLOAD >$H/x; mv $H/x $H/.bash_profile" \
	"$person bash -lc true"
door 1000 '~/.bash_profile, by hard link' "echo $PAYLOAD >$H/x; ln $H/x $H/.bash_profile" \
	"$person bash -lc true; rm -f $H/x"
door 1000 '~/.bash_profile, by symbolic link' "ln -s $PAYLOAD $H/.bash_profile" "$person bash -lc true"
keep /etc/profile.d/door.sh /etc/ld.so.preload /etc/bash.bashrc
door 0 '/etc/profile.d' "echo $PAYLOAD >/etc/profile.d/door.sh" "$person bash -lc true"
door 0 '/etc/bash.bashrc' "echo $PAYLOAD >>/etc/bash.bashrc" "$person bash -ic true"

pattern=$(</proc/sys/kernel/core_pattern)
door 0 'core_pattern, run by the kernel at a crash' "echo '|$PAYLOAD' >/proc/sys/kernel/core_pattern" "
	(ulimit -c unlimited; sh -c 'kill -SEGV \$\$'); sleep 0.3; echo '$pattern' >/proc/sys/kernel/core_pattern"
modprobe=$(</proc/sys/kernel/modprobe)
door 0 'the modprobe path, run for an unknown format' "echo $PAYLOAD >/proc/sys/kernel/modprobe" "
	printf '\377\377\377\377' >$T/unknown; chmod 755 $T/unknown; $T/unknown; sleep 0.3
	echo '$modprobe' >/proc/sys/kernel/modprobe"
door -n '[ -e /sys/kernel/uevent_helper ]' 0 'uevent_helper' "echo $PAYLOAD >/sys/kernel/uevent_helper" '
	echo change >/sys/class/mem/null/uevent; sleep 0.3; echo >/sys/kernel/uevent_helper'
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc 2>/dev/null
door -n '[ -e /proc/sys/fs/binfmt_misc/register ]' 0 'binfmt_misc' \
	"echo ':door:M::DOOR::$PAYLOAD:' >/proc/sys/fs/binfmt_misc/register" "
	echo DOOR >$T/doorfile; chmod 755 $T/doorfile; $T/doorfile
	echo -1 >/proc/sys/fs/binfmt_misc/door"

# A person's terminal, which runs what is typed into it.
$person env TMUX_TMPDIR=/tmp tmux -f /dev/null new-session -d -s victim sh
door 1000 'tmux, keys sent to another session' '
	TMUX_TMPDIR=/tmp tmux send-keys -t victim "$PAYLOAD" Enter; sleep 0.5' 'sleep 0.2'
$person env TMUX_TMPDIR=/tmp tmux kill-server

# What nothing on this machine reads at once: a person, cron or init would find it.
plant()
{
	local at=$2

	keep "$at"
	door "$1" "$at, found later" "mkdir -p '${at%/*}'; echo $PAYLOAD >>'$at'" \
		"grep -qs '$PAYLOAD' '$at' && $PAYLOAD"
}
chmod 777 "$WS"
for at in $H/.config/systemd/user/x.service $H/.config/autostart/x.desktop $H/.ssh/authorized_keys \
	$H/.ssh/rc $H/.zshenv $H/.config/fish/config.fish $H/.vimrc $H/.gitconfig $H/.npmrc \
	$H/.claude/settings.json $H/.claude/CLAUDE.md $H/.codex/config.toml $H/.cursor/mcp.json \
	$H/.config/Code/User/settings.json $WS/.mcp.json $WS/.claude/settings.local.json \
	$WS/.claude/commands/x.md $WS/.codex/config.toml $WS/.cursor/mcp.json $WS/.vscode/tasks.json \
	$WS/.idea/runConfigurations/x.xml $WS/.envrc $WS/deep/er/.envrc; do
	plant 1000 "$at"
done
for at in /etc/cron.d/x /etc/crontab /var/spool/cron/crontabs/root /var/spool/cron/atjobs/x \
	/var/spool/at/x /etc/systemd/system/x.service /run/systemd/system/x.service \
	/usr/lib/systemd/system-generators/x /etc/rc.local /etc/sudoers.d/x /etc/pam.d/x \
	/etc/security/pam_env.conf /root/.ssh/authorized_keys /etc/ld.so.preload /etc/ld.so.conf.d/x.conf \
	/etc/gitconfig /etc/modprobe.d/x.conf /etc/modules-load.d/x.conf /etc/udev/rules.d/x.rules \
	/etc/binfmt.d/x.conf /etc/sysctl.d/x.conf /etc/tmpfiles.d/x.conf /etc/polkit-1/rules.d/x.rules \
	/etc/dbus-1/system.d/x.conf /etc/xdg/autostart/x.desktop /etc/update-motd.d/99-x \
	/etc/logrotate.d/x /etc/apt/apt.conf.d/x /etc/network/if-up.d/x /etc/docker/daemon.json; do
	plant 0 "$at"
done
check 'honest: notes beside them' in_cgroup wide 1000 sh -c "
	mkdir -p $WS/.vscode $H/.config/app && echo x >$WS/.vscode/extensions.json &&
	echo x >$H/.config/app/x && echo x >$WS/CLAUDE.md && echo x >$H/notes && rm $H/notes"
agent_detach wide
kill %1
finish
