// SPDX-License-Identifier: Apache-2.0
// In place of safety_step.cpp where TORPOR_MUTANTS is on.
#include "runtime/safety_step.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace torpor {

namespace {

struct named_step {
  safety_step step;
  std::string_view name;
};

#define STEP(name) named_step{safety_step::name, #name}
constexpr std::array steps{
  STEP(journal_sync),
  STEP(answer_after_sync),
  STEP(prepare_sync),
  STEP(prepared_name_sync),
  STEP(fence),
  STEP(idle_mark),
  STEP(tail_rewrite),
  STEP(tail_sync),
  STEP(spare_rename),
  STEP(frame_chain),
  STEP(frame_store),
  STEP(segment_sync),
  STEP(segment_name_sync),
  STEP(removal_order),
  STEP(checkpoint_order),
  STEP(catalog_sync),
  STEP(file_sync),
  STEP(name_sync),
  STEP(failed_file),
  STEP(identity_sync),
  STEP(lock),
  STEP(frame_head_checksum),
  STEP(frame_payload_checksum),
  STEP(block_checksum),
  STEP(segment_head_checksum),
  STEP(segment_footer_checksum),
  STEP(segment_page_checksum),
  STEP(segment_chunk_checksum),
  STEP(catalog_checksum),
  STEP(deduplication),
  STEP(oracle),
};
#undef STEP
static_assert(steps.size() == safety_steps);

/// A misspelt name would let the tests pass.
std::optional<safety_step> find_left_out() {
  const char* wanted = std::getenv("TORPOR_WITHOUT");
  if (wanted == nullptr || *wanted == '\0')
    return std::nullopt;
  for (const auto& each : steps)
    if (each.name == wanted)
      return each.step;
  std::fprintf(stderr, "TORPOR_WITHOUT=%s: there is no such step\n", wanted);
  std::exit(2);
}

} // namespace

bool does(safety_step step) noexcept {
  static const auto left_out = find_left_out();
  return step != left_out;
}

} // namespace torpor
