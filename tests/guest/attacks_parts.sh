#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# A superblock of which several parts are mounted, none of them above another: subvolumes of a btrfs
# as distributions lay it out, directories of a file system that is not mounted as a whole. A file of
# one must not be taken for another's, whatever is mounted and unmounted meanwhile.
# These functions run in a shell of their own: $1... are their arguments.
# shellcheck disable=SC2016,SC2317,SC2329
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

S=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
P=/srv/parts
export S P R=$P/root H=$P/home L=$P/later N=$P/snap TOP=$P/top WS=$P/ws E=$P/whole X=$P/x Y=$P/y

modprobe -q btrfs
modprobe -q loop
mount --make-rprivate /
mkdir -p $R $H $L $N $TOP $WS/m $WS/n $E $X $Y $P/many/{0..17} $P/one
chmod 777 $WS

# fill DIR WORD: in one order, so that inodes have the same numbers everywhere.
fill()
{
	local d

	mkdir -p "$1"/{a,b}/deep
	for d in a b a/deep b/deep; do echo "$S $2 $d" >"$1/$d/key"; done
	chown -R 1000:1000 "$1"
}
truncate -s 200M /scratch/b.img && need mkfs.btrfs -q /scratch/b.img
DEV=$(losetup -f --show /scratch/b.img)
export DEV
need mount "$DEV" $TOP
for v in @ @home @later @hidden; do
	need btrfs -q subvolume create $TOP/$v
	fill $TOP/$v "${v#@}"
done
need btrfs -q subvolume create $TOP/@/nested
fill $TOP/@/nested nested
# Hard links within a subvolume, and a program, which can be run without being read.
ln $TOP/@/a/key $TOP/@/b/alias
mkdir $TOP/@/{c,d}
sed "s/@@@@@@@@MARKER-GOES-HERE@@@@@@@@/$S/" "$ACTS/tool" >$TOP/@/c/tool && chmod 755 $TOP/@/c/tool
ln $TOP/@/c/tool $TOP/@/d/tool
need btrfs -q subvolume snapshot $TOP/@ $TOP/@snap
for d in a b a/deep b/deep; do echo "$S snap $d" >$TOP/@snap/$d/key; done
umount $TOP
need mount -o subvol=@ "$DEV" $R
need mount -o subvol=@home "$DEV" $H
need mount -o subvol=@snap "$DEV" $N
# Two directories of an ext4, and a single file; hard links between them.
truncate -s 32M /scratch/e.img && need mke2fs -q -t ext4 /scratch/e.img
EDEV=$(losetup -f --show /scratch/e.img)
export EDEV
need mount "$EDEV" $E
fill $E/x x && fill $E/y y && fill $E/z z
ln $E/x/a/key $E/y/a/linked
ln $E/y/b/key $E/single
touch $P/one/file
mount --bind $E/x $X && mount --bind $E/y $Y && mount --bind $E/single $P/one/file && need umount $E
# More directories than can be told apart.
truncate -s 32M /scratch/f.img && need mke2fs -q -t ext4 /scratch/f.img
need mount -o loop /scratch/f.img $E
for i in {0..17}; do
	mkdir $E/dir$i && echo "$S many $i" >$E/dir$i/key && mount --bind $E/dir$i $P/many/$i
done
need umount $E

cat >"$T/parts.yaml" <<END
version: 1
name: parts
rules:
  - allow read,exec /**
  - allow write $WS/** $R/b/** $R/nested/b/** $H/a/** $X/b/** $Y/a/** /dev/null
  - allow write /proc/[0-9]*/{uid_map,gid_map,setgroups}
  - allow use userns mount chroot cap:SYS_ADMIN
  - deny all $R/a/** $R/nested/a/** $H/b/** $L/b/** $N/b/** $X/a/** $Y/b/** $E/z/b/**
  - deny read $R/c/**
  - deny exec $N/c/**
END
[ "${CONTROL_ONLY-}" ] || agent_attach agent "$T/parts.yaml"
mkdir -p "$CG/control"

UIDS='1000 0'
# as WHO UID FUNCTION [ARG...]: output in $T/out.
as()
{
	in_turn "$1" "$2" bash -c "$(declare -f "$3")"$'\n''cd /; "$@"' sh "${@:3}"
	return $code
}
# closed NAME FUNCTION [ARG...]: shows the secret, but to no agent. -u UID: to this user alone.
closed()
{
	local uids=$UIDS uid name

	[ "$1" != -u ] || { uids=$2; shift 2; }
	name=$1
	shift
	for uid in $uids; do
		as control "$uid" "$@"
		if ! grep -qaF "$S" "$T/out"; then
			not_ok "uid $uid: $name" 'no effect without confinement' "$(said)"
			continue
		fi
		[ ! "${CONTROL_ONLY-}" ] || { ok "uid $uid: $name"; continue; }
		as agent "$uid" "$@"
		if grep -qaF "$S" "$T/out"; then
			not_ok "uid $uid: $name" 'THE ATTACK SUCCEEDS' "$(said)"
		else
			ok "uid $uid: $name"
		fi
	done
}
# open NAME WORD FUNCTION [ARG...]: shows this one to an agent.
open()
{
	local uid uids=$UIDS name word

	[ "$1" != -u ] || { uids=$2; shift 2; }
	name=$1 word=$2
	shift 2
	for uid in $uids; do
		[ ! "${CONTROL_ONLY-}" ] || { ok "uid $uid: $name"; continue; }
		as agent $uid "$@"
		if grep -qaF "$S $word" "$T/out"; then ok "uid $uid: $name"; else not_ok "uid $uid: $name" "$(said)"; fi
	done
}
show() { cat "$1"; }
sees() { in_cgroup agent 1000 grep -q "$S $2" "$1" 2>/dev/null; }
not_sees() { ! in_cgroup agent 1000 cat "$1" 2>/dev/null | grep -q "$S"; }
# named NAME PATH WORD: what was mounted has its name, after a while.
named() { [ "${CONTROL_ONLY-}" ] || check "$1: named after a while" wait_for 20 sees "$2" "$3"; }
all_four() { cat $R/a/key $H/b/key; cat $R/b/key $H/a/key | sed "s/$S/open/"; }
# both NAME: what is closed and what is open in both of them, after something has happened.
both()
{
	closed -u 1000 "$1: closed in both" all_four
	[ "${CONTROL_ONLY-}" ] && return
	check "$1: open in both" sh -c "grep -q '^open  b' $T/out && grep -q '^open home a' $T/out"
}

# ---- two subvolumes, and one in one of them ----
same() { [ "$(stat -c %i $R/a/deep/key)" = "$(stat -c %i $H/a/deep/key)" ]; }
check 'files have the same numbers in both' same
closed 'closed in one' show $R/a/key
open 'open in one' ' b' show $R/b/key
closed 'closed in the other' show $H/b/key
open 'open in the other' 'home a' show $H/a/key
both 'subvolumes'
closed 'nested: closed' show $R/nested/a/key
open 'nested: open' 'nested b' show $R/nested/b/key
closed 'deeper: closed in one' show $R/a/deep/key
closed 'deeper: closed in the other' show $H/b/deep/key
in_turns()
{
	cat {$H/a,$H/a/deep,$R/b,$R/b/deep,$R/nested/b}/{key,key,key} >/dev/null
	cat {$R/a,$R/a/deep,$H/b,$H/b/deep,$R/nested/a}/key
}
closed 'with directories in the cache' in_turns
open 'a snapshot: open' 'snap a/deep' show $N/a/deep/key
closed 'a snapshot: closed' show $N/b/key
closed 'a hard link to what is closed' show $R/b/alias
# Both have one inode number and generation, and other rights are taken from each.
closed 'a program by its other name: reading in one' show $R/d/tool
run() { "$1"; }
closed 'a program by its other name: running in the snapshot' run $N/d/tool
told()
{
	in_cgroup agent 1000 cat $R/a/key $H/b/key 2>/dev/null
	wait_for 5 sh -c "$HG tail --json -n 20 | jq -e -s 'map(.file.path) |
		index(\"$R/a/key\") and index(\"$H/b/key\")'"
}
[ "${CONTROL_ONLY-}" ] || check 'events have the names' told
explained() { ! "$HG" explain --policy "$T/parts.yaml" read "$1" >"$T/explained"; }
[ "${CONTROL_ONLY-}" ] || check 'explain: has them, too' explained $H/b/key

# ---- by another way ----
bound() { unshare -Urm bash -c 'mount --bind "$1" "$WS/m" && cat "$WS/m/key"' sh "$1"; }
closed 'own namespace: a closed folder bound' bound $R/a
closed 'own namespace: of the other' bound $H/b
open 'own namespace: an open folder' 'home a' bound $H/a
over() { unshare -Urm bash -c 'mount --bind "$1" "$2" && cat "$2/key"' sh "$1" "$2"; }
closed 'own namespace: bound over the open one of the other' over $R/a $H/a
open 'own namespace: an open one over a closed one' 'home a' over $H/a $R/a
swapped() { unshare -Urm bash -c 'mount --rbind "$R" "$WS/m" && mount --rbind "$H" "$WS/n" && mount --move "$WS/m" "$H"; cat "$H/a/key"'; }
closed 'own namespace: one part on top of the other' swapped
rooted() { unshare -Ur chroot "$1" "${3-/bin/cat}" "$2" || unshare -Urm bash -c 'mount --rbind / "$WS/m" && chroot "$WS/m" cat "$1$2"' sh "$1" "$2"; }
closed 'chroot' rooted $H /b/key
closed -u 0 'by handle, on the mount of the other' "$ACTS/read" handle $R/a/key $H
closed -u 0 'by handle, the other way round' "$ACTS/read" handle $H/b/key $R
open -u 0 'by handle: an open one' 'home a' "$ACTS/read" handle $H/a/key $R
up() { cd $H/a && cat ../../root/a/key; }
closed 'by ..' up
linked() { rm -f $R/b/mine; ln $R/a/key $R/b/mine && cat $R/b/mine; rm -f $R/b/mine; }
closed 'a hard link of its own' linked
renamed() { mv $R/a/key $R/b/moved && cat $R/b/moved; mv $R/b/moved $R/a/key; }
closed 'renamed within a part' renamed
copied() { cp $R/b/key $H/a/copy && cat $H/a/copy; rm -f $H/a/copy; }
open 'copied from what is open to what is open' ' b' copied

# ---- the whole, mounted by an agent that may ----
private() { unshare -m bash -c 'mount -t btrfs -o subvolid=5 "$DEV" "$WS/m" && cat "$WS/m/$1"' sh "$1"; }
closed -u 0 'own top level: closed in one' private @/a/key
closed -u 0 'own top level: closed in the other' private @home/b/key
closed -u 0 'own top level: in neither' private @hidden/a/key
open -u 0 'own top level: what is open' 'home a' private @home/a/key
across()
{
	unshare -m bash -c 'mount -t btrfs -o subvolid=5 "$DEV" "$WS/m" && cd "$WS/m" && mv "$1" "$2" && cat "$3"
		[ ! -e "$2" ] || mv "$2" "$1"' sh "$@"
}
closed -u 0 'own top level: a subvolume renamed into the other part' \
	across @/nested @home/a/nested @home/a/nested/a/key
closed -u 0 'own top level: and out of all parts' across @/nested nested nested/a/key
closed -u 0 'own top level: a part renamed into the other' across @ @home/a/at @home/a/at/a/key
closed -u 0 'own top level: a part that is moved away' across @ away away/a/key
closed -u 0 'own top level: exchanged directories' across @home/b @home/a/was @home/a/was/key
both 'afterwards'

# ---- directories of a file system that is not mounted as a whole ----
closed 'directories: closed in one' show $X/a/key
open 'directories: open in one' 'x b' show $X/b/key
closed 'directories: closed in the other' show $Y/b/key
open 'directories: open in the other' 'y a' show $Y/a/key
closed 'directories: a hard link in the other' show $Y/a/linked
closed 'a file that is mounted alone: a hard link' show $P/one/file
whole()
{
	unshare -m bash -c 'mount -t ext4 "$EDEV" "$WS/m" && cd "$WS/m" && rm -f y/a/new && "$1" "$2" y/a/new && cat y/a/new
		[ "$1" != mv ] || [ ! -e y/a/new ] || mv y/a/new "$2"; rm -f y/a/new' sh "$@"
}
closed -u 0 'own mount of the whole: renamed from one to the other' whole mv x/a/key
closed -u 0 'own mount of the whole: linked' whole ln x/a/key
closed -u 0 'own mount of the whole: from outside of all parts' whole ln z/a/key
open -u 0 'own mount of the whole: copied from what is open' 'x b' whole cp x/b/key
open 'many parts: the first' 'many 0' show $P/many/0/key
open 'many parts: the last one that has a name' 'many 15' show $P/many/15/key
closed 'many parts: one too many' show $P/many/16/key
if [ ! "${CONTROL_ONLY-}" ]; then
	check 'many parts: told' sh -c "$HG doctor | grep -q 'many/16.*too many other parts'"
	umount $P/many/3
	named 'many parts: one gone, and another' $P/many/16/key 'many 16'
	check 'many parts: the last still has none' not_sees $P/many/17/key
fi

# ---- mounted and unmounted while agents run ----
UIDS=1000
# All the while somebody tries.
try_on()
{
	while :; do
		cat $R/a/key $H/b/key $R/nested/a/key $TOP/@/a/key $TOP/@home/b/key $L/b/key $H/a/../b/key
		cat $R/b/key $H/a/key >/dev/null
		sleep 0.1
	done 2>/dev/null
}
not_leaked() { [ ! -s "$T/leaks" ]; }
if [ ! "${CONTROL_ONLY-}" ]; then
	LIMIT=600 in_cgroup agent 0 bash -c "$(declare -f try_on); try_on" >"$T/leaks" &
	disown
fi
need mount -o subvol=@later "$DEV" $L
named 'mounted later' $L/a/key 'later a'
closed 'mounted later: closed' show $L/b/key
both 'beside what is mounted later'
exec 7<$H 8<$H/a
need umount -l $H
closed 'one unmounted: the other' show $R/a/key
open 'one unmounted: the other open' ' b' show $R/b/key
closed 'one unmounted: by a descriptor' show /proc/self/fd/7/b/key
need mount -o subvol=@hidden "$DEV" $H
named 'another one in its place' $H/a/key 'hidden a'
closed 'another one in its place: closed' show $H/b/key
closed 'another one in its place: the one before' show /proc/self/fd/7/a/deep/key
closed 'another one in its place: closed before' show /proc/self/fd/7/b/key
exec 7<&- 8<&-
need wait_for 10 umount $H
need mount -o subvol=@home "$DEV" $H
named 'the first one again' $H/a/key 'home a'
both 'the first one again'
need mount -o subvolid=5 "$DEV" $TOP
named 'all of it' $TOP/@hidden/b/key 'hidden b'
both 'with all of it'
closed 'with all of it: there, too' show $TOP/@/a/key
closed 'with all of it: of the other' show $TOP/@home/b/key
open 'with all of it: what is open' 'home a' show $TOP/@home/a/key
exec 7<$TOP
need umount -l $TOP
named 'without it again' $R/b/key ' b'
both 'without it again'
[ "${CONTROL_ONLY-}" ] || check 'events have the names again' told
closed 'without it: by a descriptor' show /proc/self/fd/7/@/a/key
exec 7<&-
need mount "$EDEV" $E
named 'the whole of directories' $E/z/a/key 'z a'
closed 'the whole of directories: closed' show $E/x/a/key
closed 'the whole of directories: by its own name' show $E/z/b/key
need wait_for 10 umount $E
named 'what is left of it' $X/b/key 'x b'
closed 'what is left of it: closed' show $X/a/key
closed 'what is left of it: of the other' show $Y/b/key
closed 'what is left of it: the hard link' show $Y/a/linked
if [ ! "${CONTROL_ONLY-}" ]; then
	cgroup_end agent
	check 'never a secret, all the while' not_leaked
fi
finish
