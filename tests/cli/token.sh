#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A token is made, shown once, and only its hash goes to the file.
. "$(dirname "$0")/common.sh"

run 0 "$torpor" token --verbs read,append --prefix acme/ --comment 'acme, prod'
equal "printed lines" "$(wc -l <out)" 2
token=$(sed -n 1p out)
[[ $token =~ ^torpor_[0-9a-f]{64}$ ]] || fail "the token is '$token'"
hash=$(printf %s "$token" | sha256sum | cut -d' ' -f1)
equal "the line" "$(sed -n 2p out)" "append,read acme/ sha256:$hash # acme, prod"
grep -q 'shown this once' err || fail "no explanation: $(cat err)"

run 0 "$torpor" -q token --verbs admin --prefix '*'
silent
shows '^admin \* sha256:[0-9a-f]{64}$'
[ "$(sed -n 1p out)" != "$token" ] || fail "two tokens are the same"

run 0 "$torpor" token --verbs read --prefix a --json
shows '^\{"token":"torpor_[0-9a-f]{64}","line":"read a sha256:[0-9a-f]{64}"\}$'
silent

run 2 "$torpor" token --prefix a
complains '--verbs is required'
run 2 "$torpor" token --verbs read
complains '--prefix is required'
for verbs in write 'read, append' read, '' READ; do
  run 2 "$torpor" token --verbs "$verbs" --prefix a
  complains '--verbs: expected verbs: append, read or admin'
done
for prefix in '' 'a b' $'\xff' $'a\tb' "$(printf 'a%.0s' {1..513})"; do
  run 2 "$torpor" token --verbs read --prefix "$prefix"
  complains "--prefix: expected the beginning of streams' names"
done
run 2 "$torpor" token --verbs read --prefix a --comment $'a\nadmin * x'
complains '--comment: expected up to 512 bytes of UTF-8 in one line'
[ ! -e torpor-data ] || fail "a token made a store"
"$torpor" -q token --verbs read --prefix a >/dev/full 2>err
equal "the exit code on a full device" $? 1
finish
