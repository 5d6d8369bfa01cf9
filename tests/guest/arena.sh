# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Attacks and how they are judged.
#
# The arena has boxes, folders with the same content, about which tests/policies/attacks.yaml says
# different things. An attack is a function that acts on $BOX. It is run three times for each user:
#   without confinement on a protected box: its effect must be seen, or the test proves nothing;
#   as an agent on the protected box: no effect may be seen;
#   as an agent on the open box: the effect must be seen, the honest use next to the attack.
# The effect is that the box's marker is in the output, or that anything about the box has changed.

ARENA=/srv/arena
export WS=$ARENA/ws
declare -A box_at=(
	[closed]=$ARENA/closed [outside]=$ARENA/outside [noexec]=$ARENA/noexec
	[nested]=$WS/proj/private [floating]=$WS/some/vault [open]=$WS/free/open
)
declare -A mark
LONG_NAME=$(printf 'n%.0s' {1..255})
export LONG_NAME

box_make()
{
	local at=$1 m=$2 name

	mkdir -p "$at/dir/sub"
	for name in key dir/inner dir/sub/deepest; do
		echo "$m" >"$at/$name"
	done
	case $at in
	*/closed | */open)
		for name in $'new\nline' $'\xff\xfe' "$LONG_NAME"; do
			echo "$m" >"$at/$name"
		done
		;;
	esac
	ln -s key "$at/link"
	sed "s/@@@@@@@@MARKER-GOES-HERE@@@@@@@@/$m/" "$ACTS/tool" >"$at/tool"
	printf '#!/bin/sh\necho %s\n' "$m" >"$at/script"
	chmod 755 "$at/tool" "$at/script"
	setfattr -n user.mark -v "$m" "$at/key"
	setfacl -m u:12345:r "$at/key"
}

arena_make()
{
	local box

	rm -rf /srv/template
	for box in "${!box_at[@]}"; do
		mark[$box]=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
		box_make "/srv/template${box_at[$box]#"$ARENA"}" "${mark[$box]}"
	done
	chown -R -h 1000:1000 /srv/template
	mkdir -p "$CG/control"
	arena_dirty=1
	arena_reset
}

# Whatever an attack left behind, mounts included, is gone.
arena_reset()
{
	local at mounts

	[ "$arena_dirty" ] || return
	mounts=$(</proc/mounts)
	case $mounts in
	*" $ARENA/"*)
		while read -r _ at _; do
			case $at in "$ARENA"/*) umount -l "$at" ;; esac
		done < <(tac /proc/mounts)
		;;
	esac
	if ! "$ACTS/restore" /srv/template "$ARENA" 2>/dev/null; then
		# Too deep for it, or half gone.
		rm -rf "$ARENA"
		need "$ACTS/restore" /srv/template "$ARENA"
	fi
	arena_look=$("$ACTS/look" "$ARENA")
	arena_dirty=
}

# What attack() sets and single tests may leave as it is.
with_holder= by= judge= before= after=

# run WHO UID BOX FUNCTION [ARG...]: output in $T/out and $T/err; sets $code.
run()
{
	local who=$1 uid=$2 box=$3 fn=$4
	shift 4

	export BOX=${box_at[$box]} WORD=${mark[$box]} HOLDER=
	if [ "$with_holder" ]; then
		holder_start "$uid"
	fi
	code=0
	in_cgroup "$who" "$uid" bash -c "$(declare -f "$fn")"$'\n''umask 0; cd /; "$@"' sh \
		"$fn" "$@" >"$T/out" 2>"$T/err" || code=$?
	cgroup_end "$who"
	[ ! "$HOLDER" ] || kill "$HOLDER"
}

# A process outside that has the box's key open and stands in the box.
holder_start()
{
	setpriv --reuid "$1" --regid "$1" --clear-groups \
		bash -c 'cd "$BOX" && exec 9<key && exec sleep 60' &
	HOLDER=$!
	disown
	wait_for 5 grep -q sleep "/proc/$HOLDER/comm"
}

# What of two looks at the arena differs in a box.
box_changes()
{
	local line

	diff <(printf '%s\n' "$1") <(printf '%s\n' "$2") | while read -r line; do
		case ${line#[<>] } in "$3" | "$3"[:/]*) printf '%.300s\n' "$line" ;; esac
	done
}

# Was there an effect? Leaves what was seen in $seen.
effect()
{
	local box=$1 now

	seen=
	if [ "$judge" ]; then
		arena_dirty=1
		"$judge" && seen="$judge"
		return
	fi
	now=$("$ACTS/look" "$ARENA")
	if [ "$by" != change ] && grep -qaF "${mark[$box]}" "$T/out"; then
		seen='its content was read'
	fi
	if [ "$now" != "$arena_look" ]; then
		arena_dirty=1
		[ "$by" = read ] || [ "$seen" ] ||
			seen=$(box_changes "$arena_look" "$now" "${box_at[$box]}")
	fi
	[ "$seen" ]
}

# try WHO UID BOX FUNCTION [ARG...]: one run, from a clean start; was there an effect?
try()
{
	arena_reset
	[ ! "$before" ] || need "$before"
	run "$@"
	effect "$3"
	[ ! "$after" ] || "$after" 2>/dev/null
	[ "$seen" ]
}

# One user's runs.
attack_as()
{
	local uid=$1 box=$2 honest=$3 name="uid $1: $4"
	shift 4

	if ! try control "$uid" "$box" "$@"; then
		if [ $code = 77 ]; then
			skip "$name" "$(grep -a SKIP "$T/out" | head -n 1 | sed 's/^SKIP //')"
		else
			not_ok "$name" 'no effect without confinement: it tests nothing' "$(said)"
		fi
	elif [ "${CONTROL_ONLY-}" ]; then
		if [ ! "$honest" ] || try control "$uid" "$honest" "$@"; then
			ok "$name"
		else
			not_ok "$name" 'no effect on the open box without confinement' "$(said)"
		fi
	elif try "$agent" "$uid" "$box" "$@"; then
		not_ok "$name" "THE ATTACK SUCCEEDS: $seen" "$(said)"
	elif [ "$honest" ] && ! try "$agent" "$uid" "$honest" "$@"; then
		not_ok "$name" 'the honest use does not work' "$(said)"
	else
		ok "$name"
	fi
}

# attack [-u UIDS] [-b BOX] [-o BOX] [-n] [-r] [-w] [-h] NAME FUNCTION [ARG...]
#   -u  as which users, default both   -b  the protected box   -o  the box of the honest use
#   -n  there is no honest use   -r  only reading counts   -w  only a change counts
#   -h  with a process outside that holds the box
#   -e FUNCTION  says whether there was an effect, instead
#   -s FUNCTION  runs before each try, -c FUNCTION after it
#   -a AGENT  the agent that tries, default `agent`
attack()
{
	local uids='1000 0' box=closed honest=open by= with_holder= judge= before= after= agent=agent
	local option uid OPTIND=1

	while getopts u:b:o:nrwhe:s:c:a: option; do
		case $option in
		u) uids=$OPTARG ;;
		b) box=$OPTARG ;;
		o) honest=$OPTARG ;;
		n) honest= ;;
		r) by=read ;;
		w) by=change ;;
		h) with_holder=1 ;;
		e) judge=$OPTARG ;;
		s) before=$OPTARG ;;
		c) after=$OPTARG ;;
		a) agent=$OPTARG ;;
		*) exit 2 ;;
		esac
	done
	shift $((OPTIND - 1))
	# Everybody may read what is outside; only changing it is an attack.
	[ "$box" != outside ] || by=change
	for uid in $uids; do
		attack_as "$uid" "$box" "$honest" "$@"
	done
}
