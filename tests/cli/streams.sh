#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Standard streams that are closed, full or read by nobody any more.
. "$(dirname "$0")/common.sh"

seq 1 200000 >lines
run 0 "$torpor" import lines --quiet

# A reader that has seen enough is no error, and ends the tool soon.
for command in 'read lines' 'read lines --json' 'tail -n 200000 lines'; do
  "$torpor" $command 2>err | head -n 1 >out
  equal "the tool's end" "${PIPESTATUS[*]}" "0 0"
  silent
done

# A full device is one.
for command in 'read lines' ls info 'info lines' verify 'create new' \
  'append lines' 'import lines'; do
  "$torpor" $command <<<x >/dev/full 2>err
  equal "the exit code of $command" $? 1
  complains 'write .standard output.: No space left'
done

# Closed ones never become files of the store.
"$torpor" create closed-out >&- 2>err
equal "the exit code without standard output" $? 1
complains 'Bad file descriptor'
"$torpor" append closed-err <<<x >out 2>&-
equal "the exit code without standard error" $? 0
run 1 "$torpor" append closed-in <&-
complains 'read .standard input.: Bad file descriptor'
"$torpor" create quiet <&- >&- 2>&-
"$torpor" create --bad <&- >&- 2>&-
equal "the exit code without any" $? 2
"$torpord" --bad <&- >&- 2>&-
equal "torpord's exit code without any" $? 2
run 0 "$torpor" verify
run 0 "$torpor" ls
prints closed-err closed-out lines new quiet

# What the library logs never mixes with results.
rm err
(
  trap '' XFSZ
  ulimit -f 64
  exec "$torpor" append lines -d limited <<<x >out 2>err
) &
limited=$!
until grep -qs journal-prepare-failed err; do
  kill -0 "$limited" 2>gone || { fail "no log line: $(cat err)"; break; }
  read -rt 0.02 <> <(:) || true
done
{ kill -KILL "$limited"; wait "$limited"; } 2>gone
equal "results of a store that cannot grow" "$(cat out)" ""

# Following ends with the signal, and with the reader.
rm out
"$torpor" tail -f lines -n 1 >out 2>err &
follower=$!
until [ -s out ]; do
  kill -0 "$follower" || { fail "no follower: $(cat err)"; break; }
  read -rt 0.02 <> <(:) || true
done
kill -INT "$follower"
wait "$follower"
equal "the follower's end" $? 0
prints 200000
silent
run 0 "$torpor" close lines
run 0 "$torpor" tail -f lines -n 2
prints 199999 200000
run 0 "$torpor" verify
finish
