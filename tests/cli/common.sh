# SPDX-License-Identifier: Apache-2.0
# What the tests of the tool share. Source it with the script's arguments: the
# paths of torpor and torpord. Leaves you in an empty temporary directory.
set -uo pipefail
export LC_ALL=C
unset TORPOR_DATA_DIR
torpor=$1
torpord=$2
work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

fail() {
  failures=$((failures + 1))
  echo "FAILED, line ${BASH_LINENO[1]}: $*" >&2
}

# run CODE COMMAND...: keeps what it prints in out and err.
run() {
  local wanted=$1 code
  shift
  "$@" >"$work/out" 2>"$work/err"
  code=$?
  [ "$code" = "$wanted" ] || fail "'$*' ended with $code, expected $wanted:" \
    "$(head -c 500 "$work/err")"
}

# The last command printed exactly this.
prints() {
  printf '%s\n' "$@" | cmp -s - "$work/out" \
    || fail "expected '$*', printed: $(head -c 500 "$work/out")"
}

# The last command printed a line that matches.
shows() {
  grep -Eq -- "$1" "$work/out" \
    || fail "expected /$1/, printed: $(head -c 500 "$work/out")"
}

# The last command complained in one line that matches.
complains() {
  [ "$(wc -l <"$work/err")" = 1 ] || fail "expected one line: $(cat "$work/err")"
  grep -Eq -- "$1" "$work/err" || fail "expected /$1/: $(cat "$work/err")"
}

silent() {
  [ ! -s "$work/err" ] || fail "expected silence: $(cat "$work/err")"
}

# equal WHAT GOT EXPECTED
equal() {
  [ "$2" = "$3" ] || fail "$1 is '$2', expected '$3'"
}

# starts_torpord ARGUMENT...: waits until it says so; its process is $daemon. Its
# port is a free one: tests run side by side.
starts_torpord() {
  rm -f "$work/log"
  "$torpord" --torpor.http.port=0 "$@" 2>"$work/log" &
  daemon=$!
  until grep -qs listening "$work/log"; do
    kill -0 "$daemon" 2>"$work/gone" || {
      fail "no start: $(cat log)"
      return
    }
    read -rt 0.02 <> <(:) || true
  done
}

# flip FILE OFFSET: changes one byte.
flip() {
  local byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$1")
  printf "\\x$(printf %02x $((byte ^ 255)))" \
    | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# Without rights that root has. Fails where that cannot be done.
as_nobody() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
  else
    "$@"
  fi
}

finish() {
  [ "$failures" = 0 ] || { echo "$failures checks failed" >&2; exit 1; }
}
