// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/load_generator.hpp"

#include <string>
#include <vector>

namespace torpor {

/// Entries of one size for streams chosen at random, evenly.
/// Threads: one owner.
class random_source final : public load_source {
public:
  /// Payloads are cut out of `pool`, at least `entry_bytes` long; both must
  /// outlive the source.
  random_source(const std::vector<stream_id>& streams, const std::string& pool,
                std::uint32_t entry_bytes, std::uint64_t seed)
    : streams_(streams), pool_(pool), entry_bytes_(entry_bytes),
      random_(seed) {}

  std::optional<item> next() override {
    const auto from = random_.below(pool_.size() - entry_bytes_ + 1);
    return item{streams_[random_.below(streams_.size())],
                as_bytes(pool_).subspan(from, entry_bytes_), 0};
  }

private:
  const std::vector<stream_id>& streams_;
  const std::string& pool_;
  std::uint32_t entry_bytes_;
  quick_random random_;
};

} // namespace torpor
