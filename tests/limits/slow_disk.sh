#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A disk with 20 syncs a second under clients that do not wait: memory stays
# within its budget, the rest is refused, and what was taken is there.
. "$(dirname "$0")/common.sh"
store=store
streams=1000
connections=64

LD_PRELOAD=$bent_machine BENT_SYNC_MS=50 starts_torpord \
  --torpor.data-dir=store --torpor.memory.buffered-bytes-max=4MiB \
  --torpor.journal.file-bytes=16MiB --torpor.buffered.all.prefix=
"$torpor" bench http --url unix:store/torpor.sock --streams "$streams" \
  --connections "$connections" --entry-bytes 4096 --seconds 4 --warm-up 0 \
  --retry --json >bench 2>err &
bench=$!
# While it runs: the budget holds, and a stream has one deadline at most.
for ((i = 0; i < 6; i++)); do
  pause 0.5
  ask GET /metrics
  answers 200
  buffered=$(sed -n 's/^torpor_buffered_bytes \([0-9]*\)$/\1/p' answer)
  deadlines=$(sed -n 's/^torpor_wheel_deadlines \([0-9]*\)$/\1/p' answer)
  [ "$buffered" -le 4194304 ] || fail "$buffered bytes are buffered"
  [ "$deadlines" -le $((2 * streams + 100)) ] || fail "$deadlines deadlines"
done
wait "$bench"
equal "the load's end" $? 0
taken=$(sed -n 's/.*"200":\([0-9]*\).*/\1/p' bench)
refused=$(sed -n 's/.*"503":\([0-9]*\).*/\1/p' bench)
[ "${refused:-0}" -gt 0 ] || fail "nobody was refused: $(cat bench err)"
ask GET /metrics
grep -q 'torpor_http_errors_total{code="overloaded"}' answer \
  || fail "refused with another error: $(grep errors answer)"
peak=$(sed -n 's/VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$daemon/status")
# The program, the budget, and what a seal has in memory.
[ "$peak" -lt 120000 ] || fail "$peak KiB of memory"

# A stop syncs what is buffered, seals file by file and ends: some syncs, and 8
# for each file of the journal.
files=$(ls store/journal | wc -l)
bound=$((50 * (30 + 8 * files) + 2000))
since=$(now_ms)
stops
took=$(($(now_ms) - since))
[ "$took" -lt "$bound" ] || fail "a stop took $took ms, expected $bound at most"
found=$("$torpor" verify -d store \
  | sed -n 's/^read [0-9]* streams, \([0-9]*\) entries.*/\1/p')
[ "$found" -ge "$taken" ] || fail "$found entries, $taken were acknowledged"
[ "$found" -le $((taken + connections)) ] || fail "$found entries, $taken taken"
echo "$taken taken, $refused refused, $peak KiB at most, $files files of the" \
  "journal, stopped in $took ms" >&2
finish
