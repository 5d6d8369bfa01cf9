# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-only
# Resolvers and servers by name, the policy that allows some of them, and what tells whether a question
# or a payload came to where it should not. For the suites that source it; lib.sh comes before.

HOSTS=$SRC/tests/acts/hosts.py QUESTIONS=$SRC/tests/acts/questions.py STREAMS=$SRC/tests/acts/streams.py
H=($PYTHON "$HOSTS") Q=($PYTHON "$QUESTIONS")
DNS=192.0.2.53 STUB=127.0.0.53 LISTENS=192.0.2.55 OTHER=192.0.2.54
SHARED=192.0.2.30
WEB=192.0.2.10 FREE=192.0.2.20 EVIL=192.0.2.66
mkdir -p "$CG/control"
export HELLO=$T/hello
need sh -c "$PYTHON $HOSTS template >$HELLO"
sysctl -q -w net.ipv4.tcp_fastopen=1539
modprobe -q tls
ip link set lo up
ip link add wire0 type dummy && ip link set wire0 up
for a in $DNS $LISTENS $OTHER $WEB $FREE $EVIL $SHARED 192.0.2.7{0..6}; do ip addr add $a/24 dev wire0; done
ip -6 addr add 2001:db8::10/64 dev wire0 nodad
printf 'nameserver %s\nnameserver %s\n' $DNS $LISTENS >/etc/resolv.conf

cat >"$T/dnsmasq.conf" <<END
listen-address=$DNS,$STUB
bind-interfaces
no-resolv
no-hosts
log-queries
log-facility=$T/queries
address=/good.test/$WEB
address=/v6.good.test/2001:db8::10
address=/tiny.good.test/$WEB
cname=alias.test,good.test
address=/below.wild.test/$WEB
address=/no.wild.test/$WEB
address=/private.test/10.9.9.9
address=/nat64.test/64:ff9b::10.9.9.9
address=/inside.test/10.9.9.9
address=/quic.test/$FREE
address=/evil.test/$EVIL
address=/early.test/$SHARED
address=/late.test/$SHARED
address=/small.test/$SHARED
address=/few.test/$WEB
END
need dnsmasq -C "$T/dnsmasq.conf" --pid-file="$T/dnsmasq.pid"
ip addr add 10.9.9.9/32 dev wire0
ip -6 addr add 64:ff9b::a09:909/128 dev wire0 nodad
$PYTHON "$SRC/tests/acts/sink.py" "$T/received" tcp:$WEB:80 tcp:$WEB:443 tcp:$WEB:8443 tcp:$WEB:22 udp:$WEB:{80,443} \
	tcp:2001:db8::10:443 tcp:$FREE:80 tcp:$SHARED:443 tcp:$SHARED:80 tcp:$EVIL:443 tcp:10.9.9.9:443 \
	tcp:192.0.2.7{0..6}:443 tcp:64:ff9b::a09:909:443 udp:$FREE:443 tcp:$SHARED:8443 udp:$LISTENS:53 \
	udp:$OTHER:53 tcp:$OTHER:53 udp:$EVIL:5353 \
	tcp:$DNS:{853,443} udp:224.0.0.251:5353 udp:224.0.0.252:5355 udp:ff02::fb:5353 udp:ff02::1:3:5355 2>"$T/sink" &
disown
need wait_for 10 grep -q ready "$T/received"
$PYTHON "$STREAMS" serve $LISTENS good.test=192.0.2.75 >"$T/serves" 2>&1 &
disown
need wait_for 10 grep -q ready "$T/serves"

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key" -out "$T/cert" -days 2 \
	-subj /CN=good.test 2>/dev/null
openssl s_server -accept $WEB:4433 -cert "$T/cert" -key "$T/key" -www -quiet >/dev/null 2>&1 &
disown

cat >"$T/hosts.yaml" <<END
version: 1
name: hosts
rules:
  - allow read,exec /**
  - allow write /dev/null /proc/self/** $T/shared/**
  - allow write /proc/[0-9]*/{uid_map,gid_map,setgroups}
  - allow use anonymous-exec userns mount io_uring
  - allow connect good.test:443 good.test:80 good.test:4433 v6.good.test:443 alias.test:443
  - allow connect *.wild.test:443 tiny.good.test:443
  - allow connect private.test:443 nat64.test:443
  - allow connect inside.test:443 [private]
  - allow connect quic.test:443
  - allow connect good.test:8443 [tls=off]
  - allow connect good.test:443/udp [tls=off]
  - deny connect no.wild.test:443
  - allow connect early.test:8443
  - allow connect late.test:8443 [tls=off]
  - allow connect early.test:443
  - deny connect $SHARED:443
  - allow connect late.test:443
  - allow resolve told.test [log]
  - allow connect $FREE:80
  - allow connect *.few.test:443 [names=3]
$(printf '  - allow connect *.%s.test:443 [names=3]\n' {spellings,types,three}-{1000,0})
  - allow connect early.test:80
  - allow connect small.test:80 [budget=20kB]
  - allow listen $DNS:53
  - allow connect $DNS:1024-65535/udp
END
# The same without names and with the rule that a standing connection has gone.
sed 's/good.test:443 good.test:80/good.test:80/; /udp/d' "$T/hosts.yaml" >"$T/without.yaml"
mkdir -p "$T/shared" && chmod 777 "$T/shared"
[ "${CONTROL_ONLY-}" ] || agent_attach agent "$T/hosts.yaml"

# What an address was learned by is forgotten after some minutes.
learned=-1000
learn()
{
	[ $((SECONDS - learned)) -gt 120 ] || return 0
	learned=$SECONDS
	in_turn agent 1000 getent ahosts good.test
}

# arrived WHERE: the text was received by the listener whose spec begins so, or asked of dnsmasq.
arrived()
{
	case $1 in
	query) grep -q "query.* $text" "$T/queries" ;;
	first*) grep -qaE "^${1#first } b.$text" "$T/received" ;; # in front of all else
	*) grep -qaE "^$1.*$text" "$T/received" ;;
	esac
}

go()
{
	local who=$1 uid=$2 where=$3
	shift 3

	text=
	case "$*" in *@*) text=$(new_word) ;; esac
	[ "$text" ] || : >"$T/received"
	in_turn "$who" "$uid" "${@/@/$text}"
	if [ $code = 0 ]; then wait_for 1 arrived "$where"; else sleep 0.1; arrived "$where"; fi
}

# refused NAME WHERE CMD...: received from outside of every agent, not from the agent. @ is the text.
refused()
{
	local name=$1 uid
	shift

	learn
	if ! go control 1000 "$@"; then
		[ $code != 77 ] || { skip "$name" "$(head -n 1 "$T/out")"; return; }
		not_ok "$name" 'no effect without confinement' "$(said)"
		return
	fi
	for uid in 1000 0; do
		if go agent $uid "$@"; then
			not_ok "uid $uid: $name" 'THE ATTACK SUCCEEDS: it was received' "$(said)"
		else
			ok "uid $uid: $name"
		fi
	done
}

# works NAME WHERE CMD...: received from the agent too.
works()
{
	local name=$1 uid
	shift

	for uid in 1000 0; do
		works_as $uid "$name" "$@"
	done
}

works_as()
{
	local uid=$1 name=$2
	shift 2

	learn
	if go agent $uid "$@"; then ok "uid $uid: $name"; else
		not_ok "uid $uid: $name" 'the honest use does not work' "$(said)"
	fi
}

prints()
{
	local name=$1 want=$2 uid
	shift 2

	for uid in 1000 0; do
		in_turn agent $uid "$@"
		if grep -qE "$want" "$T/out"; then ok "uid $uid: $name"; else
			not_ok "uid $uid: $name" "$(said)"
		fi
	done
}

# Whatever agents learned so far.
names_forget()
{
	local id key

	learned=-1000
	for id in $(bpftool -j map show name hg_names | jq 'if type == "array" then .[] else . end | .id'); do
		bpftool -j map dump id "$id" | jq -r '.[].key | join(" ")' | while read -r key; do
			# shellcheck disable=SC2086
			bpftool map delete id "$id" key $key
		done
		[ "$(bpftool -j map dump id "$id" | jq length)" = 0 ] || return 1
	done
	[ "$id" ]
}

# Their times are over; what was learned is as it was.
names_expire()
{
	local id

	for id in $(bpftool -j map show name hg_names | jq 'if type == "array" then .[] else . end | .id'); do
		bpftool -j map dump id "$id" | jq -r '.[] | (.key | join(" ")) + " value 1 0 0 0 0 0 0 0 " +
			(.value[8:] | join(" "))' | while read -r entry; do
			# shellcheck disable=SC2086
			bpftool map update id "$id" key $entry || return 1
		done || return 1
	done
	[ "$id" ]
}
