#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# Sending more than a rule's budget allows. Judged by how much the other side received.
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

SPEND=$SRC/tests/acts/spend.py
WEB=192.0.2.10
LIMIT=60
mkdir -p "$CG/control"
ip link set lo up
ip link add wire0 type dummy && ip link set wire0 up
ip addr add $WEB/24 dev wire0

# HOW BYTES MOST [LEAST]: BYTES are tried; with a budget of 100 kB no more than MOST may arrive, headers
# being part of what is spent.
cases='tcp 300000 100000
again 60000 40000
files 300000 100000
spliced 300000 100000
many 100000 100000
udp 300000 100000
udp_connected 300000 100000
udp_gso 300000 100000
udp_corked 300000 100000
elsewhere 300000 100000
two_peers 700000 100000
udp_handed 300000 100000 0
tcp_handed 300000 100000 0
udp_inherited 300000 100000 0
tcp_inherited 300000 100000 0
udp_moved 300000 100000 0
tcp_moved 300000 100000 0'

{
	printf '%s\n' 'version: 1' 'name: budget' 'rules:' '  - allow read,exec /**' \
		'  - allow use anonymous-exec' "  - allow connect $WEB:9000-9001"
	for port in {7000..7041}; do echo "  - allow connect $WEB:$port [budget=100kB]"; done
	echo "  - allow unix $T/lend"
	echo "  - allow connect $WEB:8000/tcp [budget=100kB/20min]"
	echo "  - allow connect $WEB:8002/tcp [budget=100kB/20s]"
	echo "  - allow connect $WEB:8001/tcp [budget=30kB]"
	echo "  - allow connect $WEB:8003/udp [budget=30kB]"
} >"$T/budget.yaml"
sed 's/30kB/100kB/' "$T/budget.yaml" >"$T/more.yaml"
sed 's/ \[budget=30kB\]//' "$T/budget.yaml" >"$T/without.yaml"
specs=(tcp:$WEB:8000 tcp:$WEB:8001 tcp:$WEB:8002 tcp:$WEB:9001 udp:$WEB:9000 udp:$WEB:8003)
port=7000
while read -r how _; do
	for i in 0 1 2; do
		case $how in udp* | elsewhere) proto=udp ;; *) proto=tcp ;; esac
		specs+=("$proto:$WEB:$((i < 2 ? port + i : port - 1000))")
	done
	port=$((port + 2))
done <<<"$cases"
$PYTHON "$SPEND" count "$T/sums" "${specs[@]}" 2>"$T/count" &
disown
need wait_for 15 test -s "$T/sums"
[ "${CONTROL_ONLY-}" ] || agent_attach agent "$T/budget.yaml"

# What arrived at a port; when it does not grow any more.
so_far() { sed -n "s/.*:$1 //p" "$T/sums"; }
arrived()
{
	local last=-1 now

	while :; do
		now=$(so_far "$1")
		[ "$now" != "$last" ] || break
		last=$now
		sleep 0.3
	done
	echo "$now"
}

# spender UID HOW...: starts; with sockets of outside where HOW says so.
spender()
{
	local uid=$1 outside=()
	shift

	case $1 in *inherited*) outside=($PYTHON "$SPEND" inherit) ;; esac
	"${outside[@]}" "$ACTS/as" "$CG/$cgroup" "$uid" $LIMIT timeout 20 $PYTHON "$SPEND" "$@" </dev/null
}

# stops HOW UID: nobody sees the packets of a socket that was made elsewhere. Each send is asked about, so
# what could be sent ends when its rule goes.
grep -v ":9000-9001" "$T/without.yaml" >"$T/closed.yaml"
stops()
{
	local how=$1 uid=$2 port=9001 sending cgroup=agent

	case $how in udp*) port=9000 ;; esac
	need "$HG" reload agent --policy "$T/without.yaml"
	: >"$T/out"
	got=$(so_far $port)
	spender "$uid" $how $WEB $port 50000 >"$T/out" 2>"$T/err" &
	sending=$!
	need wait_for 10 grep -q ready "$T/out"
	sleep 1
	check "uid $uid: $how: it can send" [ "$(so_far $port)" -gt $((got + 1000)) ]
	need "$HG" reload agent --policy "$T/closed.yaml"
	got=$(so_far $port)
	sleep 2
	check "uid $uid: $how: and no more when its rule is gone" [ "$(so_far $port)" -le $((got + 1000)) ]
	kill $sending 2>/dev/null
	wait $sending 2>/dev/null
	cgroup_end agent
}

# In front of all else, as long as no agent has received a socket.
if [ ! "${CONTROL_ONLY-}" ]; then
	for how in udp_inherited_slowly tcp_inherited_slowly; do
		stops $how 1000
		stops $how 0
	done
	need "$HG" reload agent --policy "$T/budget.yaml"
fi

export LEND=$T/lend
$PYTHON "$SPEND" lend "$LEND" 2>"$T/lent" &
disown
need wait_for 15 test -S "$LEND"
# spends CGROUP UID HOW PORT BYTES: where HOW says so, it is moved out of its cgroup meanwhile.
mkdir -p "$CG/elsewhere"
mover()
{
	local pid

	while sleep 0.1; do
		for pid in $(<"$CG/$1/cgroup.procs"); do
			echo "$pid" >"$CG/elsewhere/cgroup.procs"
		done
	done 2>/dev/null
}
spends()
{
	local moving= cgroup

	case $3 in *moved)
		mover "$1" &
		moving=$!
		;;
	esac
	cgroup=$1
	code=0
	spender "$2" "$3" $WEB "$4" "$5" >"$T/out" 2>"$T/err" || code=$?
	[ -z "$moving" ] || { kill $moving; wait $moving; } 2>/dev/null
	got=$(arrived "$4")
}

port=7000
while read -r how bytes most least; do
	spends control 1000 "$how" $((port - 1000)) "$bytes"
	if [ "$got" -le "$most" ]; then
		not_ok "$how" "no effect without confinement: $got bytes arrived" "$(said)"
		port=$((port + 2))
		continue
	fi
	[ "${CONTROL_ONLY-}" ] && { ok "$how"; port=$((port + 2)); continue; }
	for uid in 1000 0; do
		spends agent $uid "$how" $port "$bytes"
		if [ "$got" -gt "$most" ]; then
			not_ok "uid $uid: $how" "THE ATTACK SUCCEEDS: $got bytes arrived" "$(said)"
		elif [ "${least-}" ] && ! grep -q ready "$T/out"; then
			not_ok "uid $uid: $how" 'it did not come so far' "$(said)"
		elif [ "$got" -lt "${least:-$((most / 5))}" ]; then
			not_ok "uid $uid: $how" "what is allowed does not arrive: $got bytes" "$(said)"
		else
			ok "uid $uid: $how"
		fi
		port=$((port + 1))
	done
done <<<"$cases"

# ---- periods, reloads, what is told ----
# sends PORT BYTES [HOW]: and what arrived by that is in $got.
sends()
{
	local before

	before=$(arrived "$1")
	in_turn agent 1000 timeout 20 $PYTHON "$SPEND" "${3:-tcp}" $WEB "$1" "$2"
	got=$(($(arrived "$1") - before))
}

if [ ! "${CONTROL_ONLY-}" ]; then
	sends 8000 50000
	check 'what is within the budget arrives whole' [ $got = 50000 ]
	sends 8000 150000
	check 'what is not does not' [ $got -lt 50000 ]
	in_turn agent 1000 $PYTHON "$SPEND" tcp $WEB 8000 1
	check 'a connection is refused at once when it is spent' grep -q 'Permission denied' "$T/out"
	sends 8002 150000
	sleep 21
	sends 8002 50000
	check 'the next period begins anew' [ $got -ge 50000 ]

	sends 8001 25000
	check 'a budget for good: within it' [ $got = 25000 ]
	need "$HG" reload agent
	sends 8001 25000
	check 'a reload does not begin it anew' [ $got -lt 5000 ]
	sends 8003 300000 udp
	check 'datagrams, too' [ $got -gt 20000 -a $got -le 30000 ]
	need "$HG" reload agent --policy "$T/more.yaml"
	sends 8001 40000
	check 'a raised one goes on from what is spent' [ $got -ge 40000 ]
	# More than ten times the old limit was refused: nobody has received that.
	sends 8003 60000 udp
	check 'and what was refused was not spent' [ $got -ge 60000 ]
	"$HG" status agent >"$T/status"
	check 'status says how much is spent' grep -q "sent .* KiB of 98 KiB.*$WEB:8001/tcp" "$T/status"
	"$HG" status agent --json | jq -e --arg at "$WEB:8001/tcp" '.agents[0].budgets[] |
		select(.text | contains($at)) | .limit_bytes == 100000 and .spent_bytes > 65000' \
		>"$T/json"
	check 'status --json has the figures' grep -q true "$T/json"
	need "$HG" reload agent --policy "$T/without.yaml"
	sends 8001 200000
	check 'without its budget the rule allows all' [ $got -ge 200000 ]

	for how in udp_handed_slowly tcp_handed_slowly; do
		stops $how 1000
		stops $how 0
	done

	agent_detach agent >/dev/null 2>&1
	grep '"reason":"budget"' /var/log/hydraguard/events.jsonl >"$T/events"
	check 'it is told by which rule' grep -q "$WEB:7000 .budget=100kB" "$T/events"
	# One when it was spent, and one more where a new connection was refused.
	check 'and not for each packet' [ "$(grep -c "$WEB:7004 " "$T/events")" -le 2 ]
fi
finish
