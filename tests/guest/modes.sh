#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the shipped policies mean, cell by cell, with real commands. As an ordinary user, but for
# packages, which only root installs anywhere.
# shellcheck disable=SC2016
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

WS=/srv/modes
ADDRESS=192.0.2.10
LIMIT=60

# A project, a secret, a place outside; a listener and a git server on an address that is no loopback.
mkdir -p "$WS" /home/agent/.ssh /srv/elsewhere /srv/git
echo 'the-secret' >/home/agent/.ssh/id_rsa
echo 'public' >/srv/elsewhere/file
git init -q --bare /srv/git/repo.git
git config --system --add safe.directory '*'
touch /srv/git/repo.git/git-daemon-export-ok
git -C /srv/git/repo.git config daemon.receivepack true
chown -R agent "$WS" /home/agent /srv/elsewhere /srv/git
ip addr add "$ADDRESS/32" dev lo
socat -u "TCP-LISTEN:8080,bind=$ADDRESS,reuseaddr,fork" "OPEN:$T/received,creat,append" &
git daemon --base-path=/srv/git --export-all --enable=receive-pack --reuseaddr --detach --user=agent

# A package with a program and a script that runs when it is installed.
mkdir -p "$T/deb/DEBIAN" "$T/deb/usr/bin"
printf 'Package: hydra-sample\nVersion: 1\nArchitecture: all\nMaintainer: a <a@host.example>\nDescription: sample\n' \
	>"$T/deb/DEBIAN/control"
printf '#!/bin/sh\necho installed\n' >"$T/deb/usr/bin/hydra-sample"
chmod 755 "$T/deb/usr/bin/hydra-sample"
need dpkg-deb --root-owner-group -b "$T/deb" /srv/sample.deb

# Every attempt is a shell script that succeeds only by its effect.
declare -A attempt=(
	[read outside]='grep -q public /srv/elsewhere/file && grep -q root: /etc/passwd'
	[read a secret]='grep -q the-secret /home/agent/.ssh/id_rsa'
	[write in the workspace]='echo w$$ >'$WS'/file && grep -q w$$ '$WS'/file && rm '$WS'/file'
	[write outside]='echo w$$ >/srv/elsewhere/new && grep -q w$$ /srv/elsewhere/new && rm /srv/elsewhere/new'
	[network]='echo hello-$$ | socat -u - TCP:'$ADDRESS':8080 && sleep 0.3 && grep -q hello-$$ '$T'/received'
	[install packages]='dpkg -i /srv/sample.deb && [ "$(hydra-sample)" = installed ] && dpkg -P hydra-sample'
	[git commit]='cd '$WS' && { test -d p || git init -q -b main p; } && cd p &&
		echo $$ >f && git add f && git -c user.email=a@host.example -c user.name=a commit -qm c && git log -1 | grep -q commit'
	[git push]='cd '$WS'/p && git push -q git://'$ADDRESS'/repo.git HEAD:b$$ &&
		git ls-remote git://'$ADDRESS'/repo.git b$$ | grep -q b$$'
)
touch "$T/received"
chmod 755 "$T"
chmod 644 "$T/received"

# can WHO UID WHAT
can()
{
	in_cgroup "$1" "$2" env HOME=/home/agent PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c "${attempt[$3]}" \
		>"$T/can" 2>&1
}

# cell POLICY WHAT yes|no
cell()
{
	local uid=1000 got=no

	[ "$2" = 'install packages' ] && uid=0
	can "$1" $uid "$2" && got=yes
	if [ $got = "$3" ]; then
		ok "$1: $2: $3"
	else
		not_ok "$1: $2: $3, but it is $got" "$(cat "$T/can")" \
			"$("$HG" tail --agent "$1" | tail -n 5)"
	fi
}

# Without confinement all of it works, or a "no" below would say nothing.
mkdir -p "$CG/control"
for what in 'read outside' 'read a secret' 'write in the workspace' 'write outside' network \
	'install packages' 'git commit' 'git push'; do
	uid=1000
	[ "$what" = 'install packages' ] && uid=0
	if can control $uid "$what"; then
		ok "unconfined: $what: yes"
	else
		not_ok "unconfined: $what" "$(cat "$T/can")"
	fi
done

policy()
{
	printf 'version: 1\nname: %s\nextends: %s\nworkspace: %s\n' "$1" "$1" "$WS" >"$T/$1.yaml"
	mkdir -p "$CG/$1"
	need "$HG" attach --cgroup "$CG/$1" --name "$1" --user agent --policy "$T/$1.yaml"
}

while read -r what read_only workspace_write full_access; do
	what=${what//_/ }
	[ -d "$CG/read-only" ] || { policy read-only; policy workspace-write; policy full-access; policy strict; }
	cell read-only "$what" "$read_only"
	cell workspace-write "$what" "$workspace_write"
	cell full-access "$what" "$full_access"
done <<'END'
read_outside yes yes yes
read_a_secret no no no
write_in_the_workspace no yes yes
write_outside no no yes
network no no yes
install_packages no no yes
git_commit no yes yes
git_push no no yes
END

# strict reads its workspace and the system, nothing else.
attempt[read its workspace]="test -r $WS/p/f && grep -q . $WS/p/f"
attempt[run a program]='[ "$(python3 -c "print(6*7)")" = 42 ]'
attempt[read other people]='ls /home/agent && grep -q public /srv/elsewhere/file'
cell strict 'read its workspace' yes
cell strict 'run a program' yes
cell strict 'write in the workspace' yes
cell strict 'read other people' no
cell strict 'read a secret' no
cell strict 'write outside' no
cell strict 'network' no

for p in read-only workspace-write full-access strict; do
	agent_detach $p
done
finish
