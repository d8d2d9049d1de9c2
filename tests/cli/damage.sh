#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Files that are cut off, empty or gone: the tool names them and what to do.
. "$(dirname "$0")/common.sh"

seq 1 3000 >lines
run 0 "$torpor" import lines --name a --quiet
run 0 "$torpor" append b <<<first
cp -r torpor-data sound
again() {
  rm -r torpor-data
  cp -r sound torpor-data
}
newest=torpor-data/journal/$(ls torpor-data/journal | tail -n 1)

# Cut within a frame: looked at, it says so; written to, it is kept as it is.
file=torpor-data/journal/0000000001.journal
truncate -s 5000 "$file"
for command in verify 'read a'; do
  run 1 "$torpor" $command
done
run 0 "$torpor" read b
prints first
run 1 "$torpor" verify
shows "^damaged: '$file' at byte 0, [0-9]+ bytes: "
shows "^damaged: stream 'a', entries 0 to 2999: "

# Empty, behind the newest one: it may have had entries.
again
: >"$newest"
run 1 "$torpor" append b <<<more
complains "'$newest' at byte 0: the file is cut off; .* restore the file from a copy"
[ -e "$newest" ] || fail "the refused opening has removed it"
run 1 "$torpor" verify
shows "^damaged: '$newest' at byte 0, the whole file: the file is cut off"

# The catalog.
again
echo nonsense >torpor-data/catalog/data.mdb
for command in verify 'read a' repair 'append a'; do
  run 1 "$torpor" $command <<<more
  complains "catalog 'torpor-data/catalog': .*; restore data.mdb from a copy"
done
finish
