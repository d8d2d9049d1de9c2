#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a process may not have is an error that says so, not its end.
. "$(dirname "$0")/../cli/common.sh"

run 0 "$torpor" append s -d store <<<before

# Files may not grow. What was acknowledged is there, then and later.
(
  ulimit -f 1000
  run 1 "$torpor" append s -d small <<<x
  grep -q 'File too large (ulimit -f)' err || fail "no word of -f: $(cat err)"
  finish
) || failures=$((failures + 1))
run 0 "$torpor" append s -d small <<<x

# The daemon lives on, and other limits may be set beside it.
(
  ulimit -f 1000
  starts_torpord --torpor.data-dir=small-daemon
  curl -sS --unix-socket small-daemon/torpor.sock -X PUT http://it/v1/stream/s \
    -d x >out 2>err
  grep -q 'ulimit -f' out || fail "the answer is: $(cat out err)"
  kill -0 "$daemon" || fail "a full file ended torpord"
  kill "$daemon"
  wait "$daemon"
  equal "its end" $? 0
  finish
) || failures=$((failures + 1))

# No address space.
(
  ulimit -v 500000
  run 1 "$torpor" append s -d store <<<x
  complains 'address space is limited to 488 MiB .* 1024; raise .*ulimit -v'
  run 1 "$torpord" --torpor.data-dir=store --torpor.http.port=0
  complains 'ulimit -v'
  finish
) || failures=$((failures + 1))

# No threads. Root has no such limit.
chmod 755 "$work"
mkdir others
[ "$(id -u)" != 0 ] || chown 65534:65534 others
if as_nobody true 2>gone; then
  for program in "$torpor append s -d others/store" \
    "$torpord --torpor.data-dir=others/store --torpor.http.port=0"; do
    echo x | as_nobody bash -c "ulimit -u 2 && exec $program" >out 2>err
    equal "the end of '$program'" ${PIPESTATUS[1]} 1
    grep -Eq 'needs [0-9]+ threads and this process can start [0-9]+; .*ulimit -u' \
      err || fail "no word of -u: $(cat err)"
  done
  [ ! -e others/store ] || fail "a store was begun"
fi

# Too few descriptors to start with, whichever is the first that is missing. How
# many are enough depends on what the test inherits.
for ((few = 7; few < 64; ++few)); do
  rm -f log
  (
    ulimit -n "$few"
    exec "$torpord" --torpor.data-dir=others/few --torpor.http.port=0 \
      >out 2>log
  ) &
  daemon=$!
  until grep -qs listening log || ! kill -0 "$daemon" 2>gone; do
    read -rt 0.02 <> <(:) || true
  done
  if grep -qs listening log; then
    break
  fi
  wait "$daemon"
  equal "the end with $few descriptors" $? 1
  grep -q 'Too many open files' log || fail "$few descriptors: $(cat log)"
done
[ "$few" -gt 8 ] || fail "$few descriptors are enough"
kill "$daemon"
wait "$daemon"
equal "its end" $? 0

# Few descriptors: more connections than that wait, and nobody spins.
(
  ulimit -n 64
  starts_torpord --torpor.data-dir=store
  port=$(sed -n 's/.*port=\([0-9]*\) .*/\1/p' log)
  held=()
  for ((i = 0; i < 45; ++i)); do
    exec {one}<>"/dev/tcp/127.0.0.1/$port" && held+=("$one")
  done 2>gone
  begun=$(awk '{print $14 + $15}' "/proc/$daemon/stat")
  sleep 1
  spent=$(($(awk '{print $14 + $15}' "/proc/$daemon/stat") - begun))
  [ "$spent" -lt 30 ] || fail "it took $spent ticks of a second to wait"
  for one in "${held[@]}"; do
    exec {one}>&-
  done
  curl -sS --retry 5 --retry-all-errors "http://127.0.0.1:$port/v1/stream/s" \
    >out 2>err
  grep -q before out || fail "no answer any more: $(cat out err)"
  kill "$daemon"
  wait "$daemon"
  equal "its end" $? 0
  finish
) || failures=$((failures + 1))

# Nothing of all that has harmed the store.
run 0 "$torpor" read s -d store
prints before
run 0 "$torpor" verify -d store
finish
