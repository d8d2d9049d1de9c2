#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the tool tells of a whole store, and the bench that reads one.
. "$(dirname "$0")/common.sh"

# number KEY: the first of the last JSON; each segment has some of the same.
number() {
  grep -Eo "\"$1\":[0-9.]+" out | head -n 1 | cut -d : -f 2
}

run 0 "$torpor" bench read --streams 20 --entries 20 --entry-bytes 1000 \
  --long-mib 1 --journal-file-bytes 65536 --seconds 0.05 --data-dir read --json
silent
for key in warm_mib_per_s warm_cpu_us_per_mib warm_stream_mib_per_s \
  warm_p50_us warm_p99_us warm_reads cold_mib_per_s cold_cpu_us_per_mib \
  cold_stream_mib_per_s cold_p50_us cold_p99_us cold_reads segments_touched \
  segments_touched_max disk_reads disk_reads_max payload_bytes segments \
  segment_bytes journal_bytes parameters; do
  shows "\"$key\":"
done
shows '"disk_reads_max":1,'
equal "payload" "$(number payload_bytes)" $((20 * 20 * 1000 + 1048 * 1000))
run 2 "$torpor" bench read --payload wrong
complains "expected text or random"

# All of it is there and alive.
run 0 "$torpor" info -d read --json
cp out plain
shows '"damages":0,"streams":21,"disk_bytes":[0-9]+,"catalog_bytes":[0-9]+,'
shows '"live_share":1.0000,'
shows '"segments":\[\{"number":[0-9]+,"journal_first":1,'
shows '"unsealed_first":[0-9]+,"journal_first":[0-9]+,"journal_last":[0-9]+,'
equal "live entries" "$(number live_entries)" "$(number segment_entries)"
run 0 "$torpor" info --store -d read --json
cmp -s out plain || fail "--store tells other facts"
run 2 "$torpor" info --store name -d read
complains "'torpor info --help' explains"
run 0 "$torpor" info -d read
silent
shows '^live_share +100\.0 % \[#{30}\]$'
shows '^segment +journal +tier +size +streams +entries +oldest +newest +live$'
shows ' 100 %$'

# What is deleted is dead, until it is merged away.
all=$(sed -E 's/.*"segment_entries":([0-9]+).*/\1/' plain)
run 0 "$torpor" truncate bench/0000003 --before 20 -d read
run 0 "$torpor" info -d read --json
equal "live entries" "$(number live_entries)" $((all - 20))
shows '"live_share":0\.9[0-9]+,'

# A damaged segment is named, and the others are shown.
last=$(ls read/segments/*.segment | tail -n 1)
count=$(ls read/segments | wc -l)
: >"$last"
run 1 "$torpor" info -d read
equal "segments in the table" \
  "$(grep -Ec '^ +[0-9]+ +[0-9]+-[0-9]+ ' out)" "$count"
shows '^damages +1$'
shows "^        damaged: '$last' "
complains "1 of $count segments of 'read' cannot be read.*'torpor verify'"
run 1 "$torpor" info -d read --json
shows "\"damage\":\"'$last' "

# While somebody writes, nobody looks.
rm -r read
starts_torpord --torpor.data-dir=torpor-data
run 1 "$torpor" info --store
complains 'torpor-data.*in use|another process|locked'
kill "$daemon"
wait "$daemon"
finish
