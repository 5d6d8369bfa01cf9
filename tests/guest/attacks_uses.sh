#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the words of `use` stand for. Each act has its effect without confinement, has none where the
# policy does not name the word, and has it again where it does. Then what no word opens, and what
# sandboxes and ordinary programs do under a shipped policy.
# shellcheck disable=SC2016
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

USES=$ACTS/uses PACKET=$ACTS/packet
WS=/srv/uses
mkdir -p "$CG/control" "$WS" /srv/arena/closed
chmod 1777 "$WS"
sysctl -q -w kernel.perf_event_paranoid=1
if [ ! "${CONTROL_ONLY-}" ]; then
	for name in wordless words sandboxed; do
		agent_attach $name "$POLICIES/$name.yaml"
	done
fi

printed() { grep -qaF "$word" "$T/out"; }
# go WHO UID CMD...: CMD, with a new word for each @; was there an effect?
go()
{
	local who=$1 uid=$2
	shift 2

	word=$(new_word)
	[ ! "$before" ] || "$before" "$word"
	in_turn "$who" "$uid" "${@//@/"$word"}"
	if "$effect"; then
		code=0
	else
		code=1$code
	fi
	[ ! "$after" ] || "$after"
	[ $code = 0 ]
}

# use [-u UIDS] [-w AGENT] [-o AGENT] [-e EFFECT] [-s BEFORE] [-c AFTER] NAME CMD...
#   -w  the agent that may not, default wordless   -o  the one that may, default words; - for none
use()
{
	local uids='1000 0' without=wordless with=words effect=printed before= after= option uid name
	local OPTIND=1

	while getopts u:w:o:e:s:c: option; do
		case $option in
		u) uids=$OPTARG ;;
		w) without=$OPTARG ;;
		o) with=$OPTARG ;;
		e) effect=$OPTARG ;;
		s) before=$OPTARG ;;
		c) after=$OPTARG ;;
		*) exit 2 ;;
		esac
	done
	shift $((OPTIND - 1))
	name=$1
	shift
	for uid in $uids; do
		if ! go control "$uid" "$@"; then
			if grep -q ^SKIP "$T/out"; then
				skip "uid $uid: $name" "$(sed -n 's/^SKIP //p' "$T/out")"
			else
				not_ok "uid $uid: $name" 'no effect without confinement' "$(said)"
			fi
		elif [ "${CONTROL_ONLY-}" ]; then
			ok "uid $uid: $name"
		elif go "$without" "$uid" "$@"; then
			not_ok "uid $uid: $name" 'THE ATTACK SUCCEEDS' "$(said)"
		elif [ "$with" != - ] && ! go "$with" "$uid" "$@"; then
			not_ok "uid $uid: $name" 'the word does not open it' "$(said)"
		else
			ok "uid $uid: $name"
		fi
	done
}

# ---- userns, mount, chroot ----
use 'userns by unshare' "$USES" userns-unshare @
use 'userns by clone3' "$USES" userns-clone @
own() { echo unshare -Urm --propagation unchanged "$@"; }
use -w sandboxed 'mount: a new one' $(own "$USES" mount-new /mnt @)
use -w sandboxed 'mount: fsmount and move_mount' $(own "$USES" mount-move /mnt @)
use -w sandboxed 'mount: fsmount, used by its descriptor' $(own "$USES" mount-by-fd @)
use -w sandboxed 'mount: a copy of a tree' $(own "$USES" mount-tree /dev/shm /mnt @)
use -w sandboxed 'mount: other flags' $(own "$USES" mount-flags / @)
use -u 0 'chroot as root' chroot / echo @
use -w sandboxed 'chroot in a namespace of its own' unshare -Ur chroot / echo @

# A process that has mounts of its own before it becomes the agent's.
entered()
{
	local who=$1 uid=$2 pid
	shift 2

	word=$(new_word)
	rm -f "$T/go" && mkfifo "$T/go" && chmod 666 "$T/go"
	in_cgroup control "$uid" unshare -Urm bash -c 'mount -t tmpfs t /mnt && cd /mnt && echo $$ &&
		read -r <"$0" && exec "$@"' "$T/go" "${@//@/"$word"}" >"$T/out" 2>"$T/err" &
	wait_for 10 grep -q . "$T/out"
	read -r pid <"$T/out"
	echo "$pid" >"$CG/$who/cgroup.procs"
	echo >"$T/go"
	wait
	printed
}
for act in 'mount-away /mnt' 'mount-pivot /mnt' 'mount-pick /mnt'; do
	for uid in 1000 0; do
		# shellcheck disable=SC2086
		if ! entered control $uid "$USES" $act @; then
			not_ok "uid $uid: $act" 'no effect without confinement' "$(code=0 said)"
		elif [ "${CONTROL_ONLY-}" ]; then
			ok "uid $uid: $act"
		elif entered sandboxed $uid "$USES" $act @; then
			not_ok "uid $uid: $act" 'THE ATTACK SUCCEEDS' "$(code=0 said)"
		elif ! entered words $uid "$USES" $act @; then
			not_ok "uid $uid: $act" 'the word does not open it' "$(code=0 said)"
		else
			ok "uid $uid: $act"
		fi
	done
done

# ---- bpf, perf ----
use -u 0 'bpf: a map' "$ACTS/escape" bpf-map @
use -u 0 -o - 'bpf: others by number' "$USES" bpf-others @
use -u 0 -w words -o - 'bpf: others by number, where bpf is named' "$USES" bpf-others @
if [ ! "${CONTROL_ONLY-}" ]; then
	pin=/sys/fs/bpf/hydraguard/maps/agents
	use -u 0 -w words -o - 'bpf: a pin of the guard, where bpf is named' \
		"$ACTS/escape" bpf-get "$pin" @
fi
use 'perf: of oneself' "$USES" perf 0 @
use -u 0 -w words -o - 'perf: of another process, where perf is named' "$USES" perf 1 @

# ---- modules ----
# The first of these that is no part of this kernel and not in use.
for fs in xfs f2fs nilfs2 ocfs2 hfsplus; do
	modinfo -n $fs 2>/dev/null | grep -q / && ! grep -q "^$fs " /proc/modules && break
done
unload() { modprobe -q -r $fs; modprobe -q -r dummy; }
loaded() { grep -q "^$fs " /proc/modules; }
is_dummy() { grep -q '^dummy ' /proc/modules; }
use -w sandboxed -e loaded -c unload "module: the kernel loads $fs" $(own "$USES" fs-open $fs)
file=$(modinfo -n dummy)
case $file in
*.xz) xz -dc "$file" >"$T/dummy.ko" ;;
*) cp "$file" "$T/dummy.ko" ;;
esac
chmod 644 "$T/dummy.ko"
use -u 0 -e is_dummy -c unload 'module: from a file' "$USES" module-file "$T/dummy.ko" @
use -u 0 -e is_dummy -c unload 'module: from memory' "$USES" module-bytes "$T/dummy.ko" @

# ---- keys ----
plant_key()
{
	in_cgroup control "$uid" "$USES" key-add planted "$1" >/dev/null
}
use 'keyring: a key made' "$USES" key-add made @
use -s plant_key 'keyring: a key of its user' "$USES" key-read planted
use -u 0 -s plant_key 'keyring: keys by their numbers' "$USES" key-guess
printf '#!/bin/sh\necho "$@" "$(keyctl rdescribe $2 2>&1)" >>%s/upcall; cat /proc/keys >>%s/upcall\n' \
	"$T" "$T" >/sbin/request-key
chmod 755 /sbin/request-key
clear_calls() { rm -f "$T/upcall"; }
called() { wait_for 1 test -s "$T/upcall"; }
use -s clear_calls -e called 'keyring: a program that the kernel starts' "$USES" key-request "$RANDOM@"

# ---- io_uring ----
plant_file()
{
	echo "$1" >"$WS/file"
	chmod 644 "$WS/file"
}
for mode in task worker poll; do
	use -s plant_file "io_uring ($mode)" "$ACTS/uring" read $mode "$WS/file"
done

# ---- sockets ----
modprobe -q -a vsock_loopback algif_hash af_alg
use -u 0 'raw-socket' "$PACKET" family 2 3 17 @
use -u 0 'raw-socket, IPv6' "$PACKET" family 10 3 58 @
use -u 0 'packet-socket' "$PACKET" family 17 3 0 @
use -u 0 'packet-socket, the old way' "$PACKET" family 2 10 0 @
use 'netlink: socket diagnosis' "$PACKET" family 16 3 4 @
use 'vsock' "$PACKET" family 40 1 0 @
use -o - 'a family without a word' "$PACKET" family 38 5 0 @
use -w words -o - 'a family without a word, where all words are named' \
	"$PACKET" family 38 5 0 @
for who in wordless words; do
	use -u 0 -w $who -o - "AF_XDP, $who" "$PACKET" family 44 3 0 @
	use -u 1000 -w $who -o - "AF_XDP in a network of its own, $who" unshare -Urn "$PACKET" family 44 3 0 @
	use -w $who -o - "the kernel's crypto, $who" "$PACKET" alg @
done
if modprobe -q tun && ip tuntap add dev tap9 mode tap user 1000; then
	use -u 1000 'packet-socket: a tap device that was there' "$USES" tun-open tap9 @
fi
# A wire of which everything that is put on it is written down.
ip link add wire0 type dummy && ip link set wire0 up
ip addr add 198.51.100.1/24 dev wire0
"$ACTS/listen" "$T/received" "$T/ready" udp:127.0.0.1:7002 wire:wire0 >/dev/null &
disown
need wait_for 10 test -e "$T/ready"
arrived() { wait_for 1 grep -qaF "$word" "$T/received"; }
# Made outside, and handed in: the agent's cgroup is entered behind it.
use_handed()
{
	local uid name='raw-socket: one that was made outside'

	for uid in 1000 0; do
		handed control && outside=1 || outside=
		if [ ! "$outside" ]; then
			not_ok "uid $uid: $name" 'no effect without confinement' "$(said)"
		elif [ "${CONTROL_ONLY-}" ]; then
			ok "uid $uid: $name"
		elif handed wordless; then
			not_ok "uid $uid: $name" 'THE ATTACK SUCCEEDS' "$(said)"
		elif ! handed words; then
			not_ok "uid $uid: $name" 'the word does not open it' "$(said)"
		else
			ok "uid $uid: $name"
		fi
	done
}
handed()
{
	word=$(new_word)
	code=0
	"$USES" raw-hand "$ACTS/as" "$CG/$1" "$uid" 10 "$USES" raw-send 127.0.0.1 7002 "$word" \
		</dev/null >"$T/out" 2>"$T/err" || code=$?
	[ $code = 0 ] && arrived
}
use_handed
# The kernel reports groups that are joined, their addresses' bytes included: 239.x.y.z, or ff1e:x…
reported() { wait_for 2 grep -qaF ".${word:0:3}" "$T/received" && grep -qa '^wire:wire0: \.\.^' "$T/received"; }
reported_6() { wait_for 2 grep -qaF "..${word:0:14}" "$T/received"; }
unheard() { : >"$T/received"; }
for how in join join-by-v6 join-any; do
	use -s unheard -e reported "raw-socket: a multicast group: $how" "$PACKET" $how wire0 @
done
for how in join-source join-any-source; do
	use -s unheard -e reported "raw-socket: a multicast group: $how" "$PACKET" $how wire0 @ 198.51.100.1
done
for how in join6 join6-any; do
	use -s unheard -e reported_6 "raw-socket: a multicast group: $how" "$PACKET" $how wire0 @
done
for mode in task worker poll; do
	use -s unheard -e reported "raw-socket: a multicast group by io_uring ($mode)" \
		"$ACTS/uring" join $mode wire0 @
done

# ---- device files ----
mkdir -p "$WS/nodes"
node()
{
	need mknod -m 666 "$WS/nodes/$1" "${@:2}"
}
node null c 1 3
node mem c 1 1
node kmsg c 1 11
node loop-control c 10 237
node disk b "$(stat -c '0x%t 0x%T' /dev/vda | cut -d ' ' -f 1)" 0
chmod 666 /dev/loop-control
made() { [ -c "$WS/new" ]; }
unmade() { rm -f "$WS/new"; }
modprobe -q loop
use -u 0 -e made -c unmade 'device-node: made' mknod "$WS/new" c 1 3
use 'device-node: one that is elsewhere' "$USES" device-open "$WS/nodes/loop-control" @
use -u 0 -o - 'the memory, elsewhere' "$USES" device-read "$WS/nodes/mem" 64 @
use -u 0 -w words -o - 'the memory, elsewhere, where all words are named' \
	"$USES" device-read "$WS/nodes/mem" 64 @
use -w words -o - "the kernel's log, elsewhere, where all words are named" \
	"$USES" device-write "$WS/nodes/kmsg" @
use -u 0 'raw-disk' "$USES" device-read /dev/vda 512 @
use 'raw-disk: elsewhere' "$USES" device-read "$WS/nodes/disk" 512 @

# What is below a file system by a character device. Numbers that differ from boot to boot are known by
# their driver's name; the agent `nodes` has the word for nodes alone.
if [ ! "${CONTROL_ONLY-}" ]; then
	printf 'version: 1\nname: nodes\nrules:\n  - allow all /**\n  - allow use device-node\n' >"$T/nodes.yaml"
	agent_attach nodes "$T/nodes.yaml"
fi
# elsewhere NAME FILE: a node with the number of FILE.
elsewhere() { node "$1" c "$(stat -c '0x%t' "$2")" "$(stat -c '0x%T' "$2")"; }
# below NAME DISK VERB FILE: what root outside wrote to DISK, read by way of FILE.
below()
{
	disk=$2
	if [ ! -c "$4" ]; then
		skip "$1" 'this kernel has no such device'
		return
	fi
	elsewhere "${4//\//_}" "$4"
	use -u 0 -o - -s planted "$1" "$USES" "$3" "$4"
	use -u 0 -w nodes -o words -s planted "$1, elsewhere" "$USES" "$3" "$WS/nodes/${4//\//_}"
}
planted() { printf %s "$1" | dd of="$disk" bs=4096 conv=sync,notrunc oflag=direct 2>/dev/null; }
modprobe -q scsi_debug dev_size_mb=8 && wait_for 10 ls -d /dev/bsg/*:* >/dev/null
modprobe -q -a sg sd_mod
for bsg in /dev/bsg/*:*; do
	scsi=${bsg#/dev/bsg/}
	wait_for 10 ls -d "/sys/class/scsi_device/$scsi/device/block" >/dev/null
	below 'raw-disk: SCSI commands by bsg' "/dev/$(ls "/sys/class/scsi_device/$scsi/device/block")" bsg-read "$bsg"
	break
done
# An NVMe controller of this machine's own, with a namespace in a file.
if modprobe -q nvme-loop; then
	mount -t configfs c /sys/kernel/config 2>/dev/null
	truncate -s 8M /scratch/nvme.img
	n=/sys/kernel/config/nvmet
	mkdir -p $n/subsystems/s/namespaces/1 $n/ports/1
	echo 1 >$n/subsystems/s/attr_allow_any_host
	echo -n /scratch/nvme.img >$n/subsystems/s/namespaces/1/device_path
	echo 1 >$n/subsystems/s/namespaces/1/enable
	echo -n loop >$n/ports/1/addr_trtype
	ln -s $n/subsystems/s $n/ports/1/subsystems/s
	echo transport=loop,nqn=s >/dev/nvme-fabrics
	wait_for 10 test -b /dev/nvme0n1
fi
below 'raw-disk: NVMe commands by a namespace' /dev/nvme0n1 nvme-read /dev/ng0n1
below 'raw-disk: NVMe commands by a controller' /dev/nvme0n1 nvme-read /dev/nvme0
if modprobe -q nvme-fabrics && [ -c /dev/nvme-fabrics ]; then
	elsewhere fabrics /dev/nvme-fabrics
	use -u 0 -w nodes "raw-disk: another machine's disks, elsewhere" "$USES" device-open "$WS/nodes/fabrics" @
fi
# A device of the bus whose registers are mapped by it.
modprobe -q uio_pci_generic && echo 8086 7000 >/sys/bus/pci/drivers/uio_pci_generic/new_id
if wait_for 3 test -c /dev/uio0; then
	elsewhere uio /dev/uio0
	use -u 0 -o - "a device's registers" "$USES" device-open /dev/uio0 @
	use -u 0 -w words -o - "a device's registers, where all words are named" "$USES" device-open /dev/uio0 @
	use -u 0 -w words -o - "a device's registers, elsewhere, where all words are named" \
		"$USES" device-open "$WS/nodes/uio" @
else
	skip "a device's registers" 'no such device'
fi
if [ -c /dev/hpet ]; then
	elsewhere hpet /dev/hpet
	use -u 0 -w words -o - "the registers of a timer, elsewhere, where all words are named" \
		"$USES" device-open "$WS/nodes/hpet" @
fi
# What has a number for good: machines, keyboards, other people's file systems.
modprobe -q -a fuse dm_mod kvm uinput uhid vfio vhost_net vhost_vsock cuse
for number in '10 229' '10 203' '10 236' '10 223' '10 239' '10 232' '10 196' '10 238' '10 241' '10 234'; do
	# shellcheck disable=SC2086
	node "misc-${number#* }" c $number
	if ! "$USES" device-open "$WS/nodes/misc-${number#* }" x >/dev/null 2>&1; then
		skip "device-node: $number elsewhere" 'no such device'
		continue
	fi
	use -u 0 "device-node: $number elsewhere" "$USES" device-open "$WS/nodes/misc-${number#* }" @
done

# ---- anonymous-exec ----
cp "$ACTS/tool" "$WS/tool"
has_run() { grep -qF MARKER-GOES-HERE "$T/out"; }
use -e has_run 'anonymous-exec: a memfd run' "$ACTS/read" memfd-run "$WS/tool"

# ---- capabilities ----
use -u 0 'cap:SYS_TIME' "$USES" set-time @
use -u 0 'cap:SYSLOG' "$USES" log-read @
use -u 0 'cap:SYS_TTY_CONFIG: vhangup' "$USES" hang-up @
lo_named() { ip link show lo | grep -qF "$word"; }
use -u 0 -w words -o - -e lo_named 'a capability whose word is not named' ip link set lo alias @

# ---- what a shipped policy leaves working, for both users; nothing of it is denied ----
[ ! "${CONTROL_ONLY-}" ] || finish
cat >"$T/worker.yaml" <<END
version: 1
name: worker
extends: workspace-write
workspace: $WS
rules:
  - deny use perf [quiet]
  - allow use netlink [log]
END
agent_attach worker "$T/worker.yaml"
# honest NAME SCRIPT: run in the workspace as both users; says `word` at its end.
honest()
{
	local uid lines

	for uid in 1000 0; do
		lines=$(grep -c '"denied"' /var/log/hydraguard/events.jsonl)
		word=$RANDOM$RANDOM code=0
		in_cgroup worker $uid env word=$word bash -ec "cd $WS; mkdir -p $uid; cd $uid; $2" \
			>"$T/out" 2>"$T/err" || code=$?
		if ! printed; then
			not_ok "uid $uid: $1" "$(said)" \
				"$("$HG" tail --agent worker | tail -n 3)"
		elif [ "$(grep -c '"denied"' /var/log/hydraguard/events.jsonl)" != "$lines" ]; then
			not_ok "uid $uid: $1" 'works, but something is denied' \
				"$("$HG" tail --agent worker | tail -n 3)"
		else
			ok "uid $uid: $1"
		fi
	done
}
honest 'a sandbox of namespaces, mounts and pivot_root' '
	mkdir -p root/{old,usr,dev,proc,work}; ln -sf usr/lib usr/lib64 usr/bin root
	unshare -Urmpf --propagation unchanged sh -ec "
		mount -n --make-rprivate /; mount -n --bind root root; cd root
		mount -n --rbind /usr usr; mount -n --rbind /dev dev; mount -n --bind .. work; mount -n -t proc p proc
		mount -n -t tmpfs t old; umount -n old
		pivot_root . old; umount -n -l /old; echo x >/work/written; exec echo $word"
	[ -e written ]'
honest 'a shell with job control in a terminal' '
	script -qec "bash -ic '"'"'stty size; sleep 0.2 & fg; stty -echo; stty echo; tty'"'"'" /dev/null
	echo $word'
honest 'git and python' '
	git init -q r; cd r; echo x >f; git add f
	git -c user.name=a -c user.email=a@host.example commit -qm one
	python3 -c "import subprocess, socket; socket.socketpair(); subprocess.check_call([\"true\"])"
	echo $word'
honest 'a chroot of a directory' 'unshare -Ur chroot / echo $word'

# ---- the record ----
events() { jq -r "$1" /var/log/hydraguard/events.jsonl | sort -u; }
in_cgroup worker 1000 "$USES" perf 0 x
in_cgroup worker 1000 "$PACKET" family 16 3 4 x >"$T/out"
in_cgroup worker 1000 "$USES" key-add x x
in_cgroup sandboxed 1000 unshare -Urm --propagation unchanged "$USES" fs-open $fs
denied_key()
{
	events 'select(.event == "privilege.use" and .hydraguard.action == "keyring") |
		[.hydraguard.verdict, .hydraguard.reason] | join(" ")' | grep -qx 'denied default'
}
check 'a denial by default is told' wait_for 5 denied_key
logged_netlink()
{
	events 'select(.hydraguard.action == "netlink" and .hydraguard.verdict == "allowed") |
		[.security_rule.name, .hydraguard.rule_at, .hydraguard.socket.family] | join(" ")' |
		grep -qx "allow use netlink \[log\] $T/worker.yaml:7 netlink"
}
check '[log] tells which rule allowed it' wait_for 5 logged_netlink
named_module()
{
	events 'select(.hydraguard.action == "module") | .hydraguard.module' | grep -qx "fs-$fs"
}
check 'which module was asked for is told' wait_for 5 named_module
quiet_perf() { ! events 'select(."gen_ai".agent.name == "worker") | .hydraguard.action' | grep -qx perf; }
check '[quiet] tells nothing' quiet_perf
counted_perf() { "$HG" status worker | grep -qE '^ *1 .*deny use perf'; }
check 'but counts' counted_perf
finish
