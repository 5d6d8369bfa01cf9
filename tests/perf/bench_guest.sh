#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What each confinement adds to a system call, all measured in one boot of one guest; run by
# tools/bench. Prints records of words separated by tabs:
#   kernel RELEASE · call CASE CALL INSTRUCTIONS · load WHAT INSTRUCTIONS · memory WHAT BYTES
#   · skip CASE REASON
# A CASE and CALL may come several times, and `bare` does: before, between and after the others.
set -euo pipefail

build=/src/build
hydraguard=$build/hydraguard
root=/srv
program=/usr/local/bin/bench_syscalls
secret=/root/secret
cgroup=/sys/fs/cgroup/bench
work=$(mktemp -d)
# What fork(2) and execve(2) take depends on where things lie: thousands of instructions between one start
# of the same program and another.
sysctl -qw kernel.randomize_va_space=0

bench()
{
	"$program" "$@" "$root"
}

# fork+exec again and again: it differs by the process that forks.
repeat()
{
	local i

	for i in {1..10}; do
		"$@" --only fork_exec "$root"
	done
}

# Whatever is measured runs two cgroups deep, as agents do: sleeping and waking cost more there.
placed()
{
	(
		echo 0 >"$cgroup/all/cgroup.procs"
		"$@"
	)
}

# Runs a case's command and prints what it measured.
measure()
{
	local case=$1 line
	shift

	placed "$@" >"$work/measured" || {
		echo "bench: the case $case failed" >&2
		exit 1
	}
	while read -r line; do
		printf 'call\t%s\t%s\n' "$case" "$line"
	done <"$work/measured"
}

skip()
{
	printf 'skip\t%s\t%s\n' "$1" "$2"
}

# Two profiles of 20 rules that allow the same.
apparmor_profile()
{
	cat <<-'END'
		abi <abi/3.0>,
		profile bench {
		  / r,
		  /usr/** rmix,
		  /bin/** rmix,
		  /sbin/** rmix,
		  /lib/** rmix,
		  /lib64/** rmix,
		  /etc/** r,
		  /proc/** r,
		  /sys/** r,
		  /dev/null rw,
		  /dev/zero r,
		  /dev/urandom r,
		  /dev/pts/* rw,
		  /tmp/** rw,
		  /var/** r,
		  /srv/** rwmix,
		  deny /etc/shadow rw,
		  deny /root/** rwlmx,
		  deny /**/.env rwlmx,
		  network inet dgram,
		  network inet stream,
		}
	END
}

twenty_rules()
{
	cat <<-'END'
		version: 1
		name: twenty-rules
		rules:
		  - allow read /
		  - allow read,exec /usr/**
		  - allow read,exec /bin/**
		  - allow read,exec /sbin/**
		  - allow read,exec /lib/**
		  - allow read,exec /lib64/**
		  - allow read /etc/**
		  - allow read /proc/**
		  - allow read /sys/**
		  - allow read,write /dev/null
		  - allow read /dev/{zero,urandom}
		  - allow read,write /dev/pts/*
		  - allow read,write /tmp/**
		  - allow read /var/**
		  - allow all /srv/**
		  - deny all /etc/shadow
		  - deny all /root/**
		  - deny all **/.env
		  - allow connect 127.0.0.0/8:*
		  - allow listen 127.0.0.0/8:*
	END
}

# The same and 9,980 more, which are about other places.
ten_thousand_rules()
{
	twenty_rules | sed 's/^name: .*/name: ten-thousand/'
	seq -f '  - deny read /data/%g/secret' 9980
}

# A shipped policy, and what the benchmark needs beside it.
workspace_write()
{
	cat <<-'END'
		version: 1
		name: workspace-write
		extends: workspace-write
		workspace: /srv
		rules:
		  - deny read /root/secret
		  - allow connect 127.0.0.1:*
		  - allow listen 127.0.0.1:*
	END
}

# The network's rules, and what a program needs to run: on addresses, and on one name.
network()
{
	cat <<-END
		version: 1
		name: network
		resolvers: [$far]
		rules:
		  - allow read,exec /**
		  - allow write /dev/null
		  - allow connect $far:7000-7001
		  - allow connect $far:7003/udp
		  - allow connect bench.test:7002
	END
}

# By address alone, and 10,000 more about other addresses and names.
network_many()
{
	network | sed 's/^name: .*/name: network-many/'
	seq 5000 | awk '{ printf "  - allow connect 198.18.%d.%d:%d\n", $1 / 250, $1 % 250, 1000 + $1 }'
	seq -f '  - allow connect host%g.example:443' 5000
}

# A wire to another machine, which serves, and answers for names.
far=192.0.2.2
network_prepare()
{
	ip netns add far
	ip link add near0 type veth peer name far0 netns far
	ip addr add 192.0.2.1/24 dev near0
	ip link set near0 up
	ip -n far addr add $far/24 dev far0
	ip -n far link set far0 up
	ip -n far link set lo up
	echo "nameserver $far" >/etc/resolv.conf
	ip netns exec far dnsmasq --no-resolv --no-hosts --address=/bench.test/$far --bind-interfaces \
		--listen-address=$far --pid-file="$work/dnsmasq.pid" --cache-size=0
	cp "$build/tests/perf/bench_network" /usr/local/bin/
	ip netns exec far /usr/local/bin/bench_network serve $far >&2 &
}

wire()
{
	bench_network measure "$@" $far bench.test
}

# Kernel memory of the policy images that are loaded.
images_bytes()
{
	bpftool -j map show | jq '[.[] | select(.type == "array" and .bytes_value == 131072)
		| .bytes_value * .max_entries] | add // 0'
}

maps_bytes()
{
	bpftool -j map show | jq '[.[].bytes_memlock] | add // 0'
}

# timed WHAT HYDRAGUARD-ARGUMENT...: processor time, since waiting for a disk also moves the clock.
timed()
{
	local what=$1 took TIMEFORMAT='%3U %3S'
	shift

	took=$({ time "$hydraguard" "$@" >/dev/null 2>"$work/timed.err"; } 2>&1) || {
		cat "$work/timed.err" >&2
		return 1
	}
	awk -v what="$what" '{ printf "load\t%s\t%.0f\n", what, ($1 + $2) * 1e9 }' <<<"$took"
}

agents=()
# Starts an agent that waits, so that something is loaded.
agent_start()
{
	local name=$1 file=$2

	rm -f "$work/ready"
	"$hydraguard" run --quiet --policy "$file" --name "$name" -- \
		sh -c 'echo >"$1"; exec sleep 100000' sh "$work/ready" >&2 &
	agents+=($!)
	until [ -e "$work/ready" ]; do
		kill -0 $! || return 1
		sleep 0.01
	done
}

# Whole commands, as the user of the case at hand: "NAME<TAB>INSTRUCTIONS" for each.
commands()
{
	local prefix=("$@")

	"${prefix[@]}" "$program" --command tar \
		"rm -rf $root/out && mkdir $root/out && tar -C $root/out -xf $root/tree.tar" "$root"
	"${prefix[@]}" "$program" --command git_status "git -C $root/tree status >/dev/null" "$root"
	"${prefix[@]}" "$program" --command make "make -s -B -C $root/tree" "$root"
}

# A project of 200 files in 20 directories, of which make compiles ten.
commands_prepare()
{
	local i

	mkdir -p "$root/tree"
	for ((i = 0; i < 200; i++)); do
		mkdir -p "$root/tree/dir$((i % 20))"
		seq "$i" "$((i + 200))" >"$root/tree/dir$((i % 20))/file$i.txt"
	done
	for ((i = 0; i < 10; i++)); do
		printf '#include <stdio.h>\nint f%d(void) { return puts("%d"); }\n' $i $i \
			>"$root/tree/f$i.c"
	done
	printf 'all: $(patsubst %%.c,%%.o,$(wildcard *.c))\n' >"$root/tree/Makefile"
	tar -C "$root" -cf "$root/tree.tar" tree
	git -C "$root/tree" init -q
	git -C "$root/tree" add .
	git -C "$root/tree" -c user.name=b -c user.email=b@host.example commit -qm one
}

# Empty programs in place of those that an agent meets.
floor()
{
	"$build/tests/perf/bench_floor" "$build/tests/perf/floor.bpf.o" "$cgroup/floor" "$@"
}

agents_end()
{
	kill "${agents[@]}"
	wait "${agents[@]}" || :
	agents=()
	"$hydraguard" unload >&2
}

# with_apparmor CMD...: CMD, while the profile is loaded.
with_apparmor()
{
	if apparmor_parser -a "$work/profile"; then
		"$@"
		apparmor_parser -R "$work/profile"
	else
		skip apparmor "the kernel has no AppArmor"
	fi
}

# fork+exec by itself, before all else: what other calls do to the kernel's free memory moves it by more than
# what is measured.
bench_forks()
{
	local policy

	measure bare repeat "$program"
	measure floor repeat floor "$program"
	measure landlock repeat "$program" --landlock
	with_apparmor measure apparmor repeat aa-exec -p bench -- "$program"
	measure bare repeat "$program"
	agent_start first "$work/twenty-rules.yaml"
	agent_start second "$work/workspace-write.yaml"
	measure outside repeat "$program"
	for policy in twenty-rules workspace-write; do
		measure "$policy" repeat "$hydraguard" run --quiet --policy "$work/$policy.yaml" -- "$program"
	done
	agents_end
	measure bare repeat "$program"
}

bench_hydraguard()
{
	local bytes before all policy

	before=$(maps_bytes)
	timed programs run --policy "$work/twenty-rules.yaml" -- true
	timed workspace-write run --policy "$work/workspace-write.yaml" -- true
	timed compile check "$work/workspace-write.yaml"
	agent_start first "$work/twenty-rules.yaml"
	printf 'memory\tfixed\t%s\n' $(($(maps_bytes) - before - $(images_bytes)))
	printf 'memory\ttwenty-rules\t%s\n' "$(images_bytes)"
	bytes=$(images_bytes) all=$(maps_bytes)
	agent_start second "$work/workspace-write.yaml"
	bytes=$(($(images_bytes) - bytes))
	printf 'memory\tworkspace-write\t%s\n' $bytes
	printf 'memory\tagent\t%s\n' $(($(maps_bytes) - all - bytes))

	measure outside bench
	for policy in twenty-rules workspace-write; do
		measure "$policy" "$hydraguard" run --quiet --policy "$work/$policy.yaml" -- \
			"$program" --denied "$secret" "$root"
	done
	ten_thousand_rules >"$work/ten-thousand.yaml"
	measure ten-thousand "$hydraguard" run --quiet --policy "$work/ten-thousand.yaml" -- \
		"$program" --denied "$secret" --only open_deep "$root"
	network >"$work/network.yaml"
	network_many >"$work/network-many.yaml"
	measure outside wire
	for policy in network network-many; do
		measure "$policy" "$hydraguard" run --quiet --policy "$work/$policy.yaml" -- \
			bench_network measure --denied $far bench.test
	done
	measure outside commands
	measure workspace-write commands "$hydraguard" run --quiet --policy \
		"$work/workspace-write.yaml" --
	agents_end
}

if [ ! -x "$hydraguard" ]; then
	echo "bench: no $hydraguard: run make first" >&2
	exit 1
fi
printf 'kernel\t%s\n' "$(uname -r)"
touch "$secret"
mkdir -p $cgroup/{all,floor}
cp "$build/tests/perf/bench_syscalls" "$program"
apparmor_profile >"$work/profile"
commands_prepare
network_prepare
twenty_rules >"$work/twenty-rules.yaml"
workspace_write >"$work/workspace-write.yaml"
# What boot left to be done is done by then.
sleep 3

bench_forks
measure bare bench
measure bare wire
measure floor floor "$program" "$root"
measure floor floor bench_network measure $far bench.test
measure floor commands floor
measure landlock bench --landlock
with_apparmor measure apparmor aa-exec -p bench -- "$program" --denied "$secret" "$root"
measure bare bench
measure bare wire
measure bare commands
bench_hydraguard
measure bare bench
measure bare wire
measure bare commands
