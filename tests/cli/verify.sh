#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Damage is named, never served.
. "$(dirname "$0")/common.sh"

seq 1 3000 >lines
for stream in a b c; do
  run 0 "$torpor" import lines --name "$stream" --quiet
done
run 0 "$torpor" verify
shows '^read 3 streams, 9000 entries'
run 0 "$torpor" verify --json
shows '^\{"ok":true,"streams":3,"entries":9000,.*"damages":\[\]\}$'
run 0 "$torpor" verify --quiet
equal "quiet output" "$(cat out)" ""

# Each import opened the store: file 1 holds stream a.
file=torpor-data/journal/0000000001.journal
cp -r torpor-data sound
flip "$file" 4000
ls -l --time-style=full-iso torpor-data/journal >before
run 1 "$torpor" verify
shows "^damaged: '$file' at byte 0, "
shows "^damaged: stream 'a', entries 0 to 2999: "
complains "'torpor-data' is damaged in 2 places"
run 1 "$torpor" verify --json
shows '"ok":false,"streams":3,"entries":6000,'
shows '"stream":"a","first":0,"next":3000,'
complains '^\{"error":\{"code":"corrupt",'
run 1 "$torpor" read a
complains "stream 'a': entries 0 to 2999 cannot be read"
equal "served entries" "$(cat out)" ""
complains "'torpor verify'$" # No part of it can be read.
run 0 "$torpor" read b
cmp -s out lines || fail "an undamaged stream cannot be read"
ls -l --time-style=full-iso torpor-data/journal | cmp -s - before \
  || fail "looking changed the store"

# Who opens it for writing is told, once, and goes on.
run 0 "$torpor" append d <<<more
complains "^torpor: warning: '$file' is damaged at byte 0: .*; run 'torpor verify'$"
run 0 "$torpor" append a --json <<<more
complains '^\{"warning":\{"code":"corrupt","message":".* is damaged at byte 0: '
# What comes behind the damage can be read.
run 1 "$torpor" read a
complains "'torpor verify'; entries from 3000 on can be read with --from 3000$"
equal "served entries" "$(cat out)" ""
run 1 "$torpor" tail a -n 2
complains 'with --from 3000$'
run 0 "$torpor" read a --from 3000
prints more
starts_torpord --torpor.data-dir=torpor-data
kill "$daemon"
wait "$daemon"
grep -Eq " warning journal-damaged file=\"$file\" offset=0 bytes=[0-9]+ error=\".*\" hint=\"run 'torpor verify'\"$" log \
  || fail "no warning: $(cat log)"

# A file that is gone.
rm -r torpor-data
cp -r sound torpor-data
rm "$file"
run 1 "$torpor" verify
shows "^damaged: stream 'a', entries 0 to 2999: "

# The catalog.
rm -r torpor-data
cp -r sound torpor-data
catalog=torpor-data/catalog/data.mdb
run 0 "$torpor" append needle <<<x
for offset in $(LC_ALL=C grep -obUaP '\x06\x00needle' "$catalog" | cut -d: -f1); do
  flip "$catalog" $((offset + 2)) # The key in the table of names.
done
run 1 "$torpor" verify
shows "^damaged: '$catalog': .*: one of its names is damaged; restore data.mdb from a copy$"
complains "'.eedle' is damaged; restore data.mdb from a copy$"
# Where LMDB ends the process the last words say of which file.
for offset in $(LC_ALL=C grep -obUaP '\x07\x00records' "$catalog" | cut -d: -f1); do
  printf '\1\0\0\0\0\0\0\0' \
    | dd of="$catalog" bs=1 seek=$((offset + 2 + 7 + 40)) conv=notrunc status=none
done
run 134 "$torpor" info a
grep -q "^torpor: critical: catalog-damaged file=$catalog error=.* hint=\"restore it from a copy\"$" err \
  || fail "no last words: $(cat err)"
: >torpor-data/catalog/data.mdb
run 1 "$torpor" verify
complains "catalog"
echo nonsense >torpor-data/torpor.store
run 1 "$torpor" verify
complains "is not the identity of a Torpor store"
finish
