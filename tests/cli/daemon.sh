#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# torpord starts, says so, stops when told, and refuses what is wrong.
. "$(dirname "$0")/common.sh"

for signal in TERM INT; do
  starts_torpord --torpor.data-dir=store
  kill -"$signal" "$daemon"
  wait "$daemon"
  equal "its end by SIG$signal" $? 0
  started='started version=[0-9.]+ pid=[0-9]+ data-dir="store" streams=0'
  grep -Eq " info $started replayed-entries=0 start-ms=[0-9]+$" log \
    || fail "no started line: $(cat log)"
  listening='listening address=127.0.0.1 port=[1-9][0-9]* tls=no'
  grep -Eq " info $listening socket=\"store/torpor.sock\"$" log \
    || fail "no listening line: $(cat log)"
  grep -q "stopping signal=SIG$signal" log || fail "no stopping line"
  tail -n 1 log | grep -q ' info stopped$' || fail "no stopped line"
done
equal "lines of its log" "$(wc -l <log)" 4

# It takes as many files as it may, and says when they are few.
(ulimit -n 1000
  starts_torpord --torpor.data-dir=few
  grep -q 'warning few-open-files limit=1000 connections-max=20000' log \
    || fail "no word of few files: $(cat log)"
  kill "$daemon"
  finish) || failures=$((failures + 1))

# A second one names the directory and the first.
starts_torpord --torpor.data-dir=store
run 1 "$torpord" --torpor.data-dir=store
complains "^torpord: 'store/torpor.lock' is locked .*\(process $daemon\)"
# Only its user can connect to its socket.
equal "the socket's mode" "$(stat -c %a store/torpor.sock)" 600
# Killed hard, nothing is in the way of the next.
{ kill -KILL "$daemon"; wait "$daemon"; } 2>gone
run 0 "$torpor" append s -d store <<<x
starts_torpord --torpor.data-dir=store --torpor.log-level=info
kill "$daemon"
wait "$daemon"
grep -q 'streams=1' log || fail "a stream is not counted: $(cat log)"

# Its configuration.
printf '[torpor]\ndata-dir = "from-file"\n[torpor.pool]\nworkers = 2\n' >ini
run 0 "$torpord" --config-file=ini --check
prints "config 'ini' is good"
silent
run 0 "$torpord" --check
prints 'the options are good'
run 0 "$torpord" --config-file ini --check
[ ! -e from-file ] || fail "--check opened a store"
starts_torpord --config-file=ini
kill "$daemon"
wait "$daemon"
[ -e from-file/torpor.store ] || fail "the file was not used"
starts_torpord --config-file=ini --torpor.data-dir=from-line
kill "$daemon"
wait "$daemon"
[ -e from-line/torpor.store ] || fail "the command line does not win"

run 1 "$torpord" --config-file=missing.ini
complains "^torpord: open 'missing.ini': No such file"
run 1 "$torpord" --config-file=.
complains "Is a directory"
printf '[torpor]\nworkers = 2\n' >ini
run 1 "$torpord" --config-file=ini
complains '^torpord: ini:2: \[torpor\] workers = 2: no such option'
run 1 "$torpord" --torpor.pool.workers=65
complains 'pool.workers is 65, expected 1 to 64 \(0: chosen'
run 1 "$torpord" --config-file=/dev/zero --check
complains "'/dev/zero' is no regular file"
head -c 1048577 /dev/zero >huge
run 1 "$torpord" --config-file=huge --check
complains "'huge' has more than 1048576 bytes"
run 1 "$torpord" --torpor.memory.tenants.a/b=1MiB --check
complains "tenant 'a/b' has a '/'"
run 1 "$torpord" --torpor.data-dir=no/parent
complains "^torpord: mkdir 'no/parent'"
run 1 "$torpord" --torpor.data-dir=no/parent --check
complains "^torpord: mkdir 'no/parent': No such file"
# What belongs together is said to be the file's, if it is.
printf '[torpor.retention.a]\nage = 1s\n' >ini
run 1 "$torpord" --config-file=ini --check
complains '^torpord: ini: retention.a.prefix is missing'
printf '[torpor.http]\ntls-key = "key"\n' >ini
run 1 "$torpord" --config-file=ini --check
complains '^torpord: ini: http.tls-certificate and http.tls-key belong together'
run 1 "$torpord" --config-file=ini --torpor.http.tls-certificate=none --check
complains "^torpord: http.tls-certificate 'none' cannot be used .No such file"
# Its door.
long=$PWD/$(printf '%0100d' 0)
run 1 "$torpord" --torpor.http.socket="$long" --check
complains "^torpord: http.socket '$long' has [0-9]+ bytes"
run 1 "$torpord" --torpor.http.address=0.0.0.0 --check
complains 'set http.tokens to a file of access tokens, or http.insecure = true'
run 0 "$torpord" --torpor.http.address=0.0.0.0 --torpor.http.insecure=true --check
run 1 "$torpord" --torpor.http.tokens=missing --check
complains "^torpord: http.tokens: open 'missing': No such file"
run 1 "$torpord" --torpor.http.tls-key=key --check
complains 'set http.tls-certificate too'
starts_torpord --torpor.data-dir=store
port=$(grep -o 'port=[0-9]*' log | cut -d= -f2)
run 1 "$torpord" --torpor.data-dir=other --torpor.http.port="$port"
complains "^torpord: listen at 127.0.0.1 port $port: Address already in use"
run 1 "$torpord" --torpor.data-dir=other --torpor.http.port=0 \
  --torpor.http.socket="$PWD/store/torpor.sock"
complains "torpor.sock' is in use by another process"
[ ! -e other ] || fail "a store is made for a door that does not open"
run 0 "$torpor" append s -d here <<<x
run 1 "$torpord" --torpor.data-dir=here --torpor.http.port="$port"
grep -q 'Address already in use' err || fail "a port in use: $(cat err)"
! grep -q ' started ' err || fail "what failed says that it started"
kill "$daemon"
wait "$daemon"
[ ! -e store/torpor.sock ] || fail "a stop leaves its socket"

run 2 "$torpord" --config-file=
complains '^torpord: --config-file needs a file$'
run 2 "$torpord" --config-file
complains '^torpord: --config-file needs a file$'
for text in --help --version --check; do
  "$torpord" $text >/dev/full 2>err
  equal "the exit code of $text on a full device" $? 1
  complains "write 'standard output': No space left"
done
run 2 "$torpord" somewhere
complains "'somewhere' is not understood"
run 0 "$torpord" --help
shows 'serves its streams over HTTP'
shows -- '--torpor.memory.tenants'
run 0 "$torpord" --version
shows '^torpord [0-9]'
finish
