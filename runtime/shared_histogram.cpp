// SPDX-License-Identifier: Apache-2.0
#include "runtime/shared_histogram.hpp"

#include <numeric>

namespace torpor {

std::uint64_t histogram_counts::upper_end(std::size_t index) noexcept {
  const auto octave = index >> part_bits;
  const auto cut = octave > 1 ? octave - 1 : 0;
  return ((std::uint64_t{index - (cut << part_bits)} + 1) << cut) - 1;
}

std::uint64_t histogram_counts::count() const noexcept {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::uint64_t histogram_counts::below(std::uint64_t ns) const noexcept {
  const auto end = index_of(std::min(ns, value_max + 1));
  return std::accumulate(counts.begin(),
                         counts.begin() + static_cast<std::ptrdiff_t>(
                                            std::min(end, buckets)),
                         std::uint64_t{0});
}

std::uint64_t histogram_counts::at(double share) const noexcept {
  const auto wanted = std::max(share * static_cast<double>(count()), 1.0);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    seen += counts[i];
    if (static_cast<double>(seen) >= wanted)
      return upper_end(i);
  }
  return 0;
}

} // namespace torpor
