#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# Descriptors that somebody outside opened and an agent is given, and what was open before it was
# confined.
# These functions run in a shell of their own: $1... are their arguments.
# shellcheck disable=SC2016,SC2317,SC2329
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"
. "$here/arena.sh"

GOOD=7001 BAD=7002
LEND=$ACTS/lend
export LEND
# All that runs has a lender outside at the other end of descriptor 200; and where $inherited says so,
# the box's key as descriptor 9, open since before it was an agent.
inherited=
in_cgroup()
{
	local held=/dev/null

	[ ! "$inherited" ] || held=$BOX/key
	"$LEND" serve "$ACTS/as" "$CG/$1" "$2" "$LIMIT" "${@:3}" </dev/null 9<"$held"
}

arena_make
[ "${CONTROL_ONLY-}" ] || agent_attach agent "$POLICIES/attacks.yaml"

# ---- files ----
lent() { "$LEND" "$1" "$2 $BOX/$3" "${@:4}"; }
attack 'received, open for reading' lent read r key
attack 'received with MSG_PEEK' lent read-peeked r key
attack 'received with recvmmsg' lent read-many r key
attack 'received by a worker of io_uring' lent read-ring r key
attack 'received behind one that is allowed' lent read-second r key
attack 'received, then mapped' lent map r key
attack 'received, opened for neither, then for reading' lent upgrade-read 3 key
attack 'received as O_PATH, then opened for reading' lent upgrade-read path key
attack 'received as O_PATH, then opened for writing' lent upgrade-write path key @
attack 'a directory as O_PATH, then below it' lent below path dir inner
attack 'a directory, then below it' lent below r dir inner
listed() { "$LEND" list "r $BOX/dir" | grep -qa inner && echo "$WORD"; }
attack 'a directory, listed' listed
attack 'received, open for writing' lent write w key xxxx
attack -b outside 'received, open for writing, where only reading is allowed' lent write w key xxxx
attack -b outside 'received, open for both, mapped and written' lent map-write rw key xxxx
attack -b outside 'received, open for writing, truncated' lent truncate w key
attack -b outside 'received for reading, opened again for writing' lent upgrade-write r key xxxx

# ---- taken ----
taken() { "$LEND" getfd "$HOLDER" 9; }
attack -u 0 -n -h 'pidfd_getfd from a process outside' taken
inherited=1
own_taken()
{
	sleep 20 &
	"$LEND" getfd $! 9
}
attack 'pidfd_getfd from a process of its own that had it before' own_taken
own_sent() { "$LEND" own 9; }
attack 'sent by a process of its own that had it before' own_sent
inherited=

# ---- sockets: judged by what the listeners receive ----
"$ACTS/listen" "$T/received" "$T/ready" tcp:127.0.0.1:$GOOD tcp:127.0.0.1:$BAD tcp:::1:$BAD \
	udp:127.0.0.1:$GOOD udp:127.0.0.1:$BAD tcp:::1:$GOOD mptcp:127.0.0.1:7003 >"$T/cannot" &
disown
need wait_for 10 test -e "$T/ready"

# said_by WHO UID WHAT: did the text arrive?
said_by()
{
	text=$(new_word)
	in_cgroup "$1" "$2" "$LEND" say "$3" "$text" >"$T/out" 2>"$T/err"
	code=$?
	wait_for 1 grep -qaF "$text" "$T/received"
}
# sends NAME BAD GOOD
sends()
{
	local uid

	for uid in 1000 0; do
		judged "uid $uid: $1" "said_by control $uid '$2'" "said_by agent $uid '$2'" "said_by agent $uid '$3'"
	done
}
sends 'a connected TCP socket' "tcp 127.0.0.1 $BAD" "tcp 127.0.0.1 $GOOD"
sends 'a connected TCP socket, IPv6' "tcp ::1 $BAD" "tcp ::1 $GOOD"
sends 'a connected TCP socket, mapped' "tcp ::ffff:127.0.0.1 $BAD" "tcp ::ffff:127.0.0.1 $GOOD"
sends 'a connected MPTCP socket' "mptcp 127.0.0.1 $BAD" "mptcp 127.0.0.1 $GOOD"
sends 'a connected UDP socket' "udp 127.0.0.1 $BAD" "udp 127.0.0.1 $GOOD"

# taken_by WHO UID PORT: did the text arrive over the connection of a process outside?
connected_outside() { exec 9<>/dev/tcp/127.0.0.1/"$1" && exec sleep 30; }
export -f connected_outside
taken_by()
{
	local holder

	setpriv --reuid "$2" --regid "$2" --clear-groups bash -c "connected_outside $3" &
	holder=$!
	need wait_for 5 grep -q sleep /proc/$holder/comm
	text=$(new_word)
	in_cgroup "$1" "$2" "$LEND" getfd-say $holder 9 "$text" >"$T/out" 2>"$T/err"
	code=$?
	kill $holder
	wait $holder 2>/dev/null
	wait_for 1 grep -qaF "$text" "$T/received"
}
judged 'pidfd_getfd of a connection of a process outside' "taken_by control 0 $BAD" "taken_by agent 0 $BAD"

# serves WHO UID VERB WHAT PORT: does it receive what is sent to the port?
serves()
{
	in_cgroup "$1" "$2" "$LEND" "$3" "$4 127.0.0.1 $5" >"$T/out" 2>"$T/err" &
	wait_for 2 grep -q ready "$T/out"
	case $3 in
	accept) "$ACTS/send" tcp 127.0.0.1 "$5" hello 2>/dev/null ;;
	*) "$ACTS/send" udp 127.0.0.1 "$5" hello 2>/dev/null ;;
	esac
	wait_for 1 grep -q hello "$T/out"
	code=$?
	cgroup_end "$1"
	wait $!
	return $code
}
for kind in 'accept listen' 'datagram bound-udp' 'datagram both-udp'; do
	for uid in 1000 0; do
		judged "uid $uid: a socket that is bound already (${kind#* })" "serves control $uid $kind 7102" \
			"serves agent $uid $kind 7102" "serves agent $uid $kind 7101"
	done
done
handed_over()
{
	in_cgroup agent 1000 "$LEND" own-accepted 127.0.0.1 7101 "hand-over" | grep -q hand-over
}
raw_received() { in_cgroup "$1" 0 "$LEND" say "raw 127.0.0.1 0" xxxxxxxx; }
check 'a raw socket can be received without confinement' raw_received control
if [ ! "${CONTROL_ONLY-}" ]; then
	check 'and not with' eval '! raw_received agent'
	# The rules allow the port that the server listens on, not those of its clients.
	sed 's/127.0.0.1:7001 /127.0.0.1:7001 127.0.0.1:7101 /' "$POLICIES/attacks.yaml" >"$T/own.yaml"
	need "$HG" reload --policy "$T/own.yaml" agent
	check 'a server hands an accepted connection to another of its processes' handed_over
fi

# ---- what was open before ----
holds()
{
	exec 9<"$ARENA/closed/key" 8>>"$ARENA/outside/key" 7<"$ARENA/outside/key"
	exec 6<>/dev/tcp/127.0.0.1/$BAD
	sleep 30
}
held_before()
{
	mkdir -p "$CG/early"
	arena_reset
	holds &
	wait_for 5 test -e "/proc/$!/fd/6"
	echo $! >"$CG/early/cgroup.procs"
	"$HG" attach --json --cgroup "$CG/early" --name early --policy "$POLICIES/attacks.yaml" \
		>"$T/held.json" 2>"$T/held.err"
	kill $!
	cat "$T/held.json" "$T/held.err"
	jq -e --arg a "$ARENA" --argjson pid $! '[.held[] | select(.pid == $pid)] |
		(map(select(.fd == 9 and .path == "\($a)/closed/key" and .denied == "read")) |
			length == 1) and
		(map(select(.fd == 8 and .path == "\($a)/outside/key" and .denied == "modify")) |
			length == 1) and
		(map(select(.fd == 6 and .endpoint == "127.0.0.1:7002/tcp" and
			.denied == "connect")) | length == 1) and
		(map(select(.fd == 7)) | length == 0)' "$T/held.json" &&
		grep -q "keeps descriptor 9: read $ARENA/closed/key, which .*attacks.yaml:[0-9]* denies" \
			"$T/held.err"
}
[ "${CONTROL_ONLY-}" ] || check 'attach tells what was open before' held_before
finish
