#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# Requests on descriptors that no path rule sees: terminals made to type for somebody else, blocks
# shared with a file that may not be read, attributes; beside what shells and cp do with the same.
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

TERMINAL=$ACTS/terminal
FSCTL=$ACTS/fsctl
mkdir -p "$CG/control"
# Off by default since 6.2; machines turn it on for screen readers.
[ ! -e /proc/sys/dev/tty/legacy_tiocsti ] || sysctl -q -w dev.tty.legacy_tiocsti=1
modprobe -q btrfs
modprobe -q loop
modprobe -q vfat
mkdir -p /srv/b /srv/f/ws /srv/f/outside
truncate -s 200M /scratch/b.img && need mkfs.btrfs -q /scratch/b.img
need mount -o loop /scratch/b.img /srv/b
# One for each right: names on it do not tell files apart.
for dir in ws outside; do
	fat_make /scratch/$dir.img
	need mount -o loop,uid=1000,umask=0 /scratch/$dir.img /srv/f/$dir
done
[ "${CONTROL_ONLY-}" ] || agent_attach agent "$POLICIES/ioctls.yaml"

# go WHO UID CMD...: CMD, with a new word for each @; is the word in its output?
go()
{
	local who=$1 uid=$2
	shift 2

	word=$(new_word)
	in_turn "$who" "$uid" "${@//@/"$word"}"
	grep -qaF "$word" "$T/out"
}

# closed [-u UIDS] NAME CMD...: has its effect without confinement, and none as an agent.
closed()
{
	local uids='1000 0' uid name
	[ "$1" != -u ] || { uids=$2; shift 2; }
	name=$1
	shift

	for uid in $uids; do
		if ! go control "$uid" "$@"; then
			if grep -qa SKIP "$T/out"; then
				skip "uid $uid: $name" "$(grep -a SKIP "$T/out" | tr -cd ' -~')"
			else
				not_ok "uid $uid: $name" 'no effect without confinement' "$(said)"
			fi
		elif [ "${CONTROL_ONLY-}" ] || ! go agent "$uid" "$@"; then
			ok "uid $uid: $name"
		else
			not_ok "uid $uid: $name" 'THE ATTACK SUCCEEDS' "$(said)"
		fi
	done
}
# open NAME CMD...: works as an agent.
open()
{
	local uid name=$1
	shift

	[ ! "${CONTROL_ONLY-}" ] || return 0
	for uid in 1000 0; do
		if go agent $uid "$@"; then
			ok "uid $uid: $name"
		else
			not_ok "uid $uid: $name" 'the honest use does not work' "$(said)" \
				"$("$HG" tail --agent agent | tail -n 2)"
		fi
	done
}

# ---- terminals ----
for way in native compat; do
	closed "a character typed into the terminal, $way" \
		script -qec "$TERMINAL sti $way @" /dev/null
	closed "another line discipline, $way" script -qec "$TERMINAL setd $way @" /dev/null
	closed -u 0 "the console's output taken, $way" script -qec "$TERMINAL cons $way @" /dev/null
	closed -u 0 "a key of the console, $way" "$TERMINAL" keymap $way /dev/tty1 @
	closed -u 0 "the selection of the console, $way" "$TERMINAL" selection $way /dev/tty1 @
done
open 'what a shell asks of its terminal' script -qec "$TERMINAL honest @" /dev/null
open 'job control' script -qec \
	"bash -ic 'sleep 0.1 & fg >/dev/null; stty -echo; stty sane; tty >/dev/null; echo @'" /dev/null
open 'an editor' script -qec "vi -u NONE -c 'q' /etc/hostname </dev/tty; echo @" /dev/null

# ---- blocks ----
guess=$(head -c 8192 /dev/urandom | od -An -tx1 | tr -d ' \n' | head -c 8192)
printf %s "$guess" >/srv/b/secret
printf %s "$guess" >/srv/b/guess
chown 1000:1000 /srv/b /srv/b/*
sync
closed 'a guess about a file that may only be written' "$FSCTL" dedupe /srv/b/secret /srv/b/guess @
who=agent
[ ! "${CONTROL_ONLY-}" ] || who=control
for verb in clone clone-range copy-range; do
	for uid in 1000 0; do
		word=$RANDOM$RANDOM
		rm -f /srv/b/from /srv/b/to
		head -c 4000 /dev/zero | tr '\0' x >/srv/b/from
		echo $word >>/srv/b/from
		in_cgroup "$who" $uid \
			"$FSCTL" $verb /srv/b/from 0 /srv/b/to >"$T/out" 2>"$T/err"
		code=$?
		if grep -qaF $word "$T/out"; then
			ok "uid $uid: $verb of a file that may be read"
		else
			not_ok "uid $uid: $verb of a file that may be read" "$(said)"
		fi
		rm -f /srv/b/to
		in_cgroup "$who" $uid \
			"$FSCTL" $verb /srv/b/secret 1 /srv/b/to >"$T/out" 2>"$T/err"
		code=$?
		if grep -qaF "${guess:0:64}" "$T/out"; then
			not_ok "uid $uid: $verb of a file that may only be written" \
				'THE ATTACK SUCCEEDS' "$(said)"
		else
			ok "uid $uid: $verb of a file that may only be written"
		fi
	done
done

# ---- attributes ----
echo x >/srv/f/outside/key
echo x >/srv/f/ws/key
closed 'FAT: attributes' "$FSCTL" fat /srv/f/outside/key @
open 'FAT: attributes, where that is allowed' "$FSCTL" fat /srv/f/ws/key @
finish
