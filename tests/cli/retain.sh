#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How long streams and their entries stay.
. "$(dirname "$0")/common.sh"

# Of its own from the start.
run 0 "$torpor" create three --entries 3
seq 10 >lines
run 0 "$torpor" append three <lines
run 0 "$torpor" info three --json
shows '"first":7,"next":10,"entries":3,'
shows '"retain_age_ms":0,"retain_bytes":0,"retain_entries":3,"ttl_ms":0,'
run 0 "$torpor" read three --from 7
prints 8 9 10
run 1 "$torpor" read three --from 0
complains "begins at sequence 7"

# Later, and taken back.
run 0 "$torpor" append more <lines
run 0 "$torpor" retain more --entries 2 --age 30d --bytes 1GiB --ttl none
prints 'retained more'
run 0 "$torpor" info more --json
shows '"first":8,"next":10'
shows '"retain_age_ms":2592000000,"retain_bytes":1073741824,"retain_entries":2,'
shows '"ttl_ms":"none"'
run 0 "$torpor" retain more --quiet
silent
run 0 "$torpor" append more <lines
run 0 "$torpor" info more --json
shows '"first":8,"next":20,.*"retain_entries":0'
run 0 "$torpor" verify

# A stream whose time is over is no damage.
run 0 "$torpor" create soon --ttl 1ms -d brief
run 0 "$torpor" verify -d brief

# It is gone, and its name is free.
run 0 "$torpor" create old --expires-at 2001-01-01T00:00:00+02:00
run 1 "$torpor" info old
complains "'old' does not exist"
run 0 "$torpor" append old <<<again
run 0 "$torpor" read old
prints again
run 0 "$torpor" ls
prints more old three

# Nothing is guessed.
run 2 "$torpor" retain more --age 5
complains "'5' is not a whole number with ms, s, min, h or d, or none"
run 2 "$torpor" retain more --bytes 0
complains "'0' is not a whole number"
run 2 "$torpor" retain more --entries 1.5
complains "'1.5' is not a whole number of 1 or more, or none"
run 2 "$torpor" create new --expires-at tomorrow
complains "'tomorrow' is no time such as 2026-12-31T23:59:59Z"
run 1 "$torpor" retain nobody --ttl 1h
complains "'nobody' does not exist"
run 1 "$torpor" retain more --age 99999999999d
complains "age_ms is 8639999999913600000, expected 0 to 4398046511104"

# The rules of the daemon's configuration.
cat >rules.ini <<'END'
[torpor.retention.logs]
prefix = "logs/"
age = "7d"
entries = 1000
END
run 0 "$torpord" --config-file=rules.ini --check
run 1 "$torpord" --torpor.retention.logs.age=7d --check
complains 'retention.logs.prefix is missing; "" is every stream'

exit $((failures > 0))
