// SPDX-License-Identifier: Apache-2.0
// Entries with their boundaries, as HTTP carries them: what the server writes
// and takes, and what the tool does. Input: a body.
#include "cli/entry_frames.hpp"
#include "runtime/assert.hpp"
#include "server/entries_body.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <algorithm>

using namespace torpor;
using namespace torpor::test;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const auto body = fuzz_input{data, size}.rest();
  const auto entries = read_entry_frames(as_bytes(body));
  const auto payloads = payloads_of(body);
  TORPOR_ASSERT(entries.has_value() == payloads.has_value());
  if (!entries) {
    TORPOR_ASSERT(entries.error().code == errc::corrupt);
    TORPOR_ASSERT(payloads.error().code == errc::invalid_argument);
    return 0;
  }
  TORPOR_ASSERT(entries->size() == payloads->size());
  for (std::size_t i = 0; i < entries->size(); ++i) {
    TORPOR_ASSERT(as_text((*entries)[i].payload) == (*payloads)[i]);
    static_cast<void>((*entries)[i].properties());
  }
  TORPOR_ASSERT(entries_body(*entries) == body);
  const auto sent = to_entry_frames(*payloads);
  TORPOR_ASSERT(payloads_of(sent) == *payloads);
  return 0;
}
