#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What goes in comes out, in order and byte for byte.
. "$(dirname "$0")/common.sh"

run 0 "$torpor" append a <<<$'one\ntwo\n\nfour'
prints "first 0 next 4"
run 0 "$torpor" append a --json < <(printf 'no newline')
prints '{"name":"a","first":4,"next":5,"duplicate":false}'
run 0 "$torpor" read a
prints one two '' four 'no newline'
run 0 "$torpor" read a --from 1 --count 2
prints two ''
run 0 "$torpor" read a --bytes 1
prints one
run 0 "$torpor" read a --bytes 6
prints one two ''
run 0 "$torpor" read a --from 5
equal "entries at the end" "$(cat out)" ""
run 1 "$torpor" read a --from 6
complains 'ends before sequence 5'
run 0 "$torpor" tail a -n 2
prints four 'no newline'
run 0 "$torpor" tail a -n 0
equal "no entries" "$(cat out)" ""
run 0 "$torpor" read a --from-time 9999999999999
equal "entries of the future" "$(cat out)" ""
run 0 "$torpor" read a --from-time 0 --count 1
prints one

# JSON escapes what has to be escaped, and bytes that are not text are base64.
printf '"\\\t\x01\x7f\xc3\xa4\n\xff\x00a\n' | run 0 "$torpor" append j
run 0 "$torpor" read j --json
shows '"seq":0,"time_ms":[0-9]+,"payload":"\\"\\\\\\t\\u0001.*"'
shows '"seq":1,"time_ms":[0-9]+,"payload_base64":"/wBh"'
if command -v python3 >python; then
  python3 - <<'END' || fail "no JSON"
import json
lines = [json.loads(line) for line in open("out", encoding="utf-8")]
assert lines[0]["payload"] == '"\\\t\x01\x7f\u00e4', lines
END
fi

# Length-prefixed entries hold any bytes.
printf '\x03\0\0\0a\nb\0\0\0\0\x01\0\0\0\0' >prefixed
run 0 "$torpor" append p --length-prefixed <prefixed
prints "first 0 next 3"
run 0 "$torpor" read p --output length-prefixed
cmp -s out prefixed || fail "length-prefixed entries changed"
for cut in 1 4 6; do
  head -c "$cut" prefixed | run 1 "$torpor" append p --length-prefixed
  complains 'ends inside of entry 0'
done
printf '\x01\0\0\0a\x01\0\0\x01b' >claims
run 1 "$torpor" append p --length-prefixed <claims
complains 'entry 1 claims 16777217 bytes, the limit is 16777216'
run 0 "$torpor" info p --json
shows '"next":3,'

# Nothing to append is not a success.
run 1 "$torpor" append p </dev/null
complains 'has no entry'
head -c 33554433 /dev/zero | run 1 "$torpor" append p
complains 'more than 33554432 bytes.*import'
head -c 16777217 /dev/zero | run 1 "$torpor" append p
complains '16777216'
head -c 16777216 /dev/zero | run 0 "$torpor" append p
run 0 "$torpor" read p --from 3
equal "bytes of the largest entry" "$(wc -c <out)" 16777217

# Conditions.
run 1 "$torpor" append a --expected-next 4 <<<x
complains 'conflict|expected|next'
run 0 "$torpor" append a --expected-next 5 <<<x
prints "first 5 next 6"
for try in 1 2; do
  run 0 "$torpor" append a --producer me --number 0 <<<once
done
prints "first 6 next 7 duplicate"
run 1 "$torpor" append a --producer me --number 7 <<<gap
run 0 "$torpor" append a --producer me --epoch 1 --number 0 <<<anew
run 1 "$torpor" append a --producer me --number 1 <<<late
run 0 "$torpor" append a --ack buffered <<<soon
run 0 "$torpor" tail a -n 2
prints anew soon

# Ends.
run 0 "$torpor" close a
prints "closed a"
run 0 "$torpor" close a --quiet
equal "quiet output" "$(cat out)" ""
run 1 "$torpor" append a <<<x
complains "stream 'a' is closed"
run 0 "$torpor" tail a -n 1
prints soon
run 0 "$torpor" delete a
run 1 "$torpor" read a
complains "'a' does not exist; 'torpor ls'"
run 1 "$torpor" --json delete a
complains '^\{"error":\{"code":"not_found","message":"stream .a. does not exist;'
run 0 "$torpor" append a <<<again
prints "first 0 next 1"

# A created stream keeps its policy; twice is an error.
run 0 "$torpor" create c --max-delay-ms 200 --max-bytes 4096
run 1 "$torpor" create c
complains "'c'.*exists"
run 0 "$torpor" info c --json
shows '"max_delay_ms":200,"max_bytes":4096,"linger_ms":0'

# Listing.
run 0 "$torpor" ls
prints a c j p
run 0 "$torpor" ls --limit 2
prints a c
run 0 "$torpor" ls --after c
prints j p
run 0 "$torpor" ls p
prints p
run 0 "$torpor" ls none
equal "streams with another prefix" "$(cat out)" ""
run 0 "$torpor" info --json
shows '"streams":4,'

# A stream of JSON takes a value a line, as over HTTP.
run 0 "$torpor" create values --content-type application/json
printf '{"a":1\n"b":2}\n' | run 1 "$torpor" append values
complains "line 1 is not one JSON value"
printf '1\n1,2\n' >bad
run 1 "$torpor" append values <bad
complains 'line 2 is not'
run 1 "$torpor" import bad --name values
complains 'line 2 is not.*nothing was imported'
{ seq 5000; echo 1,2; } | run 1 "$torpor" import - --name values
complains 'line 5001 is not.*imported until then: 4096 entries'
printf '{"a":1}\n[2,3]\n' | run 0 "$torpor" append values
prints 'first 4096 next 4098'
finish
