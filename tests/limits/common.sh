# SPDX-License-Identifier: Apache-2.0
# What the tests of limits share. Source it with the script's arguments: the
# paths of torpor, torpord and libbent_machine.so.
. "$(dirname "${BASH_SOURCE[0]}")/../cli/common.sh"
bent_machine=${3:-}

pause() {
  read -rt "$1" <> <(:) || true
}

now_ms() {
  local now=${EPOCHREALTIME/./}
  echo $((now / 1000))
}

# ask METHOD PATH [CURL ARGUMENT...]: the status is in $status, the body in the
# file answer. The daemon's store is $store.
ask() {
  local method=$1 path=$2
  shift 2
  status=$(curl -s -m 30 --unix-socket "$store/torpor.sock" -X "$method" \
    -H 'Content-Type: application/octet-stream' -o "$work/answer" \
    -w '%{http_code}' "$@" "http://localhost$path")
}

# append STREAM FILE: as ask.
append() {
  ask POST "/v1/stream/$1" --data-binary "@$2"
}

# answers STATUS [PATTERN]: the last answer did.
answers() {
  [ "$status" = "$1" ] || fail "answered $status, expected $1:" \
    "$(head -c 500 "$work/answer")"
  [ -z "${2:-}" ] || grep -Eq -- "$2" "$work/answer" \
    || fail "expected /$2/: $(head -c 500 "$work/answer")"
}

lives() {
  kill -0 "$daemon" 2>"$work/gone" || fail "the daemon is gone: $(cat log)"
}

# dies: kill -9, as if nobody had been warned.
dies() {
  kill -KILL "$daemon"
  wait "$daemon" 2>"$work/gone"
}

# stops: SIGTERM; it ends well.
stops() {
  kill "$daemon"
  wait "$daemon"
  equal "its end" $? 0
}
