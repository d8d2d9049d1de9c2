#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A fork is what its readers can have, by the daemon and without it; a source
# that was deleted is nobody's but theirs.
. "$(dirname "$0")/common.sh"

# requests METHOD STREAM BODY [HEADER...]: of the daemon.
requests() {
  local method=$1 stream=$2 body=$3
  shift 3
  exec 5<>"/dev/tcp/127.0.0.1/$port"
  printf '%s\r\n' "$method /v1/stream/$stream HTTP/1.0" \
    "Content-Length: ${#body}" "$@" "" >&5
  printf '%s' "$body" >&5
  grep -q '^HTTP/1.1 20[014] ' <&5 || fail "$method of $stream was refused"
  exec 5>&-
}

# forks STREAM SOURCE
forks() {
  requests PUT "$1" '' "Stream-Forked-From: /v1/stream/$2"
}

starts() {
  starts_torpord --torpor.data-dir=torpor-data
  port=$(sed -n 's/.*listening .*port=\([0-9]*\).*/\1/p' log)
}

ends() {
  kill "$daemon"
  wait "$daemon"
}

# What is said and printed of forks, by whoever does it.
checks_forks() {
  run 0 "$torpor" read changed
  prints a1 a2 a3 changed
  run 0 "$torpor" read changed --from 1 -n 1
  prints a2
  run 0 "$torpor" read changed --from 3
  prints changed
  run 0 "$torpor" read untouched
  prints a1 a2 a3
  run 0 "$torpor" read grandchild --bytes 5
  prints a1 a2
  run 0 "$torpor" tail changed -n 2
  prints a3 changed
  run 0 "$torpor" tail untouched
  prints a1 a2 a3
  run 0 "$torpor" read changed --from-time 0
  prints a1 a2 a3 changed
  run 0 "$torpor" info changed --json
  shows '"first":0,"next":4,"entries":4,"inherited":3,'
  run 0 "$torpor" info grandchild --json
  shows '"first":0,"next":3,"entries":3,"inherited":3,'
  run 0 "$torpor" info a --json
  shows '"first":0,"next":3,"entries":3,"inherited":0,'
}

starts
printf '%s\n' a1 a2 a3 >lines
run 0 "$torpor" append a <lines
forks changed a
run 0 "$torpor" append changed <<<changed
forks untouched a
forks grandchild untouched
checks_forks
"$torpor" read changed | run 0 "$torpor" append copy
run 0 "$torpor" read copy
prints a1 a2 a3 changed

# A source that is deleted stays for its forks, and only for them.
requests PUT buried one 'Content-Type: text/plain'
forks heir buried
run 0 "$torpor" delete buried
run 0 "$torpor" ls
prints a changed copy grandchild heir untouched
run 0 "$torpor" ls b --json
equal "streams below b" "$(cat out)" ''
ends
checks_forks
run 0 "$torpor" ls
prints a changed copy grandchild heir untouched
run 0 "$torpor" read heir
prints one
run 1 "$torpor" read buried
complains 'others were forked from it'
run 0 "$torpor" verify
shows '^read 7 streams, 9 entries with '

# What was truncated is nobody's; a fork beyond its place has none of it.
run 0 "$torpor" truncate a --before 2
run 0 "$torpor" truncate grandchild --before 3
run 0 "$torpor" read changed
prints a3 changed
run 0 "$torpor" info changed --json
shows '"first":2,"next":4,"entries":2,"inherited":1,'
run 1 "$torpor" read changed --from 1
complains "begins at sequence 2"
starts
run 0 "$torpor" read changed
prints a3 changed
ends

# Damage to what is only there for a fork is damage.
file=$(grep -l one torpor-data/journal/*.journal | head -n 1)
at=$(grep -abo one "$file" | head -n 1)
printf x | dd of="$file" bs=1 seek="${at%%:*}" conv=notrunc status=none
run 1 "$torpor" verify
shows "^damaged: stream 'buried', entries 0 to 0: "
run 1 "$torpor" read heir
complains "stream 'buried': entries 0 to 0 cannot be read"
run 0 "$torpor" read changed
finish
