#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Files become streams, line by line, or the tool says what did not.
. "$(dirname "$0")/common.sh"

mkdir logs
seq 1 30000 >logs/a.log
seq -f 'a line of some length with the number %.0f' 1 20000 \
  | gzip >logs/b.log.gz
printf 'no\r\n\nnewline' >c
: >empty

run 0 "$torpor" import logs/a.log ./logs/../logs/b.log.gz "$PWD/c" empty
silent
shows '^logs/a.log -> logs/a.log: 30000 entries, first 0, next 30000$'
shows '^imported 50003 entries, .* from 4 files .*durable$'
run 0 "$torpor" ls
prints c logs/a.log logs/b.log
run 0 "$torpor" read logs/a.log
cmp -s out logs/a.log || fail "plain lines changed"
run 0 "$torpor" read logs/b.log
zcat logs/b.log.gz | cmp -s - out || fail "packed lines changed"
run 0 "$torpor" read c
prints $'no\r' '' newline

# Again goes on where it ended, with names of one's own.
run 0 "$torpor" import c --name logs/a.log --json
shows '"entries":3,"bytes":10,'
shows '"file":"c","name":"logs/a.log","first":30000,"next":30003'
run 0 "$torpor" import c logs/a.log --prefix acme/ --quiet
equal "quiet output" "$(cat out)" ""
seq 1 3 | run 0 "$torpor" import - --name piped
mkfifo pipe
seq 1 3 >pipe &
run 0 "$torpor" import pipe
shows '^pipe -> pipe: 3 entries'
gzip -c c | run 0 "$torpor" import - --name unpacked
run 0 "$torpor" read unpacked
prints $'no\r' '' newline
run 0 "$torpor" ls acme/
prints acme/c acme/logs/a.log

# Wrong usage: nothing is imported.
run 2 "$torpor" import
run 2 "$torpor" import c empty --name x
complains 'single file'
run 2 "$torpor" import - </dev/null
complains '--name'
run 2 "$torpor" import c ./c
complains "would both go to stream 'c'"
run 2 "$torpor" import $'bad\nname'
complains 'control character'
run 1 "$torpor" import c missing
complains "open 'missing': No such file"
run 1 "$torpor" import c logs
complains "open 'logs': Is a directory"
run 0 "$torpor" info c --json
shows '"next":3,'

# Damaged and oversized files: said where, and how far it came.
head -c 20000 logs/b.log.gz >cut.gz
run 1 "$torpor" import cut.gz
complains "'cut.gz' behind line [0-9]+ is broken gzip: it ends too early; imported until then: [1-9]"
run 0 "$torpor" read cut
count=$(wc -l <out)
zcat logs/b.log.gz | sed -n "1,${count}p" | cmp -s - out \
  || fail "cut lines changed"
{ echo small; head -c 16777217 /dev/zero; echo; echo behind; } >large
run 1 "$torpor" import large
complains "in 'large' behind line 1 has more than 16777216 bytes.*until then: 1 "
run 0 "$torpor" close c
run 1 "$torpor" import c
complains "stream 'c' is closed.*nothing was imported"
finish
