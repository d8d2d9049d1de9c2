# SPDX-License-Identifier: Apache-2.0
# What the tests of limits share. Source it with the script's arguments: the
# paths of torpor, torpord and libbent_machine.so.
. "$(dirname "${BASH_SOURCE[0]}")/../cli/common.sh"
bent_machine=${3:-}
mounted=() # Places and loop devices, the newest first.
trap 'clean_up' EXIT

clean_up() {
  local each
  for each in ${mounted[@]+"${mounted[@]}"}; do
    case $each in
      /dev/*) losetup -d "$each" ;;
      *) umount -l "$each" ;;
    esac
  done
  chmod -R u+rwx "$work"
  rm -rf "$work"
}

# skip WHY: this machine cannot do that.
skip() {
  echo "skipped: $*" >&2
  exit 77
}

# own_mounts SCRIPT ARGUMENT...: goes on in a mount namespace of its own, whose
# mounts end with it.
own_mounts() {
  [ "${TORPOR_OWN_MOUNTS:-}" = yes ] && return
  [ "$(id -u)" = 0 ] || skip 'mounts need root'
  unshare -m true 2>"$work/err" || skip "unshare -m: $(cat "$work/err")"
  (cd "$OLDPWD" && TORPOR_OWN_MOUNTS=yes unshare -m "$@")
  exit $?
}

# mounts_tmpfs SIZE DIRECTORY
mounts_tmpfs() {
  mkdir -p "$2"
  mount -t tmpfs -o size="$1" none "$2" 2>"$work/err" \
    || skip "mount -t tmpfs: $(cat "$work/err")"
  mounted=("$work/$2" "${mounted[@]}")
}

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

# logged COUNT PATTERN: so many lines of the log match.
logged() {
  equal "lines with /$2/" "$(grep -Ec -- "$2" log)" "$1"
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

# entries STREAM: how many the store says there are, without a daemon.
entries() {
  "$torpor" info "$1" -d "$store" --json 2>"$work/err" \
    | sed 's/.*"next":\([0-9]*\).*/\1/'
}
