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
  shows '^--data-dir, --url, --json and --quiet hold here, too\.$'
done

# What has options of its own says nothing of the common ones, and the examples
# are those of the command.
for command in demo bench 'bench ingest' 'bench http' 'bench idle' 'bench recover' \
  'bench latency' 'bench wheel' 'bench pool'; do
  run 0 "$torpor" $command --help
  shows "^  torpor $command"
  ! grep -Eq 'hold here, too|torpor append|UINT|FLOAT|INT|e\+0' out \
    || fail "the help of $command: $(cat out)"
done
run 0 "$torpor" bench idle --help
shows '--streams N=1000000 +Streams with one entry each, 1 to 10,000,000$'
run 0 "$torpor" bench ingest --help
shows '--seconds N=10 +Measured time, 0.1 to 86,400$'
run 2 "$torpor" bench idle --streams 0
complains "--streams: '0' is no number from 1 to 10,000,000"
run 2 "$torpor" demo --seconds nan
complains "'nan' is no number from 0.5 to 3,600"

for text in --help --version 'bench --help'; do
  "$torpor" $text >/dev/full 2>err
  equal "the exit code of $text on a full device" $? 1
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
complains "^torpor: --output is 'xml', expected text, json or length-prefixed; 'torpor read --help' explains$"
run 2 "$torpor" append a --ack wrong
complains "^torpor: --ack is 'wrong', expected buffered or durable; 'torpor append --help' explains$"
run 2 "$torpor" append a --ack 1
run 2 "$torpor" bench latency --ack wrong
complains "^torpor: --ack is 'wrong', expected buffered or durable"
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
