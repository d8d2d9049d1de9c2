#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A stream's name is a key and nothing else.
. "$(dirname "$0")/common.sh"

# What looks like a path is a name like any other and touches no file.
for name in ../x /etc/passwd .. '-n' '$(touch gone)' info tail \
  $'gr\xc3\xbc\xc3\x9fe' "$(printf 'a%.0s' {1..512})"; do
  run 0 "$torpor" append -- "$name" <<<"of $name"
  run 0 "$torpor" read -- "$name"
  prints "of $name"
done
[ ! -e gone ] || fail "a name was run"
[ ! -e ../x ] || fail "a name became a path"
equal "files beside the store" "$(ls)" "$(printf '%s\n' err out torpor-data)"
run 0 "$torpor" ls --json
equal "streams" "$(wc -l <out)" 9

# What is no name is wrong usage, in one sentence, and nothing is opened.
rm -r torpor-data
for name in '' "$(printf 'a%.0s' {1..513})" $'\xff' $'\xc3' $'\xed\xa0\x80' \
  $'\xc0\xaf' $'a\nb' $'a\x01' $'\x7f' $'\xc2\x85'; do
  run 2 "$torpor" create -- "$name"
  complains '1 to 512 bytes of UTF-8'
done
for command in append read tail info create delete close; do
  run 2 "$torpor" "$command" -- $'a\nb' </dev/null
  complains 'U\+000A'
done
run 2 "$torpor" info -- $'\xff'
complains 'is not UTF-8'
run 2 "$torpor" ls -- $'acme/\xff'
complains 'is not UTF-8'
run 2 "$torpor" ls --after $'\xc3'
complains 'is not UTF-8'
[ ! -e torpor-data ] || fail "a bad name made a store"

run 2 "$torpor" create $'\xff' --json
complains '^\{"error":\{"code":"invalid_argument","message":".*\\\\xff.*"\}\}$'
finish
