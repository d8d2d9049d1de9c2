# SPDX-License-Identifier: Apache-2.0
# What the tests of full disks share: a store of torpord on a file system that
# ends, which the script mounts at full. Source it with the script's arguments;
# it goes on in a mount namespace of its own.
if [ -z "${TORPOR_OWN_MOUNTS:-}" ]; then
  if ! unshare --mount --propagation private true 2>/dev/null; then
    echo "skipped: nobody but root can mount, or not here either"
    exit 77
  fi
  TORPOR_OWN_MOUNTS=1 exec unshare --mount --propagation private "$0" "$@"
fi
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
store=full/store

starts() {
  starts_torpord --torpor.data-dir="$store" --torpor.journal.file-bytes=1MiB \
    --torpor.sync.max-delay=20ms
}

creates() {
  ask PUT "/v1/stream/$1"
  answers 201
}

removes() {
  ask DELETE "/v1/stream/$1"
  answers 204
}

# taken: the last append was.
taken() {
  [ "$status" = 200 ] || [ "$status" = 204 ]
}

# fills NAME: appends to it until that is refused; counts in `kept`. Each entry
# is 64 KiB that nothing compresses and begins with its number.
fills() {
  for ((kept = 0; kept < 2000; ++kept)); do
    { printf '%08d' "$kept"; head -c 65528 /dev/urandom; } >entry
    append "$1" entry
    taken || break
    cat entry >>"sent-$1"
  done
  answers 503 '"io_failed"'
}

# reads NAME: what was acknowledged is there, and nothing is changed.
reads() {
  local next=-1
  : >got
  while :; do
    ask GET "/v1/stream/$1?offset=$next" -D head
    answers 200
    [ "$status" = 200 ] || return
    [ -s answer ] || break
    cat answer >>got
    next=$(sed -n 's/^stream-next-offset: *\([^[:cntrl:]]*\).*/\1/Ip' head)
  done
  cmp -n "$(stat -c %s "sent-$1")" got "sent-$1" \
    || fail "'$1' is not what was acknowledged"
}

# Writes go on by themselves within some seconds.
resumes() {
  local tries
  printf 'after' >entry
  for ((tries = 0; tries < 200; ++tries)); do
    append "$1" entry
    if taken; then
      cat entry >>"sent-$1"
      return
    fi
    pause 0.05
  done
  fail "writes do not resume: $(cat answer)"
}
