#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# Requests (ioctl) that file systems take on descriptors opened for reading: copies of whole trees
# under other names, new names, attributes, the file system as a whole.
# These functions run in a shell of their own: $1... are their arguments.
# shellcheck disable=SC2016,SC2317,SC2329
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"
. "$here/arena.sh"

modprobe btrfs
modprobe loop
arena_make
truncate -s 200M /scratch/b.img && need mkfs.btrfs -q /scratch/b.img
# Without checksums the generation of an inode may be set.
need mke2fs -q -t ext4 -b 4096 -O ^metadata_csum,verity /scratch/e.img 32M
mkdir -p /srv/b /srv/e
need mount -o loop,user_subvol_rm_allowed /scratch/b.img /srv/b
need mount -o loop /scratch/e.img /srv/e

secret=${mark[closed]}
b_make()
{
	btrfs -q subvolume create /srv/b/volume 2>/dev/null
	mkdir -p /srv/b/volume/private
	echo "$secret" >/srv/b/volume/private/key
	mkdir -p /srv/b/ws /srv/b/outside /srv/b/closed /srv/e/ws /srv/e/outside
	btrfs -q subvolume create /srv/b/outside/sub 2>/dev/null
	btrfs -q subvolume create /srv/b/ws/sub 2>/dev/null
	rm -f /srv/e/{ws,outside}/key
	touch /srv/e/{ws,outside}/key
	chown -R 1000:1000 /srv/b/* /srv/e/ws /srv/e/outside
	sync
}
b_clean()
{
	local v

	"$ACTS/fsctl" thaw /srv/e
	e2label "$(findmnt -n -o SOURCE /srv/e)" ''
	btrfs property set -f -ts /srv/b/volume ro false
	btrfs property set -f -ts /srv/b/outside/sub ro false 2>/dev/null
	btrfs property set -f -ts /srv/b/ws/sub ro false 2>/dev/null
	for v in /srv/b/ws/* /srv/b/outside/*; do
		btrfs property set -f -ts "$v" ro false 2>/dev/null
		btrfs -q subvolume delete "$v" 2>/dev/null
	done
	b_make
}
b_make
[ "${CONTROL_ONLY-}" ] || agent_attach agent "$POLICIES/filesystems.yaml"

fsctl() { "$ACTS/fsctl" "$@"; }
# fs [-u UIDS] NAME EFFECT HONEST-EFFECT FUNCTION...: EFFECT tells of the attack; the function gets
# `outside` or `ws` as its last argument; HONEST-EFFECT `-`: there is no honest use.
fs()
{
	local uids='1000 0' uid name effect honest act

	[ "$1" != -u ] || { uids=$2; shift 2; }
	name=$1 effect=$2 honest=$3 act=("${@:4}")
	for uid in $uids; do
		judged "uid $uid: $name" 'acted control outside; $effect' 'acted agent outside; $effect' \
			'[ "$honest" = - ] || { acted agent ws; $honest; }'
	done
}
acted()
{
	b_clean
	run "$1" "$uid" closed "${act[@]}" "$2"
}
leaked() { grep -qaF "$secret" "$T/out"; }

# ---- btrfs ----
take_snapshot() { "$ACTS/fsctl" snapshot /srv/b/volume /srv/b/ws snap; cat /srv/b/ws/snap/private/key; }
fs 'btrfs: a snapshot under a name where more is allowed' leaked - take_snapshot
new_in() { "$ACTS/fsctl" subvolume "/srv/b/$1" new; }
made_outside() { [ -e /srv/b/outside/new ]; }
fs 'btrfs: a subvolume made' made_outside - new_in
destroy_in() { "$ACTS/fsctl" destroy "/srv/b/$1" sub; }
gone_outside() { [ ! -e /srv/b/outside/sub ]; }
fs 'btrfs: a subvolume destroyed' gone_outside - destroy_in
read_only_in() { "$ACTS/fsctl" read-only "/srv/b/$1/sub"; }
is_read_only() { btrfs property get -ts "/srv/b/$1/sub" ro | grep -q true; }
read_only_outside() { is_read_only outside; }
fs 'btrfs: a subvolume made read-only' read_only_outside - read_only_in
tree_id=$(btrfs inspect-internal rootid /srv/b/volume)
search_tree() { "$ACTS/fsctl" search /srv/b/ws "$1"; }
fs -u 0 'btrfs: contents out of the trees' leaked - search_tree "$tree_id"
send_volume() { "$ACTS/fsctl" read-only /srv/b/volume; "$ACTS/fsctl" send /srv/b/volume; }
fs -u 0 'btrfs: a subvolume as a stream' leaked - send_volume

# ---- ext4 ----
set_in() { "$ACTS/fsctl" "$1" "/srv/e/$2/key"; }
generation_now() { lsattr -v -d "/srv/e/$1/key" | awk '{ print $1 }'; }
is_set_outside() { [[ $(generation_now outside) = 471[12] ]]; }
is_set_ws() { [[ $(generation_now ws) = 471[12] ]]; }
fs 'ext4: generation of an inode' is_set_outside is_set_ws set_in generation
fs 'ext4: generation of an inode, by its older number' is_set_outside is_set_ws set_in generation-ext4
verity_in() { "$ACTS/change" verity "/srv/e/$1/key"; }
has_verity() { lsattr "/srv/e/$1/key" | cut -d ' ' -f 1 | grep -q V; }
has_verity_outside() { has_verity outside; }
has_verity_ws() { has_verity ws; }
fs 'ext4: fs-verity, for good' has_verity_outside has_verity_ws verity_in
on_all() { "$ACTS/fsctl" "$1" /srv/e; }
labelled() { [ "$("$ACTS/fsctl" label-show /srv/e)" = planted ]; }
fs -u 0 'the label of a file system' labelled - on_all label
frozen()
{
	timeout -s KILL 1 sh -c 'echo x >/srv/e/ws/probe' &
	wait $!
	local code=$?
	"$ACTS/fsctl" thaw /srv/e
	[ $code = 137 ]
}
fs -u 0 'a file system frozen' frozen - on_all freeze
dead() { ! ls /srv/e/ws >/dev/null 2>&1 || ! touch /srv/e/ws/probe 2>/dev/null; }
if [ ! "${CONTROL_ONLY-}" ]; then
	run agent 0 closed on_all shutdown
	if dead; then
		not_ok 'uid 0: ext4: the file system shut down' 'THE ATTACK SUCCEEDS' "$(said)"
	else
		ok 'uid 0: ext4: the file system shut down'
	fi
fi

# ---- XFS: by handles of its own, with the flags of the caller, 0x20 (the kernel's mark of a program
# that is run) among them ----
if command -v mkfs.xfs >/dev/null && modprobe -q xfs; then
	truncate -s 320M /scratch/x.img && need mkfs.xfs -q /scratch/x.img
	mkdir -p /srv/x && need mount -o loop /scratch/x.img /srv/x
	mkdir -p /srv/x/closed && echo "$secret" >/srv/x/closed/key
	if [ ! "${CONTROL_ONLY-}" ]; then
		sed 's,^name: filesystems,name: handles,; s,^  - allow use userns,&  cap:SYS_ADMIN,
			$a \  - deny all /srv/x/closed/**' "$POLICIES/filesystems.yaml" >"$T/handles.yaml"
		agent_attach handles "$T/handles.yaml"
	fi
	by_handle() { run "$1" 0 closed fsctl xfs-open /srv/x/closed/key /srv/x "$2"; leaked; }
	for flags in 0 0x20; do
		judged "uid 0: XFS: opened by its handle, flags $flags, with cap:SYS_ADMIN" \
			"by_handle control $flags" "by_handle handles $flags"
	done
else
	skip 'uid 0: XFS: opened by its handle' 'no mkfs.xfs, or no XFS'
fi

# ---- what no file system here knows: refused before it is asked, and told ----
for request in c038586b:XFS_IOC_OPEN_BY_HANDLE c0385869:XFS_IOC_PATH_TO_HANDLE \
	c038586a:XFS_IOC_FD_TO_HANDLE 4020bc10:BCH_IOCTL_SUBVOLUME_CREATE \
	4020bc11:BCH_IOCTL_SUBVOLUME_DESTROY; do
	name=${request#*:}
	for uid in 1000 0; do
		run control $uid closed fsctl unknown /srv/e/ws ${request%:*}
		if ! grep -q unknown "$T/out"; then
			not_ok "uid $uid: $name" 'ext4 answers it' "$(said)"
			continue
		fi
		[ "${CONTROL_ONLY-}" ] && { ok "uid $uid: $name"; continue; }
		run agent $uid closed fsctl unknown /srv/e/ws ${request%:*}
		if grep -q refused "$T/out"; then
			ok "uid $uid: $name is refused"
		else
			not_ok "uid $uid: $name is refused" "$(said)"
		fi
	done
done
told() { "$HG" tail --json --agent agent | jq -e 'select(.file.path == "/srv/e/ws")' | grep -q privilege; }
[ "${CONTROL_ONLY-}" ] || check 'and the event says so' wait_for 5 told
finish
