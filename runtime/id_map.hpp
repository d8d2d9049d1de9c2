// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/types.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace torpor {

/// Maps stream ids to 32-bit indices. The ids of a slot (their low 8 bits) are
/// numbered one after another, so this is an array with 4 bytes an id, in
/// leaves of 64 that exist while one of their ids is known. It is several
/// times denser than a hash table, so that more of it stays in the caches.
/// Threads: one owner.
class id_map {
public:
  using index = std::uint32_t;
  static constexpr index none = 0xffffffff;

  /// The index of an id, else `none`. Any id may be asked for.
  [[nodiscard]] index find(stream_id id) const noexcept {
    const auto* leaf = leaf_of(id);
    return leaf != nullptr ? leaf->at[number(id) % leaf_size] : none;
  }

  /// Fetches what `find` will look at.
  void prefetch(stream_id id) const noexcept {
    if (const auto* leaf = leaf_of(id))
      __builtin_prefetch(&leaf->at[number(id) % leaf_size]);
  }

  /// Adds an id, or replaces its index, which is not `none`. The slot's memory
  /// grows with its largest number: one byte for 2,048 of them.
  void set(stream_id id, index value);

  /// Removes an id, if it is there.
  void erase(stream_id id) noexcept;

private:
  static constexpr std::uint64_t leaf_size = 64;
  static constexpr std::uint64_t branch_size = 256;

  struct leaf_node {
    leaf_node() { at.fill(none); }
    std::array<index, leaf_size> at;
    std::uint32_t used = 0;
  };
  struct branch_node {
    std::array<std::unique_ptr<leaf_node>, branch_size> at;
    std::uint32_t used = 0;
  };

  static std::uint64_t number(stream_id id) noexcept { return raw(id) >> 8; }

  [[nodiscard]] const leaf_node* leaf_of(stream_id id) const noexcept {
    const auto& branches = slots_[raw(id) & 255];
    const auto leaf = number(id) / leaf_size;
    if (leaf / branch_size >= branches.size())
      return nullptr;
    const auto* branch = branches[leaf / branch_size].get();
    return branch != nullptr ? branch->at[leaf % branch_size].get() : nullptr;
  }

  std::array<std::vector<std::unique_ptr<branch_node>>, 256> slots_;
};

} // namespace torpor
