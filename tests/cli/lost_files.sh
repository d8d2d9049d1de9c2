#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Files of a store are gone, come back, or are older than the others.
. "$(dirname "$0")/common.sh"
export TORPOR_DATA_DIR=here

seq 1000 >part # 20 KB with what surrounds entries.

# grows N [SIGNAL]: appends N parts to a stream, then ends torpord.
grows() {
  starts_torpord --torpor.data-dir=here --torpor.journal.file-bytes=64KiB
  for ((i = 0; i < $1; ++i)); do
    run 0 "$torpor" append s --quiet --url unix:here/torpor.sock <part
  done
  kill "${2:--TERM}" "$daemon"
  wait "$daemon" 2>gone
}

# has N: the stream has as many parts, and nothing is damaged.
has() {
  run 0 "$torpor" verify
  run 0 "$torpor" read s --count 10000000
  equal "parts" $(($(wc -l <out) / 1000)) "$1"
}

# restores COPY: puts a copy of the store back.
restores() {
  rm -r here
  cp -r "$1" here
}

grows 20
has 20
cp -r here copy
segments=$(ls here/segments | wc -l)
[ "$segments" -ge 2 ] || fail "$segments segments, expected some"

# A segment that is away for a while: what is sealed meanwhile leaves gaps in what
# is left of the journal. They are no damage, and go when it is back.
one=$(ls here/segments | head -n 1)
mv "here/segments/$one" away
grows 20
grep -q segment-missing log || fail "no warning: $(cat log)"
run 1 "$torpor" verify
mv away "here/segments/$one"
has 40
for offset in $(LC_ALL=C grep -obUa state here/catalog/data.mdb | cut -d: -f1); do
  flip here/catalog/data.mdb $((offset + 6)) # The list of segments.
done
run 1 "$torpor" verify
run 0 "$torpor" repair --yes
has 40
grows 20
has 60
[ "$(ls here/journal | wc -l)" -le 4 ] || fail "left: $(ls here/journal)"

# All of them: nobody writes into what may be the place of another disk.
restores copy
mkdir away
mv here/segments/* away
run 1 "$torpor" append s <part
complains "'here/segments' has none of the $segments segments that the catalog lists; is its disk mounted"
run 1 "$torpor" verify
equal "segments" "$(ls here/segments)" ""
mv away/* here/segments
has 20

# The journal, of which the catalog knows that there was more.
restores copy
grows 1 -KILL
run 0 "$torpor" info s
rm here/journal/*
for command in 'read s' 'info s' 'ls' 'tail s' 'append s' 'verify'; do
  run 1 "$torpor" $command <part
done

# A catalog and a journal that are one seal older than the segments.
restores copy
grows 5
[ "$(ls here/segments | wc -l)" -gt "$segments" ] || fail "nothing was sealed"
rm -r here/catalog here/journal
cp -r copy/catalog copy/journal here
ls here/segments >before
run 1 "$torpor" append s <part
complains "catalog and journal are older than 'here/segments/.*restore newer 'here/catalog' and 'here/journal'"
run 1 "$torpor" verify
shows "^damaged: 'here/segments/.*': the catalog is older"
equal "segments" "$(ls here/segments)" "$(cat before)"
finish
