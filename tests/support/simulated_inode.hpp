// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/happenings.hpp"
#include "torpor/types.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace torpor::test {

/// Chance that a seed repeats, and what it led to. Threads: one owner.
class dice {
public:
  explicit dice(std::uint64_t seed) : engine_{seed} {}

  [[nodiscard]] bool coin() { return below(2) == 0; }

  /// 0 to `bound - 1`; `bound` is at least 1.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) {
    return engine_() % bound;
  }

  void note(happening one) { test::note(happened, one); }

  happenings happened;

private:
  std::mt19937_64 engine_;
};

/// What a power failure leaves of what was not synced.
enum class unsynced : std::uint8_t {
  by_chance, ///< Each change is dropped, kept or, if a write, torn.
  dropped,   ///< Nothing.
  kept,      ///< Everything.
};

/// The bytes of one simulated file: those on the medium, and those in the
/// page cache, which readers see. Threads: one owner.
class simulated_inode {
public:
  static constexpr std::size_t sector_bytes = 512; ///< Written whole or not.

  void write(std::uint64_t offset, bytes_view bytes);
  void truncate(std::uint64_t bytes);
  [[nodiscard]] std::size_t read(std::uint64_t offset,
                                 std::span<std::byte> into) const;
  [[nodiscard]] std::uint64_t size() const { return cached_.size(); }

  /// All changes reach the medium, save those that `fail_sync` lost.
  void sync();

  /// As Linux does: some changes or none reach the medium, the others are
  /// lost, and yet readers see them until the power fails.
  void fail_sync(dice& chance);

  /// As disks do that acknowledge what is in their cache: the changes reach the
  /// medium later, in part or never; readers see them until the power fails.
  void sync_falsely(dice& chance);

  /// Whether readers see bytes that no sync will make durable.
  [[nodiscard]] bool lost_unseen() const;

  /// The page cache is gone; the medium is what `fate` and chance left of it.
  void lose_power(dice& chance, unsynced fate);

  /// Damage on the medium and in the cache.
  void flip_bit(std::uint64_t byte, unsigned bit);
  void cut(std::uint64_t bytes);

  std::uint32_t handles = 0; ///< How many open files use it.

private:
  using image = std::vector<std::byte>;

  /// A write of `bytes` at `offset`, or a truncation to `offset`.
  struct change {
    bool truncates;
    std::uint64_t offset;
    image bytes;
  };

  static void apply(const change& done, image& onto);
  static std::uint64_t keep_sectors(const change& torn, const image& cache,
                                    image& medium, dice& chance);
  void settle(dice& chance, unsynced fate);

  image durable_;
  image cached_;
  std::vector<change> unsynced_; ///< In the order they were made.
  bool sync_failed_ = false;
};

} // namespace torpor::test
