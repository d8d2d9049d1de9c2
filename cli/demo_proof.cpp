// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_proof.hpp"

#include <algorithm>
#include <numeric>

namespace torpor {

demo_proof::demo_proof(const request_log& log, const line_stock& lines,
                       std::size_t streams)
  : log_(log), lines_(lines), begins_(streams + 1), next_(streams) {
  for (std::size_t i = 0; i < log_.size(); ++i) {
    const auto request = log_.at(i);
    if (!request.acknowledged) {
      cut_off_.push_back({request.stream, request.line});
      continue;
    }
    auto& places = begins_[request.stream + 1];
    places = std::max<std::size_t>(places, raw(*request.acknowledged) + 1);
  }
  std::partial_sum(begins_.begin(), begins_.end(), begins_.begin());
  expected_.resize(begins_.back());
  place_requests();
  figures_.unanswered = cut_off_.size();
  std::stable_sort(cut_off_.begin(), cut_off_.end(),
                   [](const cut_off& left, const cut_off& right) {
                     return left.stream < right.stream;
                   });
}

void demo_proof::place_requests() {
  for (std::size_t i = 0; i < log_.size(); ++i) {
    const auto request = log_.at(i);
    if (!request.acknowledged)
      continue;
    ++figures_.acknowledged;
    auto& expected
      = expected_[begins_[request.stream] + raw(*request.acknowledged)];
    if (expected != 0)
      ++figures_.duplicates;
    expected = request.line + 1;
  }
}

void demo_proof::check(std::uint32_t stream,
                       const std::vector<entry_view>& entries) {
  for (const auto& entry : entries) {
    if (raw(entry.seq) != next_[stream])
      ++figures_.gaps;
    next_[stream] = raw(entry.seq) + 1;
    check_entry(stream, entry);
  }
}

void demo_proof::check_entry(std::uint32_t stream, const entry_view& entry) {
  const auto at = begins_[stream] + raw(entry.seq);
  const auto known = at < begins_[stream + 1] ? expected_[at] : 0;
  if (known == 0) {
    ++(take_cut_off(stream, entry.payload) ? figures_.kept : figures_.foreign);
    return;
  }
  if (as_text(entry.payload) != as_text(lines_.line(known - 1))) {
    ++figures_.different;
    return;
  }
  ++figures_.verified;
  figures_.verified_bytes += entry.payload.size();
}

/// Each can account for one entry.
bool demo_proof::take_cut_off(std::uint32_t stream, bytes_view payload) {
  auto at = std::lower_bound(cut_off_.begin(), cut_off_.end(), stream,
                             [](const cut_off& each, std::uint32_t wanted) {
                               return each.stream < wanted;
                             });
  for (; at != cut_off_.end() && at->stream == stream; ++at)
    if (!at->found && as_text(lines_.line(at->line)) == as_text(payload)) {
      at->found = true;
      return true;
    }
  return false;
}

void demo_proof::finish(std::uint32_t stream) {
  ++figures_.streams;
  for (auto at = begins_[stream] + next_[stream]; at < begins_[stream + 1];
       ++at)
    figures_.missing += expected_[at] != 0 ? 1 : 0;
}

} // namespace torpor
