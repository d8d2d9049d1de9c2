#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same commands work on a store that a daemon has open, over HTTP.
. "$(dirname "$0")/common.sh"

ends_torpord() {
  kill "$daemon"
  wait "$daemon"
}

# Through the socket in the store's directory.
export TORPOR_DATA_DIR=store
starts_torpord --torpor.data-dir=store
run 0 "$torpor" append s <<<one
prints 'first 0 next 1'
printf 'two\n\nfour\n' >lines
run 0 "$torpor" append s <lines
prints 'first 1 next 4'
run 0 "$torpor" read s
prints one two '' four
run 0 "$torpor" read s --from 1 -n 1 --output json
shows '^\{"seq":1,"time_ms":[0-9]+,"payload":"two"\}$'
run 0 "$torpor" read s --from 3 --output length-prefixed
equal "bytes with their length" "$(wc -c <out)" 8
run 0 "$torpor" tail s -n 1
prints four
time_ms=$("$torpor" tail s -n 1 --json | sed 's/.*"time_ms":\([0-9]*\).*/\1/')
run 0 "$torpor" read s --from-time $((time_ms + 1))
equal "entries of the future" "$(cat out)" ''
run 0 "$torpor" info s
shows '^next +4$'
shows '^closed +no$'
run 0 "$torpor" append 'a b/c?d#e%' <<<x
run 0 "$torpor" read 'a b/c?d#e%'
prints x
run 0 "$torpor" ls
prints 'a b/c?d#e%' s
run 0 "$torpor" ls a --json
shows '^\{"name":"a b/c\?d#e%","id":[0-9]+\}$'

# Conditions.
run 0 "$torpor" append p --producer till --number 0 <<<x
prints 'first 0 next 1'
run 0 "$torpor" append p --producer till --number 0 <<<x
prints 'first 0 next 1 duplicate'
run 1 "$torpor" append p --producer till --number 2 <<<x
complains 'answers 409'
run 1 "$torpor" append s --expected-next 0 <<<x
complains 'answers 409'
run 0 "$torpor" append s --expected-next 4 <<<five
prints 'first 4 next 5'

# Streams that are made, closed and deleted.
run 0 "$torpor" create j --content-type application/json --ttl 1h
run 1 "$torpor" create j
complains "'j'"
printf '{"a":1}\n[2,3]\n' >lines
run 0 "$torpor" append j <lines
prints 'first 0 next 2'
run 0 "$torpor" read j
prints '{"a":1}' '[2,3]'
run 1 "$torpor" append j <<<'{"a":'
complains "line 1 is not one JSON value, as that stream takes them: '\{\"a\":'"
printf '{"a":1\n"b":2}\n' | run 1 "$torpor" append j
complains 'line 1 is not'
printf '1\n1,2\n' | run 1 "$torpor" append j
complains 'line 2 is not'
printf '1\n\n' >bad
run 1 "$torpor" import bad --name j
complains 'line 2 is not.*nothing was imported'
run 0 "$torpor" read j
prints '{"a":1}' '[2,3]'
run 1 "$torpor" create k --linger-ms 5
complains 'cannot be said over HTTP'
run 0 "$torpor" close s
run 0 "$torpor" close s
run 1 "$torpor" append s <<<x
complains 'closed'
run 0 "$torpor" delete s
run 1 "$torpor" read s
complains "torpor ls' lists the streams"
run 1 "$torpor" delete s --json
complains '^\{"error":\{"code":"not_found"'

# What only works on a directory says who has it, or that a URL is none.
for command in 'retain j' 'truncate j --before 1' sync compact verify repair \
  info; do
  run 1 "$torpor" $command
  complains "process $daemon"
  run 1 "$torpor" $command --url unix:store/torpor.sock
  complains 'works on a store.s directory, not over'
done
run 2 "$torpor" ls --url unix:store/torpor.sock -d store

# A follower gets what others append, until the stream is closed.
run 0 "$torpor" create f
"$torpor" tail f --follow >followed &
follower=$!
for line in 1 2 3; do
  run 0 "$torpor" append f <<<"$line"
done
run 0 "$torpor" close f
wait "$follower"
equal "the end of a follower" $? 0
equal "what it saw" "$(tr '\n' ' ' <followed)" '1 2 3 '
"$torpor" tail j --follow >followed &
follower=$!
until [ "$(wc -l <followed)" = 2 ]; do read -rt 0.02 <> <(:); done
kill -INT "$follower"
wait "$follower"
equal "a follower that is interrupted" $? 0

# By TCP, and an import.
port=$(sed -n 's/.*listening .*port=\([0-9]*\).*/\1/p' log)
export TORPOR_URL=http://127.0.0.1:$port
seq 1 200000 >numbers
run 0 "$torpor" import numbers
shows '^numbers -> numbers: 200000 entries, first 0, next 200000$'
run 0 "$torpor" read numbers
cmp -s numbers out || fail "what was imported differs"
run 0 "$torpor" read numbers --from 199999
prints 200000
unset TORPOR_URL

# An import goes on when the daemon is killed and comes back, exactly once.
mkfifo slow
"$torpor" import slow --name once >imported 2>import-error &
import=$!
exec 3>slow
seq 1 300000 >&3
{ kill -KILL "$daemon"; wait "$daemon"; } 2>gone
starts_torpord --torpor.data-dir=store 3>&- # Else it would keep the pipe open.
seq 300001 600000 >&3
exec 3>&-
wait "$import"
equal "an import over a crash" $? 0
run 0 "$torpor" read once
seq 1 600000 | cmp -s - out || fail "entries are lost or twice"

# So do appends of the load generator.
"$torpor" bench http --url unix:store/torpor.sock --streams 50 \
  --connections 10 --warm-up 0 --seconds 3 --retry --check --json >bench 2>err &
bench=$!
until "$torpor" ls bench/ 2>gone | grep -q 0000049; do
  read -rt 0.02 <> <(:)
done
for _ in 1 2; do
  { kill -KILL "$daemon"; wait "$daemon"; } 2>gone
  starts_torpord --torpor.data-dir=store
done
wait "$bench"
equal "a load over crashes" $? 0
grep -Eq '"found":[1-9][0-9]*,"lost":0,"extra":0,"torn":0' bench \
  || fail "no clean check: $(cat bench err)"

# A socket that was left behind is not in the way.
{ kill -KILL "$daemon"; wait "$daemon"; } 2>gone
run 0 "$torpor" append p <<<y
prints 'first 1 next 2'
run 1 "$torpor" ls --url unix:store/torpor.sock
complains 'Connection refused; is torpord running there\?$'

# With tokens.
run 0 "$torpor" -q token --verbs append,read --prefix acme/
sed -n 1p out >token
sed -n 2p out >tokens
chmod 600 token tokens
starts_torpord --torpor.data-dir=store --torpor.http.tokens=tokens
run 1 "$torpor" append acme/x <<<x
complains 'answers 401.*TORPOR_TOKEN'
run 1 "$torpor" append acme/x --json <<<x
complains '^\{"error":\{"code":"unauthorized",'
run 0 "$torpor" append acme/x --token-file token <<<x
TORPOR_TOKEN=$(cat token) run 0 "$torpor" read acme/x
prints x
run 1 "$torpor" read p --token-file token
complains "torpor ls' lists the streams"
run 1 "$torpor" delete acme/x --token-file token
complains 'answers 403.*another verb'
run 1 "$torpor" delete acme/x --token-file token --json
complains '^\{"error":\{"code":"forbidden",'
ends_torpord
finish
