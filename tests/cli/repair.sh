#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A catalog that lost its list of segments gets it back from the files.
. "$(dirname "$0")/common.sh"

seq 1 1000000 >lines
for stream in a b c; do
  run 0 "$torpor" import lines --name "$stream" --quiet
done
segments=$(ls torpor-data/segments | wc -l)
[ "$segments" -gt 0 ] || fail "nothing was sealed"
run 0 "$torpor" repair
prints "the list of segments needs no repair; 'torpor verify' reads all the rest"
silent
cp -r torpor-data sound

# The state's value, in each page that has one.
for offset in $(grep -obUa state torpor-data/catalog/data.mdb | cut -d: -f1); do
  flip torpor-data/catalog/data.mdb $((offset + 6))
done
for command in ls verify 'read a' 'append a'; do
  run 1 "$torpor" $command <<<more
  complains "its state is damaged; restore data.mdb from a copy, or make it anew with 'torpor repair'$"
done
cp -r torpor-data damaged
run 1 "$torpor" repair
shows '^found: catalog .*: its state is damaged; restore data.mdb from a copy$'
shows '^can be written: [0-9]+ segments, and the journal from file [0-9]+ on$'
complains 'was not changed; .* --yes$'
run 1 "$torpor" verify
run 0 "$torpor" repair --yes --json
shows '^\{"findings":\["catalog .*"\],"written":true,"segments":[0-9]+,'
run 0 "$torpor" verify
shows '^read 3 streams, 3000000 entries'
run 0 "$torpor" append a --quiet <<<more
for stream in a b c; do
  run 0 "$torpor" read "$stream" --count 1000000
  cmp -s out lines || fail "stream $stream is not what it was"
done
run 0 "$torpor" repair
prints "the list of segments needs no repair; 'torpor verify' reads all the rest"

# A segment that is gone cannot be made up for.
rm -r torpor-data
cp -r sound torpor-data
gone=$(ls torpor-data/segments | head -n 1)
rm "torpor-data/segments/$gone"
run 1 "$torpor" repair --yes
complains 'from a copy'
run 1 "$torpor" verify
shows "^damaged: 'torpor-data/segments/$gone': "
run 1 "$torpor" read a
complains "stream 'a': entries [0-9]+ to [0-9]+ cannot be read: .*$gone"
run 0 "$torpor" append a --quiet <<<more # Nothing else is harmed.
run 0 "$torpor" tail a -n 1
prints more

# A chunk with a flipped byte costs its entries.
rm -r torpor-data
cp -r sound torpor-data
flip "torpor-data/segments/$gone" 5000
run 1 "$torpor" verify
shows "^damaged: stream 'a', entries 0 to [0-9]+: 'torpor-data/segments/$gone' is damaged"
run 1 "$torpor" read a
complains "stream 'a': entries 0 to [0-9]+ cannot be read: 'torpor-data/segments/$gone' is damaged at byte 64"
run 0 "$torpor" read b --count 1000000
cmp -s out lines || fail "an undamaged stream cannot be read"
run 0 "$torpor" repair
prints "the list of segments needs no repair; 'torpor verify' reads all the rest"

# An older catalog knows neither the streams nor the segments that came since.
export TORPOR_DATA_DIR=older
grows() {
  starts_torpord --torpor.data-dir=older --torpor.journal.file-bytes=1MiB
  for stream in "$@"; do
    run 0 "$torpor" append "$stream" --quiet --url "unix:older/torpor.sock" <big
  done
  kill "$daemon"
  wait "$daemon"
}
seq 20000 >big
grows a b c d
cp -r older/catalog old
before=$(ls older/segments | wc -l)
grows e f g h i j k l m n
[ "$(ls older/segments | wc -l)" -gt "$before" ] || fail 'nothing was sealed since'
cp -r older/catalog new
rm -r older/catalog
cp -r old older/catalog
run 1 "$torpor" read f
complains "'f' does not exist, or it is in what is damaged: 'older/journal/"
run 1 "$torpor" info f
complains 'what is damaged'
run 1 "$torpor" verify
shows "^damaged: 'older/segments/.*': the catalog is older"
run 1 "$torpor" repair --yes
complains "the catalog is older than 'older/segments/.*restore a newer 'older/catalog'"
run 1 "$torpor" append a --quiet <<<more
complains "the catalog is older than 'older/segments/"
rm -r older/catalog
mv new older/catalog
run 0 "$torpor" verify
run 0 "$torpor" read f --count 1000000
cmp -s out big || fail 'with its own catalog the store is not whole'

# Also when the segments that it lists are merged since.
run 0 "$torpor" compact
mv older/catalog new
cp -r old older/catalog
run 1 "$torpor" repair --yes
complains "the catalog is older than 'older/segments/"
rm -r older/catalog
mv new older/catalog
run 0 "$torpor" verify
finish
