// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace torpor {

/// Counts latencies in buckets that grow with the value: each power of two is
/// cut into 1,024 equal parts, so every answer has three digits. 230 KiB.
/// Threads: one owner; `merge` puts several together.
class latency_histogram {
public:
  /// Larger values count as this one: 18 minutes, in ns.
  static constexpr std::uint64_t value_max = (std::uint64_t{1} << 40) - 1;

  latency_histogram() : counts_(index_of(value_max) + 1) {}

  /// Adds `count` operations that took `ns` each.
  void record(std::uint64_t ns, std::uint64_t count = 1) {
    const auto value = std::min(ns, value_max);
    counts_[index_of(value)] += count;
    count_ += count;
    most_ = std::max(most_, value);
  }

  void merge(const latency_histogram& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      counts_[i] += other.counts_[i];
    count_ += other.count_;
    most_ = std::max(most_, other.most_);
  }

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

  /// What `share` (0 to 1) of the operations did not exceed, in ns: the upper
  /// end of the bucket, at most the largest value. 0 when there are none.
  [[nodiscard]] std::uint64_t at(double share) const {
    const auto wanted = std::max(share * static_cast<double>(count_), 1.0);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (static_cast<double>(seen) >= wanted)
        return std::min(upper_end(i), most_);
    }
    return most_;
  }

private:
  static constexpr unsigned part_bits = 10;

  /// Values below 2,048 have a bucket each. Above, the leading one and the ten
  /// bits behind it choose the bucket.
  static constexpr std::size_t index_of(std::uint64_t value) {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    const auto cut = width > part_bits + 1 ? width - part_bits - 1 : 0;
    return (std::size_t{cut} << part_bits) + (value >> cut);
  }

  static constexpr std::uint64_t upper_end(std::size_t index) {
    const auto octave = index >> part_bits;
    const auto cut = octave > 1 ? octave - 1 : 0;
    return ((index - (cut << part_bits) + 1) << cut) - 1;
  }

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t most_ = 0;
};

} // namespace torpor
