#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Directories are exchanged between an allowed and a denied place without pause while agents open
# files deep below them: not one verdict may be of another moment.
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

SECONDS_LONG=${TORTURE_SECONDS:-20}
D=/srv/torture
mkdir -p "$D/allow" "$D/deny"
for n in 0 1 2 3; do
	mkdir -p "$D"/{allow,deny}/$n/a/b
	echo x | tee "$D"/{allow,deny}/$n/a/b/file >/dev/null
done
touch "$D/page"
chmod 666 "$D/page"

cat >"$T/torture.yaml" <<END
version: 1
name: torture
rules:
  - allow read,exec /**
  - allow write $D/page
  - deny all $D/deny/** [quiet]
END
for n in 1 2; do
	mkdir -p "$CG/torture$n"
	need "$HG" attach --cgroup "$CG/torture$n" --name "torture$n" --policy "$T/torture.yaml"
	LIMIT=300 in_cgroup "torture$n" 1000 "$ACTS/torture" reader "$D" "$SECONDS_LONG" >"$T/reader$n" 2>&1 &
done
ready()
{
	grep -q ready "$T/reader1" && grep -q ready "$T/reader2"
}
need wait_for 60 ready
"$ACTS/torture" mover "$D" "$((SECONDS_LONG - 2))" >"$T/mover" 2>&1
wait

moves=$(sed -n 's/^moves //p' "$T/mover")
if [ "${moves:-0}" -gt 1000 ]; then
	ok "directories were exchanged $moves times"
else
	not_ok 'directories are exchanged all the time' "$(cat "$T/mover")"
fi
for n in 1 2; do
	read -r _ checked _ allowed _ wrong < <(grep ^checked "$T/reader$n")
	if [ "${checked:-0}" -gt 1000 ] && [ "$wrong" = 0 ] && [ "$allowed" -gt 100 ] &&
		[ "$allowed" -lt "$((checked - 100))" ]; then
		ok "reader $n: $checked verdicts, $allowed of them allow, none wrong"
	else
		not_ok "reader $n: no verdict is wrong" "$(cat "$T/reader$n")"
	fi
done
for n in 1 2; do
	agent_detach "torture$n"
done
finish
