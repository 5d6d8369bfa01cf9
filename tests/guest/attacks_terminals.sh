#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What somebody of the same user types at another terminal, and what is written there to be taken for a prompt.
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

mkdir -p "$CG"/{control,person} "$T/shared" && chmod 777 "$T/shared"
cat >"$T/all.yaml" <<-'END'
	version: 1
	name: all
	rules:
	  - allow all /**
END
agent_attach agent "$T/all.yaml"
agent_attach other "$T/all.yaml"
A=($PYTHON "$SRC/tests/acts/terminals.py")

# sits CGROUP UID HOW: somebody sits there; their terminal is $terminal, what they type $word.
sits()
{
	word=$(new_word)
	: >"$T/shared/log" && chmod 666 "$T/shared/log"
	LIMIT=100 in_cgroup "$1" "$2" "${A[@]}" person "$3" "$word" "$T/shared/log" >"$T/path" 2>"$T/sits" &
	need wait_for 20 grep -q pts "$T/path"
	need wait_for 10 grep -q "$word" "$T/shared/log"
	terminal=$(<"$T/path")
}
leaves()
{
	cgroup_end "$1"
	wait
}

reads() { in_turn "$1" "$2" "${A[@]}" read "$terminal"; grep -q "$word" "$T/out"; }
writes()
{
	local text

	text=$(new_word)
	in_turn "$1" "$2" "${A[@]}" write "$terminal" "$text"
	wait_for 3 grep -q "$text" "$T/shared/log"
}

# closed NAME UID EFFECT: works for whoever is no agent, and not for one.
closed()
{
	if ! "$3" control "$2"; then
		not_ok "uid $2: $1" 'no effect without confinement' "$(said)"
	elif "$3" agent "$2"; then
		not_ok "uid $2: $1" 'THE ATTACK SUCCEEDS' "$(said)"
	else
		check "uid $2: $1" grep -q 'Permission denied' "$T/err"
	fi
}

for uid in 1000 0; do
	sits person "$uid" session
	closed "reading somebody's terminal" "$uid" reads
	closed "writing to somebody's terminal" "$uid" writes
	leaves person
	sits person "$uid" fresh
	closed "reading a terminal that has no session yet" "$uid" reads
	leaves person
	# Where the kernel uses memory again, that of a terminal that was the agent's.
	in_turn agent "$uid" "${A[@]}" wear 50
	sits person "$uid" fresh
	closed 'reading a new terminal after many of its own' "$uid" reads
	leaves person
	sits other "$uid" session
	closed "reading another agent's terminal" "$uid" reads
	leaves other
	in_turn agent "$uid" "${A[@]}" on "${A[@]}" own
	check "uid $uid: terminals of its own" grep -q own "$T/out"
	# shellcheck disable=SC2016
	check "uid $uid: the terminal that it was started on" "${A[@]}" on sh -c 'chown "$1" "$(tty)"; shift; exec "$@"' \
		sh "$uid" "$ACTS/as" "$CG/agent" "$uid" 20 "${A[@]}" own
	in_turn agent "$uid" script -qec 'tty; head -c 1 /dev/null </dev/tty && echo done' /dev/null
	check "uid $uid: script(1)" grep -q done "$T/out"
done
check 'the event says so' sh -c "\"$HG\" tail --json --agent agent | grep -q privilege"
finish
