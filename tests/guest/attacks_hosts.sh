#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Hosts by name: reaching addresses without their name, and what must go on working beside. Judged by what
# the servers received.
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"
. "$here/servers.sh"

# refused_now UID NAME: without asking for the name anew, good.test is out of reach.
refused_now()
{
	learned=$SECONDS
	: >"$T/received"
	go agent $1 "tcp:$WEB:443" "${H[@]}" tls all $WEB 443 good.test
	if [ $code = 1 ] && grep -q 'Permission' "$T/out" && ! grep -q good.test "$T/received"; then ok "uid $1: $2"; else
		not_ok "uid $1: $2" "$(said)"
	fi
	learned=-1000
}

# ---- addresses without their name ----
if [ ! "${CONTROL_ONLY-}" ]; then
	for uid in 1000 0; do
		refused_now $uid 'before its name was asked for'
	done
	for uid in 1000 0; do
		learned=-1000
		works_as $uid 'afterwards' "tcp:$WEB:443.*good.test" "${H[@]}" tls all $WEB 443 good.test
		need names_expire
		refused_now $uid 'when its time is over'
	done
fi
refused 'another name in TLS' "tcp:$WEB:443" "${H[@]}" tls all $WEB 443 @.evil.test
refused 'a name below the one that is allowed' "tcp:$WEB:443" "${H[@]}" tls all $WEB 443 @.good.test
refused 'another name, byte by byte' "tcp:$WEB:443" "${H[@]}" tls bytes $WEB 443 @.evil.test
refused 'another name, ten bytes a time' "tcp:$WEB:443" "${H[@]}" tls tens $WEB 443 @.evil.test
refused 'another name over many records' "tcp:$WEB:443" "${H[@]}" tls records $WEB 443 evil.test
refused 'another name, a record for each byte' "tcp:$WEB:443" \
	"${H[@]}" tls one-byte-records $WEB 443 evil.test
refused 'another name, spliced' "tcp:$WEB:443" "${H[@]}" tls file $WEB 443 @.evil.test
refused 'two names' "tcp:$WEB:443" "${H[@]}" tls two-names $WEB 443 @.evil.test
refused 'no name' "tcp:$WEB:443" "${H[@]}" tls no-name $WEB 443 @
refused 'an alert in front' "tcp:$WEB:443" "${H[@]}" tls alert-first $WEB 443 @.evil.test
refused 'neither TLS nor HTTP' "tcp:$WEB:443" "${H[@]}" raw all $WEB 443 @
for how in again again-behind again-bytes; do
	refused "a second ClientHello with another name: $how" "tcp:$WEB:443" \
		"${H[@]}" tls $how $WEB 443 @.evil.test
done
for how in nul utf8 dot late-nul; do
	refused "another name, spelled oddly: $how" "tcp:$WEB:443" "${H[@]}" tls odd-$how $WEB 443 @
	refused "another host, spelled oddly: $how" "tcp:$WEB:80" "${H[@]}" http odd-$how $WEB 80 @
done
in_turn agent 1000 sh -c 'getent ahosts below.wild.test; getent ahosts no.wild.test'
refused 'a name that a later rule takes out of a wildcard' "tcp:$WEB:443.*no.wild" \
	"${H[@]}" tls all $WEB 443 no.wild.test
refused 'another outer name of an encrypted ClientHello' "tcp:$WEB:443" \
	"${H[@]}" tls ech-evil.test $WEB 443 @
for how in send send-zc; do
	refused "another name, by io_uring: $how" "tcp:$WEB:443" \
		sh -c "$PYTHON $HOSTS hello @.evil.test | $ACTS/uring say task $how $WEB 443"
done
refused 'a record that the kernel encrypts behind the hello' "tcp:$WEB:443.*x16.x03.x03.x00=" \
	"${H[@]}" tls ktls $WEB 443 good.test
refused 'an urgent byte' "tcp:$WEB:443" "${H[@]}" raw urgent $WEB 443 @x
refused 'data in the first packet' "tcp:$WEB:443" "${H[@]}" raw fast-open $WEB 443 @
refused 'data in the first packet, by connect' "tcp:$WEB:443" \
	"${H[@]}" raw fast-open-connect $WEB 443 @
refused 'MPTCP' "tcp:$WEB:443" "${H[@]}" raw mptcp $WEB 443 @
refused 'a port that the name has not' "tcp:$WEB:22" "${H[@]}" tls all $WEB 22 @
# As far away as it takes to send before the connection stands.
need tc qdisc add dev lo root netem delay 300ms
for how in waiting waiting-spliced; do
	refused "a send that waits for the connection: $how" "tcp:$WEB:443" "${H[@]}" raw $how $WEB 443 @
done
refused 'the same, in front of what says an allowed name' "tcp:$WEB:443" "${H[@]}" raw waiting-before $WEB 443 @
for how in waiting waiting-spliced; do
	refused "a question that waits for the connection: $how" query "${Q[@]}" ask tcp-$how $DNS @.evil.test
done
works 'a name, far away' "tcp:$WEB:443" "${H[@]}" tls all $WEB 443 good.test
works 'a question, far away' query "${Q[@]}" ask tcp $DNS @.wild.test
need tc qdisc del dev lo root
refused 'one socket, two peers at a time' "tcp:$WEB:443" "${H[@]}" raw twice $WEB 443 @
# What goes behind the hello of the first connection is not looked at: what begins another one is.
refused 'one socket, the same peer anew' "first tcp:$WEB:443" "${H[@]}" raw anew $WEB 443 @
refused 'another host in HTTP' "tcp:$WEB:80" "${H[@]}" http all $WEB 80 @.evil.test
refused 'another host, byte by byte' "tcp:$WEB:80" "${H[@]}" http bytes $WEB 80 @.evil.test
for how in absolute two-hosts folded no-host preface; do
	refused "HTTP: $how" "tcp:$WEB:80" "${H[@]}" http $how $WEB 80 @
done
refused 'a datagram to where connections may go, by a socket that may be connected' "udp:$WEB:80" \
	"${H[@]}" raw udp-connected $WEB 80 @
in_turn agent 1000 getent ahosts quic.test
refused 'QUIC without [tls=off]' "udp:$FREE:443" "${H[@]}" raw udp $FREE 443 @
for how in sendmsg send-zc-to; do
	refused "QUIC by io_uring: $how" "udp:$FREE:443" \
		sh -c "echo @ | $ACTS/uring say task $how $FREE 443"
done
refused 'QUIC by sendmmsg, behind what is allowed' "udp:$FREE:443" "$ACTS/send" sendmmsg $WEB 443 $FREE 443 @
refused 'an address that nobody allows' "tcp:$EVIL:443" "${H[@]}" tls all $EVIL 443 @

# ---- of a name, its address and another name, the last rule ----
in_turn agent 1000 sh -c 'getent ahosts early.test; getent ahosts late.test'
refused 'a name that a later rule on the address refuses' "tcp:$SHARED:443" \
	"${H[@]}" tls all $SHARED 443 early.test
works 'one that comes behind that rule' "tcp:$SHARED:443.*late.test" \
	"${H[@]}" tls all $SHARED 443 late.test

works 'of two names, what [tls=off] allows, whichever was asked for first' "tcp:$SHARED:8443" \
	"${H[@]}" raw all $SHARED 8443 @
if [ ! "${CONTROL_ONLY-}" ]; then
	need names_forget
	in_turn agent 1000 sh -c 'getent ahosts late.test; getent ahosts early.test'
fi
refused 'the other way round: a name that a later rule on the address refuses' "tcp:$SHARED:443" \
	"${H[@]}" tls all $SHARED 443 early.test
works 'the other way round: one that comes behind that rule' "tcp:$SHARED:443.*late.test" \
	"${H[@]}" tls all $SHARED 443 late.test
works 'the other way round: what [tls=off] allows' "tcp:$SHARED:8443" "${H[@]}" raw all $SHARED 8443 @

# ---- what must go on ----
works 'TLS with the name' "tcp:$WEB:443.*good.test" "${H[@]}" tls all $WEB 443 good.test
works 'byte by byte' "tcp:$WEB:443 end.*good.test" "${H[@]}" tls bytes $WEB 443 good.test
works 'ten bytes a time' "tcp:$WEB:443 end.*good.test" "${H[@]}" tls tens $WEB 443 good.test
works 'as the outer name of an encrypted ClientHello' "tcp:$WEB:443" \
	"${H[@]}" tls ech-good.test $WEB 443 @
works 'by io_uring' "tcp:$WEB:443.*good.test" \
	sh -c "$PYTHON $HOSTS hello good.test | $ACTS/uring say task send $WEB 443"
works 'asking by io_uring' "udp:$LISTENS:53.*good" \
	sh -c "$PYTHON $QUESTIONS show good.test | $ACTS/uring say task sendmsg $LISTENS 53"
in_turn agent 1000 sh -c 'getent ahosts below.wild.test; getent ahosts tiny.good.test'
works 'a name of a wildcard' "tcp:$WEB:443.*below.wild" "${H[@]}" tls all $WEB 443 below.wild.test
works 'another name of the same address' "tcp:$WEB:443.*tiny.good" "${H[@]}" tls all $WEB 443 tiny.good.test
works 'over many records' "tcp:$WEB:443 end" "${H[@]}" tls records $WEB 443 good.test
works 'spliced' "tcp:$WEB:443.*good.test" "${H[@]}" tls file $WEB 443 good.test
works 'HTTP with the host' "tcp:$WEB:80.*good.test" "${H[@]}" http all $WEB 80 good.test
works 'HTTP byte by byte' "tcp:$WEB:80 end.*good.test" "${H[@]}" http bytes $WEB 80 good.test
works '[tls=off]: anything' "tcp:$WEB:8443" "${H[@]}" raw all $WEB 8443 @
works '[tls=off]: datagrams' "udp:$WEB:443" "${H[@]}" raw udp $WEB 443 @
works 'an address that is allowed by itself' "tcp:$FREE:80" "${H[@]}" raw all $FREE 80 @
for uid in 1000 0; do
	learn
	in_turn agent $uid "${H[@]}" bulk $WEB 80 good.test 3000000
	if [ -s "$T/out" ] && wait_for 5 grep -q "$(cat "$T/out")" "$T/received"; then
		ok "uid $uid: three million bytes in sends of all sizes arrive as they were"
	else
		not_ok "uid $uid: three million bytes in sends of all sizes arrive as they were" "$(said)"
	fi
	in_turn agent $uid curl -sk -o /dev/null -w '%{http_code}' https://good.test:4433/
	if [ "$(cat "$T/out")" = 200 ]; then ok "uid $uid: curl"; else
		not_ok "uid $uid: curl" "$(said)"
	fi
done

# bulk_arrives UID NAME: 300 kB to the shared address, by that name, arrive whole.
bulk_arrives()
{
	in_turn agent "$1" getent ahosts early.test
	in_turn agent "$1" getent ahosts small.test
	: >"$T/received"
	in_turn agent "$1" timeout 15 "${H[@]}" bulk $SHARED 80 "$2" 300000
	[ -s "$T/out" ] && wait_for 5 grep -q "$(cat "$T/out")" "$T/received"
}

if [ ! "${CONTROL_ONLY-}" ]; then
	for uid in 1000 0; do
		check "uid $uid: two names of an address: the one that is said has no budget" \
			bulk_arrives $uid early.test
		check "uid $uid: two names of an address: the one that is said has one" \
			eval "! bulk_arrives $uid small.test"
	done
fi

# ---- the policy changes under a connection ----
# keeps NAME WANT POLICY [NAMES-LOST]: a connection that said good.test, over a reload of the policy.
keeps()
{
	local name=$1 want=$2 policy=$3 word

	# What is dropped is sent again, and arrives when its rule comes back.
	word=$(new_word)
	learned=-1000
	learn
	rm -f "$T/shared/go"
	: >"$T/received"
	in_cgroup agent $uid "${H[@]}" keep $WEB 443 good.test "$T/shared/go" "$word" >"$T/kept" 2>&1 &
	need wait_for 20 grep -q sent "$T/kept"
	[ ! "${4-}" ] || need names_forget
	need "$HG" reload agent --policy "$policy"
	touch "$T/shared/go"
	if [ "$want" = stands ]; then
		check "uid $uid: $name" wait_for 5 grep -qa "$word" "$T/received"
	else
		sleep 2
		check "uid $uid: $name" sh -c "! grep -qa $word $T/received"
	fi
	wait $!
}

if [ ! "${CONTROL_ONLY-}" ]; then
	for uid in 1000 0; do
		keeps 'a connection outlives a reload that leaves its rule' stands "$T/hosts.yaml"
		keeps 'also when its address is called nothing any more' stands "$T/hosts.yaml" lost
		keeps 'it ends when its rule goes' ends "$T/without.yaml"
		need "$HG" reload agent --policy "$T/hosts.yaml"
		# Another name of the same address, and port, is allowed under both.
		in_turn agent 1000 getent ahosts alias.test
		keeps 'also where another name of its address stays allowed' ends "$T/without.yaml"
		need "$HG" reload agent --policy "$T/hosts.yaml"
	done
	cgroup_end agent
	# ---- what is told ----
	cp /var/log/hydraguard/events.jsonl "$T/events"
	for what in '"event":"tls.client_hello".*evil.test' 'sni_missing' 'sni_mismatch' 'name_unseen' \
		'malformed'; do
		check "the log has $what" grep -qE "$what" "$T/events"
	done
	agent_detach agent >/dev/null 2>&1
	check 'nothing is left of the agent' bash -c \
		'! ls /sys/fs/bpf/hydraguard/agents/* 2>/dev/null | grep -q .'
fi
finish
