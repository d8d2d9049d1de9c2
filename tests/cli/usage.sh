#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Help teaches, and wrong usage is told apart from failure.
. "$(dirname "$0")/common.sh"

run 0 "$torpor" --help
shows 'echo hello \| torpor append greetings'
run 0 "$torpor" --version
shows '^torpor [0-9]'
for command in append import read tail ls info create delete close sync \
  verify; do
  run 0 "$torpor" "$command" --help
  shows "^  .*torpor $command"
  shows '^--data-dir, --json and --quiet hold here, too\.$'
done

run 2 "$torpor"
complains "a command is missing; 'torpor --help' explains"
run 2 "$torpor" fly
complains "'fly' is no command"
run 2 "$torpor" --fly
run 2 "$torpor" read
complains "NAME is required; 'torpor read --help' explains"
run 2 "$torpor" read a b
run 2 "$torpor" read a --from -1
run 2 "$torpor" read a --from x
run 2 "$torpor" read a --from 18446744073709551616
run 2 "$torpor" read a --from 1 --from-time 1
run 2 "$torpor" read a --count 0
run 2 "$torpor" read a --output xml
run 2 "$torpor" append a --ack never
run 2 "$torpor" append a --number 1
run 2 "$torpor" append a --producer me
run 2 "$torpor" append a --producer '' --number 0
run 2 "$torpor" create a --max-delay-ms 0
run 2 "$torpor" create a --max-bytes 4095
run 2 "$torpor" create a --linger-ms 1001
run 2 "$torpor" create a --max-delay-ms 4294967297
run 2 "$torpor" ls --limit 0
run 2 "$torpor" tail a -n -1
run 2 "$torpor" ls a b
run 2 "$torpor" sync now
run 2 "$torpor" --json fly
complains '^\{"error":\{"code":"invalid_argument","message":"..?fly'
[ ! -e torpor-data ] || fail "wrong usage made a store"
finish
