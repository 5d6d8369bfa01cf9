#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# Sending to where the policy allows nothing, judged by what the listeners received. The same act to
# an allowed address must arrive.
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

GOOD=7001 BAD=7002
SEND=$ACTS/send
PACKET=$ACTS/packet
mkdir -p "$CG/control"
for module in sctp dccp_ipv4 vsock_loopback dummy algif_hash af_alg; do
	modprobe -q $module
done
# Fast open without a cookie, for clients and listeners.
sysctl -q -w net.ipv4.tcp_fastopen=1539
sysctl -q -w net.ipv4.ping_group_range='0 2147483647'
# A wire of which everything that is put on it is written down.
ip link add wire0 type dummy && ip link set wire0 up
ip addr add 198.51.100.1/24 dev wire0
ip -6 addr add 2001:db8:1::1/64 dev wire0 nodad
ip route add 192.0.2.0/24 dev lo
for n in 8 9; do
	ip neigh add 198.51.100.$n lladdr 02:00:00:00:00:0$n dev wire0
	ip neigh add 2001:db8:1::$n lladdr 02:00:00:00:00:0$n dev wire0
done
# Another network, from which this one is reached.
ip netns add other
ip link add near type veth peer name far netns other
ip addr add 203.0.113.1/24 dev near && ip link set near up
ip -n other addr add 203.0.113.2/24 dev far && ip -n other link set far up
ip addr add 192.0.2.1/32 dev lo
ip -6 addr add 2001:db8::1/128 dev lo nodad

specs=()
for port in $GOOD $BAD; do
	for kind in tcp udp; do
		specs+=("$kind:127.0.0.1:$port" "$kind:::1:$port" "$kind:192.0.2.1:$port")
	done
	specs+=("tcp:203.0.113.1:$port" "udp:203.0.113.1:$port")
	specs+=("udplite:127.0.0.1:$port" "sctp:127.0.0.1:$port" "dccp:127.0.0.1:$port")
done
specs+=("vsock:$BAD" wire:wire0)
"$ACTS/listen" "$T/received" "$T/ready" "${specs[@]}" >"$T/cannot" &
disown
need wait_for 10 test -e "$T/ready"
[ "${CONTROL_ONLY-}" ] || agent_attach agent "$POLICIES/attacks.yaml"

# Did the text arrive at the listener that PATTERN is about?
arrived()
{
	grep -qaE "^($1).*$text" "$T/received"
}

# go WHO UID PATTERN CMD...: CMD, with @ as the text to be sent; did that arrive at PATTERN?
go()
{
	local who=$1 uid=$2 pattern=$3
	shift 3

	text=$(new_word)
	in_turn "$who" "$uid" "${@/#@/"$text"}"
	# A refused call sent nothing, as a rule: no need to wait for it.
	if [ $code = 0 ]; then
		wait_for 1 arrived "$pattern"
	else
		arrived "$pattern"
	fi
}

# sends [-u UIDS] NAME PATTERN-BAD CMD... [-- PATTERN-GOOD CMD...]: the second CMD is the honest use.
sends()
{
	local uids='1000 0' bad=() good=() uid name
	[ "$1" != -u ] || { uids=$2; shift 2; }
	name=$1
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do bad+=("$1"); shift; done
	[ $# = 0 ] || { shift; good=("$@"); }

	for uid in $uids; do
		judged "uid $uid: $name" 'go control "$uid" "${bad[@]}"' 'go agent "$uid" "${bad[@]}"' \
			'[ ${#good[@]} = 0 ] || go agent "$uid" "${good[@]}"'
	done
}

# ---- TCP and UDP, by every spelling of the address ----
for verb in tcp nonblocking fast-open fast-open-msg fast-open-connect mptcp; do
	for a in 127.0.0.1 ::1 ::ffff:127.0.0.1 0.0.0.0 :: 192.0.2.1; do
		# One user where only the spelling is new.
		uids=1000
		[ $a != 127.0.0.1 ] || uids='1000 0'
		# Fast open needs a route with a cached metric for v6 only in newer kernels: control.
		sends -u "$uids" "$verb to $a" "tcp:[^ ]*:$BAD" "$SEND" $verb $a $BAD @ \
			-- "tcp:[^ ]*:$GOOD" "$SEND" $verb $a $GOOD @
	done
done
for verb in udp sendto sendmsg; do
	for a in 127.0.0.1 ::1 ::ffff:127.0.0.1 0.0.0.0 ::; do
		uids=1000
		[ $a != 127.0.0.1 ] || uids='1000 0'
		sends -u "$uids" "$verb to $a" "udp:[^ ]*:$BAD" "$SEND" $verb $a $BAD @ \
			-- "udp:[^ ]*:$GOOD" "$SEND" $verb $a $GOOD @
	done
done
sends 'sendto with family 0' "udp:[^ ]*:$BAD" "$SEND" sendto-unspec 127.0.0.1 $BAD @ \
	-- "udp:[^ ]*:$GOOD" "$SEND" sendto-unspec 127.0.0.1 $GOOD @
sends 'sendto of a v4 address on a v6 socket' "udp:[^ ]*:$BAD" \
	"$SEND" sendto-v4-by-v6 127.0.0.1 $BAD @ \
	-- "udp:[^ ]*:$GOOD" "$SEND" sendto-v4-by-v6 127.0.0.1 $GOOD @
sends 'sendmmsg with mixed targets' "udp:[^ ]*:$BAD" \
	"$SEND" sendmmsg 127.0.0.1 $GOOD 127.0.0.1 $BAD @ \
	-- "udp:[^ ]*:$GOOD" "$SEND" sendmmsg 127.0.0.1 $GOOD 127.0.0.1 $GOOD @
sends 'connected to an allowed address, sent to another' "udp:[^ ]*:$BAD" \
	"$SEND" connected-sendto 127.0.0.1 $GOOD 127.0.0.1 $BAD @ \
	-- "udp:[^ ]*:$GOOD" "$SEND" connected-sendto 127.0.0.1 $GOOD 127.0.0.1 $GOOD @
for kind in tcp udp; do
	sends "connect, AF_UNSPEC, connect again ($kind)" "$kind:[^ ]*:$BAD" \
		"$SEND" reconnect-$kind 127.0.0.1 $GOOD 127.0.0.1 $BAD @ \
		-- "$kind:[^ ]*:$GOOD" "$SEND" reconnect-$kind 127.0.0.1 $GOOD 127.0.0.1 $GOOD @
done
sends 'fast open with MPTCP' "tcp:[^ ]*:$BAD" "$SEND" fast-open-mptcp 127.0.0.1 $BAD @

# ---- io_uring ----
for mode in task worker poll; do
	sends "io_uring connect ($mode)" "tcp:[^ ]*:$BAD" "$ACTS/uring" tcp $mode $BAD @ \
		-- "tcp:[^ ]*:$GOOD" "$ACTS/uring" tcp $mode $GOOD @
	sends "io_uring sendmsg ($mode)" "udp:[^ ]*:$BAD" "$ACTS/uring" udp $mode $BAD @ \
		-- "udp:[^ ]*:$GOOD" "$ACTS/uring" udp $mode $GOOD @
	sends "io_uring send with an address, zero copy ($mode)" "udp:[^ ]*:$BAD" \
		"$ACTS/uring" udp-zc $mode $BAD @ \
		-- "udp:[^ ]*:$GOOD" "$ACTS/uring" udp-zc $mode $GOOD @
done
sends -u 0 'io_uring socket, raw' "udp:[^ ]*:$BAD" "$ACTS/uring" raw task $BAD @

# ---- the address changes while it is looked at ----
sends 'a port flipped during connect' "tcp:[^ ]*:$BAD" "$ACTS/race" connect $GOOD $BAD @ \
	-- "tcp:[^ ]*:$GOOD" "$ACTS/race" connect $GOOD $GOOD @
sends 'a port flipped during sendto' "udp:[^ ]*:$BAD" "$ACTS/race" sendto $GOOD $BAD @ \
	-- "udp:[^ ]*:$GOOD" "$ACTS/race" sendto $GOOD $GOOD @

sends 'a port flipped during sendmsg and sendmmsg' "udp:[^ ]*:$BAD" "$ACTS/race" sendmsg $GOOD $BAD @ \
	-- "udp:[^ ]*:$GOOD" "$ACTS/race" sendmsg $GOOD $GOOD @
# binds WHO UID FROM TO: had a socket the second port?
binds()
{
	text=$(new_word)
	in_turn "$1" "$2" "$ACTS/race" bind "$3" "$4" "$text"
	grep -qaF "$text" "$T/out"
}
for uid in 1000 0; do
	judged "uid $uid: a port flipped during bind" "binds control $uid 7101 7102" "binds agent $uid 7101 7102" \
		"binds agent $uid 7101 7101"
done

# ---- from another network namespace ----
elsewhere=
in_cgroup() { $elsewhere "$ACTS/as" "$CG/$1" "$2" "$LIMIT" "${@:3}" </dev/null; }
elsewhere='nsenter --net=/run/netns/other'
for verb in tcp udp sendto; do
	kind=udp
	[ $verb != tcp ] || kind=tcp
	sends "$verb from another network" "$kind:203[^ ]*:$BAD" "$SEND" $verb 203.0.113.1 $BAD @ \
		-- "$kind:203[^ ]*:$GOOD" "$SEND" $verb 203.0.113.1 $GOOD @
done
elsewhere=

# ---- echo requests ----
for verb in ping ping-connected; do
	for a in 198.51.100. 2001:db8:1::; do
		sends "$verb to ${a}9" 'wire:' "$SEND" $verb ${a}9 @ -- 'wire:' "$SEND" $verb ${a}8 @
	done
done

# ---- other protocols: no rule speaks of them, so there is no honest use ----
for verb in udplite sctp dccp; do
	sends "$verb" "$verb:[^ ]*:$BAD" "$SEND" $verb 127.0.0.1 $BAD @
	# Not where the rules allow TCP and UDP either.
	sends "$verb to an allowed address" "$verb:[^ ]*:$GOOD" "$SEND" $verb 127.0.0.1 $GOOD @
done
for verb in raw hdrincl; do
	sends -u 0 "$verb" "udp:[^ ]*:$BAD" "$PACKET" $verb 127.0.0.1 $BAD @
done
for verb in packet-raw packet-dgram packet-old; do
	sends -u 0 "$verb" 'wire:' "$PACKET" $verb 198.51.100.9 $BAD @ wire0
done
sends 'vsock' "vsock:$BAD" "$PACKET" vsock $BAD @

# ---- detours: to an allowed address by way of another ----
sends -u 0 'loose source route as a socket option' 'wire:' \
	"$PACKET" source-routed-udp 192.0.2.1 $GOOD @ 198.51.100.9
sends -u 0 'loose source route with one message' 'wire:' \
	"$PACKET" source-routed-cmsg 192.0.2.1 $GOOD @ 198.51.100.9
sends 'segment routing header' 'wire:' \
	"$PACKET" segment-routed 2001:db8::1 $GOOD @ 2001:db8:1::9
finish
