// SPDX-License-Identifier: Apache-2.0
// Names of streams: what is one, how it is shown, and where the catalog has it.
// Input: a name.
#include "runtime/assert.hpp"
#include "runtime/catalog_values.hpp"
#include "runtime/stream_name.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <string>

using namespace torpor;
using namespace torpor::test;

namespace {

/// Nothing in it moves a terminal's cursor or begins a line of a log.
bool can_be_shown(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) {
    return c < 0x20 || c == 0x7f;
  });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const auto name = fuzz_input{data, size}.rest();
  const auto shown = printable(name);
  TORPOR_ASSERT(can_be_shown(shown));
  TORPOR_ASSERT(shown.size() <= 4 * limits::name_bytes_max + 16);
  const auto checked = check_name(name);
  if (!checked) {
    TORPOR_ASSERT(checked.error().code == errc::invalid_argument);
    TORPOR_ASSERT(can_be_shown(checked.error().context));
    return 0;
  }
  TORPOR_ASSERT(!name.empty() && name.size() <= limits::name_bytes_max);
  TORPOR_ASSERT(can_be_shown(name));
  const split_name split{name};
  TORPOR_ASSERT(std::string{split.key}.append(split.rest) == name);
  TORPOR_ASSERT(split.key.size() <= catalog_key_bytes_max);
  TORPOR_ASSERT(split.rest.size() <= 1);
  return 0;
}
