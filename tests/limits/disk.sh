# SPDX-License-Identifier: Apache-2.0
# What the tests of full disks share: a store at full/store, of torpord, on a
# file system that ends. Source it before common.sh.

# in_own_mounts SCRIPT ARGUMENT...: starts the script again in a mount namespace
# of its own, or says why not and skips.
in_own_mounts() {
  [ -z "${TORPOR_OWN_MOUNTS:-}" ] || return 0
  if ! unshare --mount --propagation private true 2>/dev/null; then
    echo "skipped: nobody but root can mount, or not here either"
    exit 77
  fi
  TORPOR_OWN_MOUNTS=1 exec unshare --mount --propagation private "$@"
}

starts() {
  starts_torpord --torpor.data-dir=full/store --torpor.journal.file-bytes=1MiB \
    --torpor.sync.max-delay=20ms
}

ask() {
  curl -sS --max-time 20 --unix-socket full/store/torpor.sock "$@"
}

# append NAME FILE: appends the file, prints the status. Durable.
append() {
  ask -o answer -w '%{http_code}' -X POST -H 'Content-Type: application/octet-stream' \
    --data-binary "@$2" "http://it/v1/stream/$1"
}

create() {
  ask -o answer -w '%{http_code}' -X PUT -H 'Content-Type: application/octet-stream' \
    "http://it/v1/stream/$1"
}

# fills NAME: appends to it until that is refused; counts in `kept`. Each entry
# is 64 KiB that nothing compresses and begins with its number.
fills() {
  local status
  for ((kept = 0; kept < 2000; ++kept)); do
    { printf '%08d' "$kept"; head -c 65528 /dev/urandom; } >entry
    status=$(append "$1" entry)
    case $status in
      200 | 204) cat entry >>"sent-$1" ;;
      *) break ;;
    esac
  done
  equal "the answer on a full disk" "$status" 503
  grep -q '"io_failed"' answer || fail "it says: $(cat answer)"
}

# reads NAME: what was acknowledged is there, and nothing is changed.
reads() {
  ask -o got "http://it/v1/stream/$1?offset=-1" -w '%header{Stream-Next-Offset}' \
    >next 2>err
  while :; do
    ask "http://it/v1/stream/$1?offset=$(cat next)" -o more \
      -w '%header{Stream-Next-Offset}' >next.new
    [ -s more ] || break
    cat more >>got
    mv next.new next
  done
  cmp -n "$(stat -c %s "sent-$1")" got "sent-$1" \
    || fail "'$1' is not what was acknowledged"
}

# Writes go on by themselves within some seconds.
resumes() {
  local tries
  printf 'after' >entry
  for ((tries = 0; tries < 200; ++tries)); do
    case $(append "$1" entry) in
      200 | 204)
        cat entry >>"sent-$1"
        return
        ;;
    esac
    read -rt 0.05 <> <(:) || true
  done
  fail "writes do not resume: $(cat answer)"
}
