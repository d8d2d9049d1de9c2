#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A file system that is really full: appends are refused, all else goes on, and
# what there is room for again is taken without a restart.
. "$(dirname "$0")/disk.sh"
in_own_mounts "$0" "$@"
. "$(dirname "$0")/../cli/common.sh"

mkdir full
mount -t tmpfs -o size=24m none full || { echo "skipped: no tmpfs"; exit 77; }
trap 'umount -l "$work/full"; rm -rf "$work"' EXIT

starts
equal "a create" "$(create a)" 201
equal "a create" "$(create b)" 201
# Somebody else takes what is left, but for a few MiB.
head -c 8M /dev/zero >full/filler

fills a
lines=$(wc -l <log)
for _ in {1..20}; do
  equal "another append" "$(append a entry)" 503
done
grep -q 'journal-full' log || fail "the log says nothing: $(cat log)"
[ $(($(wc -l <log) - lines)) -le 3 ] || fail "a line per refusal: $(cat log)"
equal "readiness" "$(ask -o answer -w '%{http_code}' http://it/readyz)" 503
grep -q full answer || fail "readyz says: $(cat answer)"
reads a
equal "a delete" "$(ask -o answer -w '%{http_code}' -X DELETE \
  http://it/v1/stream/b)" 204

# Room that somebody else gives back.
rm full/filler
resumes a
kill -0 "$daemon" || fail "torpord ended"

# Room that deletes give back.
equal "a create" "$(create c)" 201
fills c
equal "a delete" "$(ask -o answer -w '%{http_code}' -X DELETE \
  http://it/v1/stream/c)" 204
resumes a
reads a

# Full again; now it is killed, and opened without room.
equal "a create" "$(create d)" 201
head -c 4M /dev/zero >full/filler
fills d
{ kill -KILL "$daemon"; wait "$daemon"; } 2>gone
starts
reads a
reads d
fills d # An opening gives some room back.
kill "$daemon"
wait "$daemon"
equal "its end on a full disk" $? 0
rm full/filler
starts
resumes d
reads a
reads d
kill "$daemon"
wait "$daemon"
run 0 "$torpor" verify -d full/store
finish
