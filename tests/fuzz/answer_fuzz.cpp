// SPDX-License-Identifier: Apache-2.0
// What the tool reads of a server's answer: its head and its complaint.
// Input: a status of two bytes, then an answer.
#include "cli/answer_head.hpp"
#include "cli/http_failure.hpp"
#include "runtime/assert.hpp"
#include "tests/fuzz/fuzz_input.hpp"

#include <string>

using namespace torpor;
using namespace torpor::test;

namespace {

/// However much of it has come: not yet there, or the same. What is refused
/// stays refused when more comes.
void try_beginnings(std::string_view answer) {
  const auto whole = read_answer_head(answer);
  for (std::size_t bytes = 0; bytes < answer.size(); ++bytes) {
    const auto part = read_answer_head(answer.substr(0, bytes));
    if (!part) {
      TORPOR_ASSERT(part.error().code == errc::invalid_argument);
      TORPOR_ASSERT(!whole);
    } else if (*part) {
      TORPOR_ASSERT(whole && *whole);
      TORPOR_ASSERT((*part)->bytes == (*whole)->bytes);
      TORPOR_ASSERT((*part)->status == (*whole)->status);
      TORPOR_ASSERT((*part)->body == (*whole)->body);
      TORPOR_ASSERT((*part)->closes == (*whole)->closes);
    }
  }
  if (!whole || !*whole)
    return;
  const auto& head = **whole;
  TORPOR_ASSERT(head.bytes <= answer.size());
  TORPOR_ASSERT(head.status >= 100 && head.status <= 999);
  TORPOR_ASSERT(answer.substr(0, head.bytes).ends_with("\r\n\r\n"));
  const auto length = answer_header(answer.substr(0, head.bytes),
                                    "Content-Length");
  TORPOR_ASSERT(head.has_length == !length.empty());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  fuzz_input input{data, size};
  const auto status = input.u16();
  const auto answer = input.rest();
  try_beginnings(answer.substr(0, 4096));
  const auto failure = http_failure("append", status, answer);
  TORPOR_ASSERT(to_string(failure.code) != "unknown");
  TORPOR_ASSERT(failure.context.starts_with("append: the server answers "));
  return 0;
}
