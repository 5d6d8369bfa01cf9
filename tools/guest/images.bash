# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Builds what a test guest boots from, in $cache, outside the tree. Sourced by tools/vm, which sets
# $tools and $cache. Everything is built beside its final name and renamed, under one lock, so that
# a reader never sees half of it.

guest_packages=(
	bash coreutils util-linux procps kmod sudo file less tmux xz-utils tar rsync busybox-static
	iproute2 iputils-ping curl socat netcat-openbsd iperf3 dnsmasq nginx-light fcgiwrap spawn-fcgi
	openssh-client gnutls-bin openssl ca-certificates
	git gcc libc6-dev make python3 python3-venv python3-pip nodejs npm vim-tiny nano jq
	strace attr acl libcap2-bin inotify-tools e2fsprogs btrfs-progs xfsprogs fuse3
	apparmor
	bpftool libbpf1 libelf1 zlib1g libyaml-0-2 libjson-c5
)
kernels=(6.1 6.12)
# Nothing is written to the sparse parts: these sizes only bound what a test may use.
root_size=8G
scratch_size=4G

# Modules in the initramfs, beside those they depend on; a kernel may have any of them built in.
boot_modules=(virtio_pci virtio_blk virtio_console squashfs)

image_die()
{
	printf 'vm: %s\n' "$*" >&2
	exit 125
}

image_note()
{
	printf 'vm: %s\n' "$*" >&2
}

kernel_package()
{
	case $1 in
	6.1) echo linux-image-cloud-amd64 ;;
	6.12) echo linux-image-6.12-cloud-amd64 ;;
	*) image_die "no kernel $1: choose one of ${kernels[*]}" ;;
	esac
}

kernel_dir()
{
	echo "$cache/kernel-$1"
}

kernel_release()
{
	cat "$(kernel_dir "$1")/release"
}

hash_of()
{
	sha256sum | cut -c 1-16
}

programs_dir()
{
	echo "$cache/programs-$(cat "$tools"/guest/*.[ch] | hash_of)"
}

initramfs_path()
{
	local programs

	programs=$(programs_dir)
	echo "$(kernel_dir "$1")/initramfs-${programs##*-}-$(hash_of <<<"${boot_modules[*]}")"
}

# The recipe of the root disk is its packages, its kernels' modules and the function that makes it.
root_path()
{
	local kernel

	echo "$cache/root-$({
		echo "${guest_packages[*]} $root_size"
		for kernel in "${kernels[@]}"; do kernel_release "$kernel"; done
		declare -f root_make root_fill
	} | hash_of).ext4"
}

scratch_path()
{
	echo "$cache/scratch-$scratch_size.ext4"
}

# Building a root disk and installing packages need it; running a guest does not.
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# The payload of a bzImage is the compressed kernel; its place and length are in the boot header
# (Documentation/arch/x86/boot.rst) and its last four bytes are the length it unpacks to.
kernel_unpack()
{
	local image=$1 ret_file=$2 setup_sectors offset length magic unpack

	setup_sectors=$(od -An -tu1 -j$((0x1f1)) -N1 "$image")
	read -r offset length < <(od -An -tu4 -j$((0x248)) -N8 "$image")
	offset=$(((setup_sectors + 1) * 512 + offset))
	magic=$(od -An -tx1 -j"$offset" -N4 "$image" | tr -d ' ')
	case $magic in
	02214c18) unpack=(lz4 -d -c) ;;
	28b52ffd) unpack=(zstd -d -c) ;;
	fd377a58) unpack=(xz -d -c) ;;
	1f8b*) unpack=(gzip -d -c) ;;
	*) image_die "$image: unknown compression $magic" ;;
	esac
	head -c $((offset + length - 4)) "$image" | tail -c +$((offset + 1)) | "${unpack[@]}" >"$ret_file"
}

# Fails when the package lists are absent or name a version that is gone.
kernel_fetch()
{
	local package

	package=$(apt-cache depends "$(kernel_package "$1")" 2>/dev/null |
		awk '/Depends: linux-image/ && !name { name = $2 } END { print name }')
	[ -n "$package" ] || return 1
	(cd "$2" && apt-get download -q "$package" >"$2/log" 2>&1) || {
		cat "$2/log" >&2
		return 1
	}
}

kernel_make()
{
	local kernel=$1 work=$2 release

	image_note "fetching kernel $kernel"
	if ! kernel_fetch "$kernel" "$work"; then
		as_root apt-get update -q >&2
		kernel_fetch "$kernel" "$work" ||
			image_die "apt cannot fetch $(kernel_package "$kernel")"
	fi
	dpkg-deb -x "$work"/*.deb "$work/tree"
	release=$(basename "$work"/tree/boot/vmlinuz-*)
	release=${release#vmlinuz-}
	/sbin/depmod -b "$work/tree" "$release"
	kernel_unpack "$work/tree/boot/vmlinuz-$release" "$work/vmlinux"
	llvm-objcopy --dump-section ".BTF=$work/btf" "$work/vmlinux" /dev/null

	mkdir "$work/out"
	mv "$work/tree/boot/vmlinuz-$release" "$work/out/vmlinuz"
	mv "$work/tree/boot/config-$release" "$work/out/config"
	mv "$work/tree/lib" "$work/out/lib"
	echo "$release" >"$work/out/release"
	mv "$work/btf" "$cache/vmlinux-$kernel.btf"
	mv -T "$work/out" "$(kernel_dir "$kernel")"
}

programs_make()
{
	local work=$1 compile=(gcc -O2 -Wall -Wextra -static -D_GNU_SOURCE)

	mkdir "$work/out"
	"${compile[@]}" -o "$work/out/init" "$tools"/guest/{init,machine}.c
	"${compile[@]}" -o "$work/out/relay" "$tools/guest/relay.c"
	mv -T "$work/out" "$(programs_dir)"
}

initramfs_make()
{
	local kernel=$1 work=$2 dir release module verb file

	dir=$(kernel_dir "$kernel")
	release=$(kernel_release "$kernel")
	mkdir -p "$work"/tree/{dev,root}
	cp "$(programs_dir)/init" "$work/tree/init"
	: >"$work/tree/modules"
	for module in "${boot_modules[@]}"; do
		while read -r verb file _; do
			[ "$verb" = insmod ] || continue
			module=$(basename "$file")
			module=${module%.xz}
			[ ! -e "$work/tree/$module" ] || continue
			case $file in
			*.xz) xz -d -c "$file" >"$work/tree/$module" ;;
			*) cp "$file" "$work/tree/$module" ;;
			esac
			echo "/$module" >>"$work/tree/modules"
		done < <(/sbin/modprobe -d "$dir" -S "$release" --show-depends "$module")
	done
	(cd "$work/tree" && find . | cpio --quiet -o -H newc) >"$work/initramfs"
	find "$dir" -maxdepth 1 -name 'initramfs-*' -mtime +7 -delete
	mv "$work/initramfs" "$(initramfs_path "$kernel")"
}

# This host's own Debian mirrors, and nothing of other vendors that it may also use.
debian_sources()
{
	apt-get indextargets --format 'deb $(REPO_URI) $(CODENAME) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' |
		grep -E ' bookworm(-updates|-security)? ' | sort -u
}

# Runs as root: turns the plain tree of packages into a machine.
root_fill()
{
	local tree=$1 kernel
	shift

	mkdir -p "$tree/usr/lib/modules"
	for kernel in "$@"; do
		cp -a "$kernel"/lib/modules/. "$tree/usr/lib/modules/"
	done
	# No daemon starts when a test installs or reconfigures a package.
	printf '#!/bin/sh\nexit 101\n' >"$tree/usr/sbin/policy-rc.d"
	chmod 755 "$tree/usr/sbin/policy-rc.d"
	chroot "$tree" useradd -m -u 1000 -s /bin/bash agent
	echo guest >"$tree/etc/hostname"
	printf '127.0.0.1 localhost guest\n::1 localhost\n' >"$tree/etc/hosts"
	rm -f "$tree/etc/resolv.conf"
	echo 'nameserver 127.0.0.1' >"$tree/etc/resolv.conf"
	: >"$tree/etc/fstab"
	mkdir -p "$tree"/{src,share,scratch}
	chmod 1777 "$tree/tmp"
}

root_make()
{
	local work=$1

	debian_sources >"$work/sources.list"
	[ -s "$work/sources.list" ] || image_die "apt here has no package lists of Debian 12"
	image_note "building the guest's root disk (a minute or two)"
	as_root mmdebstrap --quiet --mode=root --variant=minbase \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="$(IFS=,; echo "${guest_packages[*]}")" \
		bookworm "$work/tree" "$work/sources.list" >&2
	as_root bash -c "set -euo pipefail; $(declare -f root_fill); root_fill \"\$@\"" root_fill \
		"$work/tree" "${kernels[@]/#/$cache/kernel-}"
	as_root truncate -s "$root_size" "$work/root.ext4"
	as_root mke2fs -q -F -t ext4 -m 0 -L root -E lazy_itable_init=0,lazy_journal_init=0 \
		-d "$work/tree" "$work/root.ext4" >&2
	as_root rm -rf "$work/tree"
	as_root chown "$(id -u):$(id -g)" "$work/root.ext4"
	find "$cache" -maxdepth 1 -name 'root-*.ext4' -mtime +7 -delete
	mv "$work/root.ext4" "$(root_path)"
}

scratch_make()
{
	local work=$1

	truncate -s "$scratch_size" "$work/scratch.ext4"
	mke2fs -q -F -t ext4 -m 0 -L scratch -E lazy_itable_init=0,lazy_journal_init=0 \
		"$work/scratch.ext4" >&2
	mv "$work/scratch.ext4" "$(scratch_path)"
}

# image_ensure PATH MAKER [ARG...]: runs MAKER in a fresh directory unless PATH is there. Holds the
# lock only for one thing at a time, so that what is ready can be used.
image_ensure()
{
	local path=$1 maker=$2
	shift 2

	[ ! -e "$path" ] || return 0
	mkdir -p "$cache"
	(
		exec 9>"$cache/lock"
		flock 9
		[ ! -e "$path" ] || exit 0
		work=$(mktemp -d "$cache/work.XXXXXX")
		trap 'as_root rm -rf "$work"' EXIT
		"$tools/setup" >&2 9>&-
		"$maker" "$@" "$work" 9>&-
	)
}

# Everything that a guest with this kernel needs. The root disk holds the modules of all kernels.
images_ensure()
{
	local kernel=$1 k

	for k in "${kernels[@]}"; do
		image_ensure "$(kernel_dir "$k")" kernel_make "$k"
	done
	image_ensure "$(programs_dir)" programs_make
	image_ensure "$(initramfs_path "$kernel")" initramfs_make "$kernel"
	image_ensure "$(scratch_path)" scratch_make
	image_ensure "$(root_path)" root_make
	touch -c "$(root_path)"
}
