// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace torpor {

/// A number that one thread raises and others look at: costs what a plain one
/// does. Threads: `add` one, `value` any.
class shared_count {
public:
  void add(std::uint64_t more = 1) noexcept {
    value_.store(value() + more, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<std::uint64_t> value_{0};
};

/// What a histogram has counted, at one moment; or several put together.
/// Threads: one owner.
struct histogram_counts {
  /// Each power of two is cut into 8 parts: quantiles are at most an eighth
  /// too large.
  static constexpr unsigned part_bits = 3;
  static constexpr unsigned value_bits = 36;
  static constexpr std::size_t buckets = (value_bits - part_bits + 1)
                                         << part_bits;
  /// Larger values count as this one: 68 s, in ns.
  static constexpr std::uint64_t value_max
    = (std::uint64_t{1} << value_bits) - 1;

  /// Values below 16 have a bucket each. Above, the leading one and the three
  /// bits behind it choose the bucket.
  [[nodiscard]] static constexpr std::size_t
  index_of(std::uint64_t value) noexcept {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    const auto cut = width > part_bits + 1 ? width - part_bits - 1 : 0;
    return (std::size_t{cut} << part_bits) + (value >> cut);
  }

  /// The largest value of a bucket.
  [[nodiscard]] static std::uint64_t upper_end(std::size_t index) noexcept;

  std::array<std::uint64_t, buckets> counts{};
  std::uint64_t sum_ns = 0;

  /// How many there are in all.
  [[nodiscard]] std::uint64_t count() const noexcept;
  /// How many are below `ns`, a power of two.
  [[nodiscard]] std::uint64_t below(std::uint64_t ns) const noexcept;
  /// What `share` (0 to 1) did not exceed, in ns; 0 when there are none.
  [[nodiscard]] std::uint64_t at(double share) const noexcept;
};

/// Counts how long things took; 2.2 KiB, a few ns a record.
/// Threads: `record` one, `add_to` any.
class shared_histogram {
public:
  void record(std::uint64_t ns) noexcept {
    counts_[histogram_counts::index_of(
              std::min(ns, histogram_counts::value_max))]
      .add();
    sum_.add(ns);
  }

  void add_to(histogram_counts& sum) const noexcept {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      sum.counts[i] += counts_[i].value();
    sum.sum_ns += sum_.value();
  }

private:
  std::array<shared_count, histogram_counts::buckets> counts_;
  shared_count sum_;
};

} // namespace torpor
