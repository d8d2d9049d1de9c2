// SPDX-License-Identifier: Apache-2.0
// The values of the catalog: records, the store's state, names, reviews and
// numbers. Input: a byte that says which, then the body; seals are tried with
// the body as key and as value.
#include "runtime/assert.hpp"
#include "runtime/catalog_values.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/reseal.hpp"

using namespace torpor;
using namespace torpor::test;

namespace {

catalog_value encoded(const auto& value) {
  catalog_value bytes;
  encode(value, bytes);
  return bytes;
}

void try_record(bytes_view body) {
  const auto record = decode_record(body);
  const auto name = name_in_record(body);
  const auto review = review_in_record(body);
  if (!record) {
    TORPOR_ASSERT(record.error().code == errc::corrupt);
    return;
  }
  TORPOR_ASSERT(name == record->name);
  TORPOR_ASSERT(review == (record->settings ? record->settings->review_ms : 0));
  const auto once = encoded(*record);
  const auto again = decode_record(once);
  TORPOR_ASSERT(again);
  TORPOR_ASSERT(encoded(*again) == once);
  TORPOR_ASSERT(encoded(record->clone()) == once);
  TORPOR_ASSERT(name_in_record(once) == record->name);
  TORPOR_ASSERT(review_in_record(once) == review);
}

void try_state(bytes_view body) {
  const auto state = decode_state(body);
  if (!state)
    return;
  const auto once = encoded(*state);
  const auto again = decode_state(once);
  TORPOR_ASSERT(again && *again == *state);
}

/// A target that is set is found, one that is taken out is not, and the others
/// stay as they are.
void try_targets(fuzz_input& input) {
  const auto rest = input.text(input.u8() % 2u);
  const stream_id id{input.number()};
  const auto body = as_bytes(input.rest());
  catalog_value with;
  set_target(body, rest, id, with);
  TORPOR_ASSERT(find_target(with, rest).has_value());
  catalog_value without;
  set_target(with, rest, std::nullopt, without);
  catalog_value again;
  set_target(without, rest, id, again);
  name_targets targets{again};
  std::size_t found = 0;
  while (const auto target = targets.next())
    ++found;
  TORPOR_ASSERT(found >= 1);
}

void try_numbers(bytes_view body) {
  if (const auto review = decode_review(body))
    TORPOR_ASSERT(std::ranges::equal(encode(*review), body));
  if (const auto number = decode_number(body)) {
    catalog_value once;
    encode_number(*number, once);
    TORPOR_ASSERT(decode_number(once) == number);
  }
}

void try_seal(fuzz_input& input) {
  const auto key = input.bytes();
  auto value = to_bytes(input.rest());
  static_cast<void>(unseal(key, value));
  const auto body = value;
  seal(key, value);
  const auto opened = unseal(key, value);
  TORPOR_ASSERT(opened && std::ranges::equal(*opened, body));
  if (!key.empty())
    TORPOR_ASSERT(!unseal(key.first(key.size() - 1), value));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  fuzz_input input{data, size};
  switch (input.u8() % 5) {
    case 0: try_record(as_bytes(input.rest())); break;
    case 1: try_state(as_bytes(input.rest())); break;
    case 2: try_targets(input); break;
    case 3: try_numbers(as_bytes(input.rest())); break;
    default: try_seal(input);
  }
  return 0;
}
