#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A file system that is really full: appends are refused, all else goes on, and
# what there is room for again is taken without a restart.
. "$(dirname "$0")/disk.sh"

mkdir full
mount -t tmpfs -o size=24m none full || { echo "skipped: no tmpfs"; exit 77; }
trap 'umount -l "$work/full"; rm -rf "$work"' EXIT

starts
creates a
creates b
# Somebody else takes what is left, but for a few MiB.
head -c 8M /dev/zero >full/filler

fills a
lines=$(wc -l <log)
for _ in {1..20}; do
  append a entry
  answers 503
done
grep -q 'journal-full' log || fail "the log says nothing: $(cat log)"
[ $(($(wc -l <log) - lines)) -le 3 ] || fail "a line per refusal: $(cat log)"
ask GET /readyz
answers 503 full
reads a
removes b

# Room that somebody else gives back.
rm full/filler
resumes a
lives

# Room that deletes give back.
creates c
fills c
removes c
resumes a
reads a

# Full again; now it is killed, and opened without room.
creates d
head -c 4M /dev/zero >full/filler
fills d
dies
starts
reads a
reads d
fills d # An opening gives some room back.
stops
rm full/filler
starts
resumes d
reads a
reads d
stops
run 0 "$torpor" verify -d "$store"
finish
