#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A wall clock that jumps by years, both ways, while torpord runs and between its
# runs: nothing that waits for a span of time notices.
. "$(dirname "$0")/common.sh"
store=store
year=31536000
echo x >body

# Changed in place: torpord has it mapped.
sets_clock() { printf '%-16d' "$1" 1<>clock; }
sets_clock 0

starts() {
  LD_PRELOAD=$bent_machine BENT_CLOCK_FILE=$work/clock starts_torpord \
    --torpor.data-dir=store --torpor.sync.max-delay=600ms \
    --torpor.http.long-poll-timeout=1500ms --torpor.buffered.b.prefix=buffered/
}

# between WHAT MS LEAST MOST
between() {
  [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] \
    || fail "$1 took $2 ms, expected $3 to $4"
}

# get PATH: status and time in ms, by itself.
get() {
  curl -s -m 30 --unix-socket store/torpor.sock -o /dev/null \
    -w '%{http_code} %{time_total}\n' "http://localhost$1" \
    | awk '{print $1, int($2 * 1000)}'
}

next_of() {
  curl -s --unix-socket store/torpor.sock -I "http://localhost$1" \
    | tr -d '\r' | sed -n 's/^[Ss]tream-[Nn]ext-[Oo]ffset: //p'
}

starts
for stream in plain buffered/a; do
  ask PUT "/v1/stream/$stream"
  answers 201
done
ask PUT /v1/stream/mortal -H 'Stream-TTL: 3600'
answers 201
ask PUT /v1/stream/dated -H 'Stream-Expires-At: 2199-01-01T00:00:00Z'
answers 201

for jump in $((-5 * year)) $((-2 * year)) 0 $((-10 * year)); do
  # Entries that are buffered are durable after max-delay, and a long-poll that
  # finds none ends at its time.
  end=$(next_of /v1/stream/buffered/a)
  get "/v1/stream/plain?offset=$(next_of /v1/stream/plain)&live=long-poll" \
    >polled &
  poll=$!
  append buffered/a body
  answers 204
  pause 0.1
  sets_clock "$jump"
  read -r code took < <(get "/v1/stream/buffered/a?offset=$end&live=long-poll")
  equal "a read of what was buffered" "$code" 200
  between "being durable" "$took" 100 20000
  wait "$poll"
  read -r code took <polled
  equal "a long-poll" "$code" 204
  between "a long-poll" "$took" 1400 20000
  append plain body
  answers 204
  # What lives by the wall clock lives longer when that goes back.
  for stream in mortal dated; do
    ask HEAD "/v1/stream/$stream" --head
    answers 200
  done
done

# Ahead: a time to live is over, and only that.
sets_clock $((3 * year))
ask GET /v1/stream/mortal
answers 404
ask GET /v1/stream/dated
answers 200
append plain body
answers 204
ask HEAD /v1/stream/buffered/a --head
answers 200

# Between runs.
for jump in 0 $((20 * year)) $((-20 * year)) 0; do
  stops
  sets_clock "$jump"
  starts
  append plain body
  answers 204
  ask GET /v1/stream/dated
  answers 200
done
dies
"$torpor" read plain -d store --json --count 100 \
  | sed 's/.*"time_ms":\([0-9]*\).*/\1/' >times
equal "entries" "$(wc -l <times)" 9
sort -n times | cmp -s - times || fail "times go back: $(tr '\n' ' ' <times)"
run 0 "$torpor" verify -d store
finish
