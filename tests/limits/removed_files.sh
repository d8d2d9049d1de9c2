#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A segment that is removed gives its room back at once: nobody keeps it open,
# also none that torpord found when it started.
. "$(dirname "$0")/common.sh"

starts() {
  starts_torpord --torpor.data-dir=store --torpor.journal.file-bytes=4MiB
}

segments() { ls store/segments | wc -l; }

seq 1 2000000 >lines
starts
for stream in kept gone; do
  run 0 "$torpor" import lines --name "$stream" --quiet -d store
done
stops
before=$(segments)
[ "$before" -gt 1 ] || fail "only $before segments"
starts
for stream in kept gone; do # Opens them all.
  run 0 "$torpor" read "$stream" --count 2000000 -d store
done
run 0 "$torpor" delete gone -d store
for ((i = 0; i < 200 && $(segments) >= before; i++)); do
  read -rt 0.05 <> <(:)
done
[ "$(segments)" -lt "$before" ] || fail "no segment was removed"
read -rt 0.3 <> <(:)
equal "files that are removed and open" \
  "$(ls -l "/proc/$daemon/fd" | grep -c 'segments/.*(deleted)')" 0
stops
finish
