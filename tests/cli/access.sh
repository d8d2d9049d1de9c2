#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# torpord asks for tokens, reads their file again on SIGHUP, and tells of itself.
. "$(dirname "$0")/common.sh"

# ask METHOD PATH TOKEN [BODY]: the answer's head and body in answer; the status
# in code.
ask() {
  local body=${4-} line
  exec 5<>"/dev/tcp/127.0.0.1/$port"
  {
    printf '%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n' "$1" "$2"
    [ -z "$3" ] || printf 'Authorization: Bearer %s\r\n' "$3"
    printf 'Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s' \
      "${#body}" "$body"
  } >&5
  cat <&5 >answer
  exec 5>&-
  read -r _ code line <answer
}

# makes VERBS PREFIX: a token in token, its line in the file.
makes() {
  run 0 "$torpor" -q token --verbs "$1" --prefix "$2"
  token=$(sed -n 1p out)
  sed -n 2p out >>tokens
}

umask 077
makes append,read acme/
acme=$token
makes append,read,admin '*'
all=$token
chmod 644 tokens
run 1 "$torpord" --torpor.http.tokens=tokens --check
complains "^torpord: http.tokens: token file 'tokens' has mode 0644.*chmod 600"
chmod 600 tokens
run 0 "$torpord" --torpor.http.tokens=tokens --check

starts_torpord --torpor.data-dir=store --torpor.http.tokens=tokens \
  --torpor.log-level=debug
port=$(sed -nE 's/.*listening .*port=([0-9]+).*/\1/p' log)
for path in /healthz /readyz /ui; do
  ask GET $path ''
  equal "the status of $path" "$code" 200
done
ask GET /v1/stream/acme/x ''
equal "the status without a token" "$code" 401
ask PUT /v1/stream/acme/x "$acme" hello
equal "the status of a create" "$code" 201
ask GET '/v1/stream/acme/x?offset=-1' "$acme"
[ "$(tail -n 1 answer)" = hello ] || fail "read: $(cat answer)"
ask DELETE /v1/stream/acme/x "$acme"
equal "the status of a delete without the verb" "$code" 403

# Others' streams look like missing ones.
ask PUT /v1/stream/zoo/x "$all" secret
ask GET /v1/stream/zoo/x "$acme"
grep -v '^Date' answer >hidden
ask DELETE /v1/stream/zoo/x "$all"
equal "the status of a delete" "$code" 204
ask GET /v1/stream/zoo/x "$all"
grep -v '^Date' answer | cmp hidden - || fail "a hidden stream can be told apart"

ask GET /metrics "$acme"
equal "the status of metrics for a tenant" "$code" 403
ask GET /metrics "$all"
equal "the status of metrics" "$code" 200
for line in 'torpor_streams\{state="dormant"\} 1' 'torpor_durable_entries_total 2' \
  'torpor_http_errors_total\{code="forbidden"\} 2' \
  'torpor_http_requests_total\{method="PUT",status="2xx"\} 2'; do
  grep -Eq "^$line\$" answer || fail "no $line in $(grep -v '^#' answer)"
done
ask GET /v1/stats "$all"
grep -q '"streams":{"total":1,' answer || fail "stats: $(cat answer)"
ask GET /v1/streams/acme/x "$acme"
grep -q '"name":"acme/x","id":[0-9]*,"first":0,"next":1' answer \
  || fail "info: $(cat answer)"

# SIGHUP: a new token holds, a bad file changes nothing.
reloads() {
  local before
  before=$(grep -c "$1" log)
  kill -HUP "$daemon"
  until [ "$(grep -c "$1" log)" != "$before" ]; do
    kill -0 "$daemon" || return
    read -rt 0.02 <> <(:) || true
  done
}
makes read acme/
ask GET /v1/stream/acme/x "$token"
equal "the status of a token that was not read" "$code" 401
reloads 'tokens-reloaded file="tokens" lines=3'
ask GET /v1/stream/acme/x "$token"
equal "the status of a token that was read" "$code" 200
echo "$token" >>tokens
reloads 'tokens-reload-failed error="tokens:4: expected verbs'
ask GET /v1/stream/acme/x "$token"
equal "the status after a bad file" "$code" 200

kill "$daemon"
wait "$daemon"
equal "its end" $? 0
grep -q 'http-request method=PUT path="/v1/stream/acme/x" status=201' log \
  || fail "no request in the log"
! grep -E "$acme|$all|$token|hello|offset" log || fail "a secret is in the log"
finish
