// SPDX-License-Identifier: Apache-2.0
#include "runtime/id_map.hpp"

#include "runtime/assert.hpp"

namespace torpor {

void id_map::set(stream_id id, index value) {
  TORPOR_ASSERT(value != none);
  auto& branches = slots_[raw(id) & 255];
  const auto leaf_number = number(id) / leaf_size;
  if (leaf_number / branch_size >= branches.size())
    branches.resize(leaf_number / branch_size + 1);
  auto& branch = branches[leaf_number / branch_size];
  if (!branch)
    branch = std::make_unique<branch_node>();
  auto& leaf = branch->at[leaf_number % branch_size];
  if (!leaf) {
    leaf = std::make_unique<leaf_node>();
    ++branch->used;
  }
  auto& at = leaf->at[number(id) % leaf_size];
  if (at == none)
    ++leaf->used;
  at = value;
}

void id_map::erase(stream_id id) noexcept {
  if (find(id) == none)
    return;
  const auto leaf_number = number(id) / leaf_size;
  auto& branch = slots_[raw(id) & 255][leaf_number / branch_size];
  auto& leaf = branch->at[leaf_number % branch_size];
  leaf->at[number(id) % leaf_size] = none;
  if (--leaf->used > 0)
    return;
  leaf.reset();
  if (--branch->used == 0)
    branch.reset();
}

} // namespace torpor
