#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Many streams in little memory, as the control group counts it: with the page
# cache. Where none can be made, the process's own figures count.
#   TORPOR_LIMITS_STREAMS=1000000 for the long run (default: 100,000).
. "$(dirname "$0")/common.sh"
store=store
streams=${TORPOR_LIMITS_STREAMS:-100000}
# The program and its buffers; a budget of 16 MiB; files of the journal of 16 MiB,
# which a seal has in memory; 10,000 records; 4 bytes a stream for its number.
bound_mib=$((128 + streams / 25000))

# makes_group: a control group with this bound, in $group, if that is possible.
makes_group() {
  group=
  local root
  for root in /sys/fs/cgroup/memory /sys/fs/cgroup; do
    [ -e "$root/cgroup.procs" ] || continue
    mkdir "$root/torpor-limits-$$" 2>gone || continue
    group=$root/torpor-limits-$$
    for limit in memory.limit_in_bytes memory.max; do
      [ -e "$group/$limit" ] || continue
      echo $((bound_mib << 20)) >"$group/$limit" 2>gone && return
    done
    rmdir "$group"
    group=
  done
}

status_of() {
  sed -n "s/^$1:[^0-9]*\([0-9]*\) kB/\1/p" "/proc/$daemon/status"
}

makes_group
rm -f log
(
  [ -z "$group" ] || echo "$BASHPID" >"$group/cgroup.procs"
  exec "$torpord" --torpor.data-dir=store --torpor.http.port=0 \
    --torpor.memory.buffered-bytes-max=16MiB \
    --torpor.memory.record-cache=10000 --torpor.journal.file-bytes=16MiB 2>log
) &
daemon=$!
until grep -qs listening log; do
  kill -0 "$daemon" 2>gone || { fail "no start: $(cat log)"; finish; }
  pause 0.02
done
idle=$(status_of RssAnon)
echo "making $streams streams" >&2
run 0 "$torpor" bench http --url unix:store/torpor.sock --streams "$streams" \
  --connections 128 --entry-bytes 100 --seconds 4 --warm-up 0 --json
grep -q '"errors":0' out || fail "errors: $(cat out)"
lives
anonymous=$(status_of RssAnon)
echo "$streams streams: $((anonymous / 1024)) MiB of its own, of which" \
  "$((idle / 1024)) were there before, resident $(($(status_of VmRSS) / 1024))" \
  "MiB with the catalog's map" >&2
if [ -n "$group" ]; then
  for each in memory.max_usage_in_bytes memory.peak; do
    [ ! -e "$group/$each" ] \
      || echo "the group had $(($(cat "$group/$each") >> 20)) MiB at most," \
        "with the page cache; its bound: $bound_mib MiB" >&2
  done
else
  echo 'no control group can be made here: the process counts' >&2
fi
[ $((anonymous / 1024)) -lt "$bound_mib" ] \
  || fail "$anonymous KiB, bound $bound_mib MiB"
stops
[ -z "$group" ] || rmdir "$group"
run 0 "$torpor" verify -d store
shows "^read $streams streams,"
finish
