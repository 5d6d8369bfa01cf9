#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Programs that people use, with hosts by name: curl, python, git, npm, iperf3, openssl and gnutls under
# workspace-write and a list of names, and the same programs on their way to a name that is not in it.
# The servers are in a network namespace of their own, so that nothing goes over the loopback. Judged by
# what was printed, by nginx's logs, and by whether any packet had the other name in it.
# shellcheck disable=SC2016
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

WS=/srv/net
DNS=192.0.2.53 WEB=192.0.2.10 CHAIN=192.0.2.11 TINY=192.0.2.12 SPEED=192.0.2.20 WEB6=2001:db8::10
PRIVATE=10.9.9.9 MANY=198.51.100
export WORD
WORD=$(new_word) SECRET=$(new_word) LIMIT=90

# ---- the other machine ----
outside() { ip netns exec outside "$@"; }
modprobe -q veth
ip link set lo up
need ip netns add outside
need ip link add wire0 type veth peer name wire0 netns outside
ip addr add 192.0.2.1/24 dev wire0 && ip -6 addr add 2001:db8::1/64 dev wire0 nodad
for a in $DNS $WEB $CHAIN $TINY $SPEED; do outside ip addr add "$a/24" dev wire0; done
outside ip -6 addr add $WEB6/64 dev wire0 nodad
ip link set wire0 up && outside ip link set wire0 up && outside ip link set lo up
for a in $PRIVATE/32 $MANY.0/24; do
	outside ip route add local "$a" dev lo && ip route add "$a" via $WEB
done
echo "nameserver $DNS" >/etc/resolv.conf

{
	printf '%s\n' "listen-address=$DNS" bind-interfaces no-resolv no-hosts local=/test/ local-ttl=600
	printf "host-record=%s,$WEB\n" pages.test code.test registry.test hidden.test
	printf 'host-record=%s\n' v6.test,$WEB6 three.chain.test,$CHAIN tiny.test,$TINY,1 \
		rebind.test,$PRIVATE speed.test,$SPEED both.test,$WEB,$WEB6
	printf 'cname=%s\n' two.chain.test,three.chain.test one.chain.test,two.chain.test
	printf "host-record=many.test,$MANY.%s\n" {1..40}
} >"$T/dnsmasq.conf"
need outside dnsmasq -C "$T/dnsmasq.conf" --pid-file="$T/dnsmasq.pid"

# site NAME NAMES WORD PACKAGE HOST [default_server]: serves the word as a page, in a git repository and as a
# program that npm finds at registry.test and gets at HOST. The certificate has it too.
site()
{
	local at=$T/$1 tree=$T/$1.tree pkg=$T/$1.pkg

	mkdir -p "$at/git" "$at/tar" "$pkg" "$T/open"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-keyout "$at.key" -out "$at.crt" -subj "/O=$3/CN=${2%% *}" \
		-addext "subjectAltName=DNS:${2// /,DNS:}"
	cat "$at.crt" >>/etc/ssl/certs/ca-certificates.crt
	ln -s "$at.crt" "/etc/ssl/certs/$(openssl x509 -noout -hash -in "$at.crt").0"
	git init -q -b main "$tree"
	echo "$3" | tee "$at/word" >"$tree/word"
	git -C "$tree" add word
	git -C "$tree" -c user.name=a -c user.email=a@host.example commit -qm one
	git clone -q --bare "$tree" "$at/git/repo.git"
	git -C "$at/git/repo.git" config http.receivepack true
	echo "console.log('$3')" >"$pkg/index.js"
	echo "{\"name\":\"$4\",\"version\":\"1.0.0\"}" >"$pkg/package.json"
	jq -c ".dist = {tarball: \"https://$5/tar/$4-1.0.0.tgz\"} |
		{name, \"dist-tags\": {latest: .version}, versions: {(.version): .}}" \
		"$pkg/package.json" >"$T/open/$4"
	cat >>"$T/nginx.conf" <<-END
		server {
			listen 443 ssl http2 ${6-}; listen [::]:443 ssl http2 ${6-};
			server_name $2; root $at; access_log $at.log said;
			ssl_certificate $at.crt; ssl_certificate_key $at.key;
			location / { dav_methods PUT; create_full_put_path on; dav_access all:r; }
			location /git/ {
				include /etc/nginx/fastcgi_params; fastcgi_pass unix:$T/fcgi;
				fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
				fastcgi_param GIT_PROJECT_ROOT $at; fastcgi_param GIT_HTTP_EXPORT_ALL yes;
				fastcgi_param PATH_INFO \$uri;
			}
		}
	END
}

printf '%s\n' 'user root;' "pid $T/nginx.pid;" "error_log $T/nginx.err;" 'events {}' 'http {' \
	'client_max_body_size 10m;' 'default_type application/json;' 'ssl_protocols TLSv1.2 TLSv1.3;' \
	'log_format said "$ssl_server_name $host $request $status";' >"$T/nginx.conf"
: >/etc/ssl/certs/ca-certificates.crt # 150 others take every curl half a second
need site open 'pages.test code.test registry.test v6.test one.chain.test tiny.test many.test both.test' \
	"$WORD" pkg registry.test
need site hidden hidden.test "$SECRET" lured hidden.test default_server
need npm pack --silent --pack-destination "$T" "$T/open.pkg" "$T/hidden.pkg"
mv "$T/pkg-1.0.0.tgz" "$T/open/tar" && mv "$T/lured-1.0.0.tgz" "$T/hidden/tar"
echo '}' >>"$T/nginx.conf"
head -c 5000000 /dev/urandom >"$T/open/five"
echo "$SECRET" >"$T/open/late"
need outside nginx -c "$T/nginx.conf"
fcgiwrap -c 2 -s "unix:$T/fcgi" >"$T/fcgi.err" 2>&1 &
for port in 5201 5202; do
	outside iperf3 -s -B $SPEED -p $port --forceflush >>"$T/speed.$port" 2>&1 &
done
# Packets that say the other name, and those with a ClientHello that says none.
outside python3 -uc '
import re, socket
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind(("wire0", 0))
print("ready")
while packet := wire.recv(100000):
    hello = re.search(rb"\x16\x03[\x01-\x03]..\x01\x00..\x03\x03", packet, re.S)
    if b"hidden" in packet or hello and b".test" not in packet:
        print(packet[:200])
' >>"$T/wire" &
disown -a
need wait_for 10 grep -q ready "$T/wire"
need wait_for 10 grep -q listening "$T/speed.5202"
need wait_for 10 test -S "$T/fcgi"

# ---- the agent ----
cat >"$T/net.yaml" <<END
version: 1
name: net
extends: [workspace-write, network]
workspace: $WS
vars: { registries: registry.test, endpoints: [pages.test, code.test, v6.test, rebind.test] }
rules:
  - allow connect one.chain.test:443 tiny.test:443 many.test:443 both.test:443
  - allow connect speed.test:5201/tcp speed.test:5201/udp [tls=off]
END
for who in control net; do
	mkdir -p "$CG/$who"
	install -d -o 1000 "$WS/$who-1000" && install -d "$WS/$who-0"
done
cat >"$T/tls.py" <<'END'
import socket, ssl, sys
s = ssl._create_unverified_context().wrap_socket(
    socket.create_connection(('pages.test', 443)), server_hostname=sys.argv[1] or None)
s.sendall(b'GET /word HTTP/1.0\r\nHost: hidden.test\r\n\r\n')
while data := s.recv(9999):
    print(data)
END
export npm_config_registry=https://registry.test/ npm_config_cafile=/etc/ssl/certs/ca-certificates.crt \
	npm_config_cache=.npm npm_config_audit=false npm_config_fund=false \
	npm_config_update_notifier=false npm_config_fetch_retries=0
need "$HG" attach --cgroup "$CG/net" --name net --user agent --policy "$T/net.yaml"
denied=$(denials net)
need [ "$denied" = 0 ]

run() { in_turn "$1" "$2" bash -c "set -e -o pipefail; cd $WS/$1-$2; $3"; }

# works NAME SCRIPT: it succeeds in the agent, by each of $uids, and nothing is denied meanwhile.
works()
{
	local uid before

	for uid in $uids; do
		before=$denied
		run net "$uid" "$2"
		denied=$(denials net)
		if [ "$code" = 0 ] && [ "$denied" = "$before" ]; then ok "uid $uid: $1"; else
			not_ok "uid $uid: $1 (denials: $before, then $denied)" "$(said)" \
				"$("$HG" tail --agent net | tail -n 5)"
		fi
	done
}

gained() { grep -qsF "$SECRET" "$T/out" "$T/err" || grep -q Accepted "$T/speed.5202"; }
leaked() { gained || [ -s "$T/hidden.log" ] || [ -s "$T/wire" ]; }
forget() { sleep 0.2; : >"$T/hidden.log"; : >"$T/wire"; : >"$T/speed.5202"; }

# refused NAME SCRIPT: it gains something outside of every agent; in the agent it gains nothing, nothing of
# it left, and it was denied.
refused()
{
	local uid before

	forget
	run control 1000 "$2"
	wait_for 1 gained || { not_ok "$1" 'no effect without confinement' "$(said)"; return; }
	for uid in $uids; do
		forget
		before=$denied
		run net "$uid" "$2"
		sleep 0.2
		denied=$(denials net)
		if leaked; then
			not_ok "uid $uid: $1" 'THE ATTACK SUCCEEDS' "$(said)" \
				"$(cat "$T/hidden.log" "$T/wire" "$T/speed.5202")"
		elif [ "$denied" = "$before" ]; then
			not_ok "uid $uid: $1" 'it failed, but was not denied' "$(said)"
		else
			ok "uid $uid: $1"
		fi
	done
}

# How many connections were accepted outside: PassiveOpens.
accepted() { outside awk '$1 == "Tcp:" { n = $7 } END { print n }' /proc/net/snmp; }

# ---- names ----
uids='1000 0'
late="curl -sSk --resolve many.test:443:$MANY.7 https://many.test/late"
refused 'an address before its name was asked for' "$late"
refused 'a public name with a private address' "curl -sSk https://rebind.test/word"
uids=1000 before=$(accepted)
works 'an answer of 40 addresses' '[ "$(getent ahosts many.test | grep -c STREAM)" = 40 ]'
check 'it was too big for UDP' [ "$(accepted)" -gt "$before" ]
works 'all of them are learned' 'python3 -c "from socket import *
for a in getaddrinfo(\"many.test\", 0, type=SOCK_STREAM): create_connection((a[4][0], 443)).close()"'
works 'the address that was refused before' "$late | grep $SECRET"
works 'a name with an IPv6 address alone' 'curl -sS https://v6.test/word | grep $WORD'
works 'a name with two addresses, which libc puts in order' 'curl -sS https://both.test/word | grep $WORD'
works 'a chain of CNAMEs' 'curl -sS https://one.chain.test/word | grep $WORD'
works 'an answer for one second, two seconds later' "getent ahosts tiny.test; sleep 2
	curl -sS --resolve tiny.test:443:$TINY https://tiny.test/word | grep \$WORD"

# ---- one address, two certificates ----
uids='1000 0'
works 'curl' 'curl -sS https://pages.test/word | grep $WORD'
works 'python' 'python3 -c "from urllib.request import urlopen
print(urlopen(\"https://pages.test/word\").read())" | grep $WORD'
uids=1000
works 'openssl s_client' 'printf "GET /word HTTP/1.0\r\nHost: pages.test\r\n\r\n" |
	openssl s_client -quiet -verify_return_error -connect pages.test:443 | grep $WORD'
works 'gnutls-cli' '(printf "GET /word HTTP/1.0\r\nHost: pages.test\r\n\r\n"; sleep 1) |
	gnutls-cli pages.test | grep $WORD'
works 'a connection for three requests' '
	curl -sS --http1.1 -w "%{num_connects} " https://pages.test/{word,word,word} | tr -d "\n" |
	grep "${WORD}1 ${WORD}0 ${WORD}0 "'
works 'HTTP/2' 'curl -sS --http2 -w "%{http_version}" https://pages.test/word | grep "^2"'
works 'five million bytes arrive as they were' 'curl -sS https://pages.test/five | cmp - '"$T/open/five"
works 'two million bytes are stored as they were' 'head -c 2000000 /dev/urandom >two
	curl -sS -T two https://pages.test/up/$UID; cmp two '"$T/open/up/"'$UID'
works '20 curls at a time' 'for i in {1..20}; do curl -sS https://pages.test/word >got.$i & done; wait
	[ "$(cat got.* | grep -c $WORD)" = 20 ]'

uids='1000 0'
refused 'curl: a name that is not allowed' 'curl -sSk https://hidden.test/word'
refused 'curl --resolve' "curl -sSk --resolve hidden.test:443:$WEB https://hidden.test/word"
refused 'curl --connect-to' \
	'curl -sSk --connect-to hidden.test:443:pages.test:443 https://hidden.test/word'
refused 'curl, the address alone' "curl -sSk https://$WEB/word"
refused 'python with another name' "python3 $T/tls.py hidden.test"
refused 'python without a name' "python3 $T/tls.py ''"
ask='printf "GET /word HTTP/1.0\r\nHost: hidden.test\r\n\r\n"'
asked="$ask | openssl s_client -ign_eof -connect pages.test:443"
refused 'openssl with another name' "$asked -servername hidden.test"
refused 'openssl without a name' "$asked -noservername"
refused 'openssl without a name, TLS 1.2' "$asked -noservername -tls1_2"
refused 'gnutls-cli with another name' \
	"($ask; sleep 1) | gnutls-cli --no-ca-verification --sni-hostname=hidden.test pages.test"

for url in https://hidden.test https://$WEB; do
	forget
	run control 1000 "curl -sSk $url/word"
	check "who looks at the packets sees $url" wait_for 1 test -s "$T/wire"
done

# ---- git ----
uids=1000
works 'git clone, push, fetch' 'rm -rf a b; url=https://code.test/git/repo.git
	git clone -q $url a; git clone -q $url b; grep -q $WORD a/word; cd a; echo $UID >more; git add more
	git -c user.name=a -c user.email=a@host.example commit -qm two; git push -q origin HEAD:by-$UID
	cd ../b; git fetch -q; [ $(git rev-parse origin/by-$UID) = $(git -C ../a rev-parse HEAD) ]'
uids='1000 0'
clone='-c http.sslVerify=false clone -q https://hidden.test/git/repo.git'
refused 'git clone' "git $clone c; cat c/word"
refused 'git clone from an address it was told' \
	"git -c http.curloptResolve=hidden.test:443:$WEB $clone d; cat d/word"

# ---- npm ----
uids=1000
works 'npm install' 'npm install pkg; node -e "require(\"pkg\")" | grep $WORD'
refused 'npm install of what lies elsewhere' 'npm install lured; node -e "require(\"lured\")"'

# ---- what does not say a name ----
for how in '' -R -u '-u -R'; do
	works "iperf3 $how" "iperf3 -c speed.test -t 1 -J $how | jq -e '.end.sum_received.bytes > 0'"
done
refused 'iperf3 to another port' 'iperf3 -c speed.test -p 5202 -t 1'

ip -6 addr flush dev wire0
works 'without an IPv6 address, a name has its other one first' 'python3 -c "from socket import *
print(getaddrinfo(\"both.test\", 443, type=SOCK_STREAM)[0])" | grep '$WEB

for what in private_answer.*rebind.test sni_mismatch sni_missing '"dns.query".*hidden.test'; do
	check "the log has $what" grep -q "$what" /var/log/hydraguard/events.jsonl
done
agent_detach net >/dev/null 2>&1
finish
