#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Which directory is opened, and what is said when it cannot be.
. "$(dirname "$0")/common.sh"

# Named by option, before or behind the command, or by the environment.
run 0 "$torpor" --data-dir one append s <<<1
run 0 "$torpor" append s --data-dir two <<<2
TORPOR_DATA_DIR=three run 0 "$torpor" append s <<<3
run 0 "$torpor" read s -d one
prints 1
run 0 "$torpor" -d two read s
prints 2
TORPOR_DATA_DIR=three run 0 "$torpor" read s
prints 3
TORPOR_DATA_DIR=three run 0 "$torpor" read s -d one
prints 1

# Missing: writers make it, nobody else does.
for command in 'read s' 'tail s' 'tail -f s' ls info 'info s' 'delete s' \
  'close s' sync verify; do
  run 1 "$torpor" $command --data-dir missing
  complains "'missing' holds no Torpor store; name its directory"
done
[ ! -e missing ] || fail "a reader made the directory"
run 1 "$torpor" create s -d no/parent
complains "mkdir 'no/parent': No such file"
run 1 "$torpor" ls --json -d missing
complains '^\{"error":\{"code":"not_found",'

# Foreign: never touched.
mkdir foreign
echo precious >foreign/file
run 1 "$torpor" create s -d foreign
complains "'foreign' is not a Torpor store .* choose another data-dir"
run 1 "$torpor" ls -d foreign
complains "'foreign' holds no Torpor store"
equal "a foreign directory" "$(ls foreign)" file
run 1 "$torpor" create s -d foreign/file
complains "foreign/file"
run 1 "$torpor" ls -d foreign/file
complains "foreign/file"
mkdir newer
printf 'torpor store\nformat 99\nid 00112233445566778899aabbccddeeff\n' \
  >newer/torpor.store
run 1 "$torpor" create s -d newer
complains 'format 99.*newer Torpor'

# Without rights. Readers need no write permission.
chmod 755 "$work" one one/*
chmod 644 one/torpor.* one/*/*
if as_nobody test -x "$torpor"; then
  run 0 as_nobody "$torpor" read s -d "$work/one"
  prints 1
  run 0 as_nobody "$torpor" verify -d "$work/one"
  run 1 as_nobody "$torpor" append s -d "$work/one" <<<x
  complains 'Permission denied'
  run 1 as_nobody "$torpor" create s -d "$work/new"
  complains "mkdir '.*/new': Permission denied"
  chmod 700 two
  run 1 as_nobody "$torpor" ls -d "$work/two"
  complains "two/torpor.store': Permission denied"
  run 1 as_nobody "$torpor" append s -d "$work/two" <<<x
  complains 'Permission denied'
else
  echo "skipped: nobody cannot run $torpor" >&2
fi

# Open already, and its daemon has no socket to talk to: said at once, with who
# has it.
starts_torpord --torpor.data-dir=one --torpor.http.socket=
for command in 'read s' 'tail -f s' ls 'delete s' verify sync; do
  run 1 "$torpor" $command -d one
  complains "'one/torpor.lock' is locked by another opener \(process $daemon\)"
done
run 1 "$torpor" append s -d one --json <<<x
complains '^\{"error":\{"code":"locked",'
kill "$daemon"
wait "$daemon" || fail "torpord ended with $?"
run 0 "$torpor" read s -d one
prints 1
finish
