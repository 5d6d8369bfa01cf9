#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# long: all guest suites together take longer than continuous integration should
# What goes on beside the commands: reloads under load, floods, several commands at once, mounts that
# come and go, the keeper's death.
# shellcheck disable=SC2016
here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"

EVENTS=/var/log/hydraguard/events.jsonl
W=/srv/keeper
mkdir -p $W/{ws,closed,both}
echo 'the-secret' >$W/closed/key
echo 'now-and-then' >$W/both/key
chown -R agent $W
cat >$W/one.yaml <<'END'
version: 1
name: one
rules:
  - allow read,exec /**
  - allow write /srv/keeper/ws/** /dev/null
  - deny all /srv/keeper/closed/** /srv/keeper/both/**
END
sed 's#deny.*#deny all /srv/keeper/closed/**#; s/name: one/name: two/' $W/one.yaml >$W/two.yaml
agent_attach one $W/one.yaml
# told_of AGENT FILTER: one of its last events is such.
told_of() { "$HG" tail --json --agent "$1" -n 20 | jq -e -s "map(select($2)) | length > 0"; }
status() { "$HG" status --json one | jq -r ".agents[0].$1"; }

# ---- fifty reloads while an agent tries without pause ----
# What both policies deny is never once readable; what one allows is, now and then.
cat >$W/try.py <<'END'
import os, sys, time
closed = both = tries = 0
while not os.path.exists("/srv/keeper/stop"):
    tries += 1
    for i, path in enumerate(("/srv/keeper/closed/key", "/srv/keeper/both/key")):
        try:
            os.close(os.open(path, os.O_RDONLY))
        except PermissionError:
            continue
        if i: both += 1
        else: closed += 1
print(tries, closed, both)
END
before=$(status denied)
LIMIT=200 in_cgroup one 1000 python3 $W/try.py >"$T/tries" 2>&1 &
wait_for 10 sh -c "[ \$($HG status --json one | jq -r '.agents[0].denied') -gt $((before + 20)) ]"
for n in {1..25}; do
	for policy in two one; do
		"$HG" reload --policy $W/$policy.yaml one >"$T/reload" 2>&1 || cp "$T/reload" "$T/failed"
	done
done
touch $W/stop
wait
read -r tries closed both <"$T/tries"
check '50 reloads: none failed' test ! -e "$T/failed"
check '50 reloads: what is always denied was never readable' test "$closed" = 0 -a "$tries" -gt 500
check '50 reloads: what one of them allows was, and not always' test "$both" -gt 0 -a "$both" -lt "$tries"
check '50 reloads: every attempt is counted' \
	test "$(($(status denied) - before))" = "$((2 * tries - both - closed))"
check 'the generation counts on' test "$(status generation)" = 51

# ---- a flood: everything is counted, and the log says what it lacks ----
sleep 1
before=$(status denied) lost_before=$(status lost) lines_before=$(wc -l <$EVENTS)
cat >$W/flood.py <<'END'
import os
for i in range(20000):
    try: os.open("/srv/keeper/closed/key", os.O_RDONLY)
    except PermissionError: pass
END
LIMIT=200 in_cgroup one 1000 python3 $W/flood.py
check 'flood: 20,000 attempts are 20,000 denials' test "$(($(status denied) - before))" = 20000
check 'flood: the rules'\'' hits add up to all' test "$(status 'rules | map(.hits) | add')" = \
	"$(($(status denied) + $(status logged) - $(status retired_hits) - $(status uncounted)))"
told()
{
	tail -n +$((lines_before + 1)) $EVENTS |
		jq -s 'map(select(.event == "file.access") | .hydraguard.count) | add // 0'
}
complete() { [ "$(($(told) + $(status lost) - lost_before))" = 20000 ]; }
check 'flood: events and losses are all of it' wait_for 20 complete
lost=$(($(status lost) - lost_before))
echo "# flood: $(told) told, $lost lost"
if [ "$lost" -gt 0 ]; then
	in_cgroup one 1000 cat $W/closed/key 2>/dev/null
	check 'flood: the record says how many are missing' wait_for 10 sh -c \
		"jq -e -s 'map(select(.event == \"events.lost\" or .hydraguard.missed > 0)) | length > 0' $EVENTS"
else
	skip 'flood: the record says how many are missing' 'nothing was lost'
fi
# Another agent's events are not lost in it.
mkdir -p "$CG/two"
agent_attach two $W/one.yaml
LIMIT=200 in_cgroup one 1000 python3 $W/flood.py &
in_cgroup two 1000 cat $W/closed/key 2>/dev/null
check 'flood: another agent'\''s event is there' wait_for 20 told_of two '.event == "file.access"'
wait
check 'flood: and nothing of it is lost' sh -c "$HG status --json two | jq -e '.agents[0].lost == 0'"

# ---- several commands at once ----
for n in {1..6}; do
	mkdir -p "$CG/many$n"
	"$HG" attach --cgroup "$CG/many$n" --name "many$n" --policy $W/one.yaml >"$T/many$n" 2>&1 &
done
wait
check 'six attached at once' sh -c "[ \$($HG list | grep -c '^many') = 6 ]"
for n in {1..6}; do
	"$HG" reload "many$n" >>"$T/many$n" 2>&1 &
	"$HG" status "many$n" >>"$T/many$n" 2>&1 &
	"$HG" list >/dev/null &
done
wait
check 'reloaded, asked and listed at once' sh -c "[ \$($HG list --json |
	jq '[.agents[] | select(.name | startswith(\"many\")) | select(.generation == 2)] | length') = 6 ]"
for n in {1..6}; do "$HG" detach "many$n" >>"$T/many$n" 2>&1 & done
wait
check 'detached at once' sh -c "! $HG list | grep -q '^many'"
check 'events are still numbered without a gap' sh -c "jq .seq $EVENTS |
	awk 'NR > 1 && \$1 != last + 1 { exit 1 } { last = \$1 }'"

# ---- mounts that come later ----
try_in() { in_cgroup one 1000 cat "$1/key" 2>/dev/null; }
new_mount()
{
	mkdir -p "$1" && mount -t tmpfs t "$1" && echo "${2-content}" >"$1/key" && chmod 755 "$1"
}
followed() { try_in "$1" | grep -q content; }
new_mount $W/ws/later
check 'a mount made later is followed' wait_for 5 followed $W/ws/later
new_mount "$W/ws/odd "$'\n''name'
check 'a mount with a space and a line feed in its name' wait_for 5 followed "$W/ws/odd "$'\n''name'
new_mount $W/closed/later
sleep 1.5
check 'a mount made later in a denied place is denied' sh -c "! $ACTS/as $CG/one 1000 9 cat $W/closed/later/key"
check 'and by the rule' wait_for 5 told_of one \
	'.file.path == "/srv/keeper/closed/later/key" and .hydraguard.reason == "rule"'
mkdir -p $W/ws/under
new_mount $W/ws/under/first
mount -t tmpfs over $W/ws/under
sleep 1.5
umount $W/ws/under
check 'a mount that was covered for a while' wait_for 5 followed $W/ws/under/first
in_namespace() { in_cgroup one 1000 unshare -Urm sh -c "mount -t tmpfs t $W/ws && echo x >$W/ws/f"; }
not_in_namespace() { ! in_namespace; }
check "a mount in a namespace of one's own has no name" not_in_namespace

# ---- the keeper stands still, or is gone ----
keeper() { pgrep -f '[h]ydraguard.*keeper' | head -n 1; }
check 'there is a keeper' keeper
kill -STOP "$(keeper)"
new_mount $W/ws/unnamed
sleep 1
check 'no keeper to name it: a new mount is denied' sh -c "! $ACTS/as $CG/one 1000 9 cat $W/ws/unnamed/key"
in_cgroup one 1000 cat $W/closed/key 2>/dev/null
kill -CONT "$(keeper)"
check 'it goes on: named' wait_for 5 followed $W/ws/unnamed
check 'and what was denied meanwhile is told' wait_for 5 told_of one \
	'.hydraguard.reason == "unmapped_filesystem"'
before=$(status denied)
kill -9 "$(keeper)"
check 'without a keeper the policy is enforced' sh -c "! $ACTS/as $CG/one 1000 9 cat $W/closed/key"
check 'without a keeper it is counted' test "$(status denied)" = $((before + 1))
check 'a command starts a new one' sh -c "$HG reload one"
check 'there is a keeper again' wait_for 5 keeper
in_cgroup one 1000 ls $W/closed 2>/dev/null
check 'the new one tells' wait_for 5 told_of one '.file.path == "/srv/keeper/closed"'
new_mount $W/ws/again
check 'and names' wait_for 5 followed $W/ws/again

# ---- a file system that never answers ----
cat >"$T/fuse.py" <<'END'
import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
fd = os.open("/dev/fuse", os.O_RDWR)
options = b"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % fd
if libc.mount(b"silent", sys.argv[1].encode(), b"fuse", 0, options):
    sys.exit(os.strerror(ctypes.get_errno()))
print("mounted", flush=True)
time.sleep(60)
END
modprobe fuse
mkdir -p $W/ws/silent
python3 "$T/fuse.py" $W/ws/silent >"$T/fuse" 2>&1 &
silent=$!
need wait_for 10 grep -q mounted "$T/fuse"
new_mount $W/ws/beside
check 'beside a file system that never answers, others are named' wait_for 15 followed $W/ws/beside
check 'and commands come to their end' timeout 20 "$HG" reload one
kill $silent
umount -l $W/ws/silent

# ---- the cgroup goes away, and its name comes back ----
mkdir "$CG/gone"
"$HG" attach --cgroup "$CG/gone" --name gone --policy $W/one.yaml >/dev/null 2>&1
rmdir "$CG/gone"
check 'a cgroup that is gone is said to be' sh -c "$HG status gone | grep -q gone"
mkdir "$CG/gone"
check 'another one of the same name is nobody'\''s' \
	sh -c "$ACTS/as $CG/gone 1000 9 cat $W/closed/key | grep -q secret"
check 'and its agent can be detached' "$HG" detach gone
check 'the new one can be attached' "$HG" attach --cgroup "$CG/gone" --name gone --policy $W/one.yaml
check 'and is confined' sh -c "! $ACTS/as $CG/gone 1000 9 cat $W/closed/key"

# ---- agents that run, and unload ----
LIMIT=60 in_cgroup one 1000 sleep 60 &
sleep 0.5
check 'unload refuses while agents are attached' sh -c "! $HG unload"
check 'and they stay confined' sh -c "! $ACTS/as $CG/one 1000 9 cat $W/closed/key"
check 'detach --kill' "$HG" detach --kill one
check 'nothing of it runs' cgroup_empty one
for name in two gone; do "$HG" detach $name >/dev/null 2>&1; done
check 'unload' "$HG" unload
finish
