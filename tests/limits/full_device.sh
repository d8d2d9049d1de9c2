#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A device that ends where its file system thinks there is room: the error comes
# late, from a write or from the sync.
. "$(dirname "$0")/disk.sh"

mkdir full small
mount -t tmpfs -o size=28m none small || { echo "skipped: no tmpfs"; exit 77; }
trap 'umount -l "$work/full" "$work/small" 2>/dev/null; rm -rf "$work"' EXIT
truncate -s 64m small/device
if ! mkfs.ext4 -q -F small/device 2>gone; then
  echo "skipped: no mkfs.ext4, $(tail -n 1 gone)"
  exit 77
fi
if ! mount -o loop,nodiscard small/device full 2>gone; then
  echo "skipped: no loop device, $(tail -n 1 gone)"
  exit 77
fi

starts
creates a
fills a
lives
grep -Eq 'journal-(full|failed)' log || fail "the log says nothing: $(cat log)"
[ "$(wc -l <log)" -lt 30 ] || fail "the log has $(wc -l <log) lines"
reads a
stops

# What the device has is there, and what it lost has a name. It gets its room
# first: without any, the file system cannot even repeat its own journal.
umount full
mount -o remount,size=80m small
mount -o loop,nodiscard small/device full
for ((i = 0; i < kept; ++i)); do # Each has 65,536 bytes.
  printf '\0\0\1\0'
  tail -c "+$((i * 65536 + 1))" sent-a | head -c 65536
done >expected
if "$torpor" read a -d "$store" -o length-prefixed >got 2>err; then
  cmp -n "$(stat -c %s expected)" got expected ||
    fail "'a' is not what was acknowledged"
else
  grep -Eq "corrupt|damaged|cannot be read|Input/output" err ||
    fail "it says: $(cat err)"
fi
finish
