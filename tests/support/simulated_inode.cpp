// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulated_inode.hpp"

#include "runtime/assert.hpp"

#include <algorithm>
#include <utility>

namespace torpor::test {

namespace {

/// Copies one sector as the cache has it; it may be the file's last, short one.
void copy_sector(std::uint64_t begin, const std::vector<std::byte>& cache,
                 std::vector<std::byte>& medium) {
  const auto end = std::min<std::uint64_t>(
    begin + simulated_inode::sector_bytes, cache.size());
  if (begin >= end)
    return;
  if (medium.size() < end)
    medium.resize(end);
  std::copy(cache.begin() + begin, cache.begin() + end, medium.begin() + begin);
}

unsynced fate_of_file(unsynced fate, dice& chance) {
  if (fate != unsynced::by_chance)
    return fate;
  switch (chance.below(4)) { // All or nothing is as common as a mixture.
    case 0: return unsynced::dropped;
    case 1: return unsynced::kept;
    default: return unsynced::by_chance;
  }
}

} // namespace

void simulated_inode::apply(const change& done, image& onto) {
  if (done.truncates) {
    onto.resize(done.offset);
    return;
  }
  const auto end = done.offset + done.bytes.size();
  if (onto.size() < end)
    onto.resize(end);
  std::copy(done.bytes.begin(), done.bytes.end(), onto.begin() + done.offset);
}

void simulated_inode::write(std::uint64_t offset, bytes_view bytes) {
  if (bytes.empty())
    return;
  unsynced_.push_back({false, offset, {bytes.begin(), bytes.end()}});
  apply(unsynced_.back(), cached_);
}

void simulated_inode::truncate(std::uint64_t bytes) {
  unsynced_.push_back({true, bytes, {}});
  apply(unsynced_.back(), cached_);
}

std::size_t simulated_inode::read(std::uint64_t offset,
                                  std::span<std::byte> into) const {
  if (offset >= cached_.size())
    return 0;
  const auto bytes = std::min<std::uint64_t>(into.size(),
                                             cached_.size() - offset);
  std::copy_n(cached_.begin() + offset, bytes, into.begin());
  return bytes;
}

void simulated_inode::sync() {
  for (const auto& done : unsynced_)
    apply(done, durable_);
  unsynced_.clear();
}

void simulated_inode::fail_sync(dice& chance) {
  settle(chance, chance.coin() ? unsynced::dropped : unsynced::by_chance);
  sync_failed_ = true;
}

void simulated_inode::sync_falsely(dice& chance) {
  if (unsynced_.empty())
    return;
  chance.note(happening::lying_sync);
  if (chance.coin())
    settle(chance, chance.coin() ? unsynced::dropped : unsynced::by_chance);
}

bool simulated_inode::lost_unseen() const {
  return sync_failed_ && durable_ != cached_;
}

void simulated_inode::lose_power(dice& chance, unsynced fate) {
  if (!unsynced_.empty())
    settle(chance, fate_of_file(fate, chance));
  cached_ = durable_;
  sync_failed_ = false;
}

void simulated_inode::flip_bit(std::uint64_t byte, unsigned bit) {
  TORPOR_ASSERT(byte < cached_.size() && bit < 8);
  const auto mask = std::byte{1} << bit;
  cached_[byte] ^= mask;
  if (byte < durable_.size())
    durable_[byte] ^= mask;
}

void simulated_inode::cut(std::uint64_t bytes) {
  TORPOR_ASSERT(bytes <= cached_.size());
  unsynced_.clear();
  cached_.resize(bytes);
  durable_ = cached_;
}

/// A cache writes sectors, not writes: a sector on the medium is the whole
/// sector as it was after one of the changes, and never goes back.
void simulated_inode::settle(dice& chance, unsynced fate) {
  if (fate == unsynced::kept)
    sync();
  auto changes = std::exchange(unsynced_, {});
  if (changes.empty())
    return;
  if (fate == unsynced::dropped)
    return chance.note(happening::lost_write);
  auto cache = durable_;
  auto all_before = true;
  for (const auto& done : changes) {
    apply(done, cache);
    if (!done.truncates) {
      const auto lost = keep_sectors(done, cache, durable_, chance);
      if (!all_before && lost == 0)
        chance.note(happening::reordered_writes);
      all_before = all_before && lost == 0;
    } else if (chance.coin()) {
      apply(done, durable_);
    }
  }
  // The size can reach the medium before the bytes do: they read as zeros.
  if (durable_.size() < cache.size() && chance.coin()) {
    chance.note(happening::size_without_bytes);
    durable_.resize(cache.size());
  }
}

/// Returns how many sectors are lost.
std::uint64_t simulated_inode::keep_sectors(const change& torn,
                                            const image& cache, image& medium,
                                            dice& chance) {
  const auto first = torn.offset / sector_bytes;
  const auto last = (torn.offset + torn.bytes.size() - 1) / sector_bytes;
  const auto count = last - first + 1;
  enum { drop, keep, tear_off_the_end, scatter };
  const auto outcome = chance.below(4);
  const auto intact = outcome == keep               ? count
                      : outcome == tear_off_the_end ? chance.below(count)
                                                    : 0;
  std::uint64_t lost = 0;
  for (std::uint64_t n = 0; n < count; ++n) {
    if (n < intact || (outcome == scatter && chance.coin()))
      copy_sector((first + n) * sector_bytes, cache, medium);
    else
      ++lost;
  }
  if (lost > 0)
    chance.note(lost == count ? happening::lost_write : happening::torn_write);
  return lost;
}

} // namespace torpor::test
