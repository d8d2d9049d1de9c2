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
shows '^empty: no entries: no stream was made$'
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

# A file without entries makes no stream, and says so.
run 0 "$torpor" import empty
silent
shows '^empty: no entries: no stream was made$'
run 0 "$torpor" import empty --json
shows '"file":"empty","name":"empty",.*"exists":false'
run 0 "$torpor" import empty --name c
shows '^empty -> c: 0 entries, first 3, next 3$'

# All members of a gzip file count, and the zeros behind them do not.
seq 1 5 | gzip -n >n.gz
cat n.gz n.gz >two.gz
{ cat two.gz; head -c 1000000 /dev/zero; } >padded.gz
for good in two padded; do
  run 0 "$torpor" import "$good.gz" --quiet
  run 0 "$torpor" read "$good"
  prints 1 2 3 4 5 1 2 3 4 5
done
printf '\x1f' >one-byte
run 0 "$torpor" import one-byte --quiet

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
run 2 "$torpor" import c --name=
run 2 "$torpor" import c --name ''
complains "stream name '' is empty"
run 2 "$torpor" import c --name '' --prefix acme/
complains "stream name '' is empty"
run 1 "$torpor" import c missing
complains "open 'missing': No such file"
run 1 "$torpor" import c logs
complains "open 'logs': Is a directory"
run 0 "$torpor" info c --json
shows '"next":3,'

# Damaged and oversized files: said where, and how far it came.
head -c 20000 logs/b.log.gz >cut.gz
run 1 "$torpor" import cut.gz
complains "'cut.gz' is broken gzip at byte 20000, behind line [1-9][0-9]*: it ends too early; imported until then: [1-9]"
run 0 "$torpor" read cut
count=$(wc -l <out)
zcat logs/b.log.gz | sed -n "1,${count}p" | cmp -s - out \
  || fail "cut lines changed"
size=$(wc -c <n.gz)
{ cat n.gz; printf '\xe0'; tail -c +2 n.gz; } >flipped.gz
{ cat n.gz; head -c 1 n.gz; } >byte.gz
{ cat n.gz; head -c 2 n.gz; } >magic.gz
{ cat n.gz; echo garbage; } >garbage.gz
{ cat n.gz; printf '\0\0x'; } >zeros.gz
{ cat n.gz; head -c 15 n.gz; printf '\xff\xff\xff'; tail -c +19 n.gz; } >data.gz
while read -r file place why; do
  run 1 "$torpor" import "$file.gz"
  complains "'$file.gz' is broken gzip at byte $place, behind line 5: $why; imported until then: 5 entries"
  run 0 "$torpor" read "$file"
  prints 1 2 3 4 5
done <<END
flipped $size what follows its compressed data is not gzip
byte $size it ends too early
magic $((size + 2)) it ends too early
garbage $size what follows its compressed data is not gzip
zeros $((size + 2)) what follows its compressed data is not gzip
data [0-9]+ its data is damaged
END
head -c 12 n.gz >short.gz
run 1 "$torpor" import short.gz
complains "'short.gz' is broken gzip at byte 12, before the end of line 1: it ends too early; nothing was imported"

{ echo small; head -c 16777217 /dev/zero; echo; echo behind; } >large
run 1 "$torpor" import large
complains "line 2 of 'large' has more than 16777216 bytes.*until then: 1 "
run 0 "$torpor" close c
run 1 "$torpor" import c
complains "stream 'c' is closed.*nothing was imported"

# A signal ends it, and it says what was kept.
mkfifo endless
for signal in INT TERM; do
  # In a script, & makes SIGINT ignored; torpor notes it all the same.
  "$torpor" import endless --name "kept-$signal" >out 2>err &
  importer=$!
  exec 3>endless
  seq 1 200000 >&3
  kill -"$signal" "$importer"
  wait "$importer"
  equal "the exit code after SIG$signal" $? 130
  exec 3>&-
  complains "^torpor: interrupted; imported until then: [1-9][0-9]* entries, the last [1-9][0-9]* of them into 'kept-$signal'$"
  kept=$(grep -Eo '[0-9]+ entries' err | cut -d' ' -f1)
  run 0 "$torpor" read "kept-$signal"
  equal "kept lines" "$(cksum <out)" "$(seq 1 "$kept" | cksum)"
done
# So does one that comes while nobody writes. It is sent once SIGTERM, bit 14,
# is caught by torpor itself and not by the shell that becomes it.
catches_term() {
  [ "/proc/$1/exe" -ef "$torpor" ] \
    && grep -qs 'SigCgt:.*[4-7c-f]...$' "/proc/$1/status"
}
"$torpor" import endless --name never >out 2>err &
importer=$!
until catches_term "$importer"; do
  kill -0 "$importer" 2>gone || break
  read -rt 0.02 <> <(:) || true
done
kill -TERM "$importer"
wait "$importer"
equal "the exit code while waiting" $? 130
complains 'interrupted; nothing was imported'
finish
