// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/catalog.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace torpor::test {

/// A catalog in memory that can be made again as it was after any of its
/// updates. Threads: as a catalog.
class recorded_catalog final : public catalog {
public:
  recorded_catalog() : inner_(make_memory_catalog()) {}

  std::unique_ptr<catalog_reader> reader() override {
    return inner_->reader();
  }
  result<catalog_state> state() override { return inner_->state(); }
  result<std::uint64_t> count() override { return inner_->count(); }
  result<std::vector<std::uint64_t>> numbers() override {
    return inner_->numbers();
  }
  result<void> update(std::vector<catalog_change>& changes,
                      std::optional<catalog_state> state) override;

  [[nodiscard]] std::size_t updates() const noexcept { return log_.size(); }

  /// Gives an empty catalog the first `count` updates. Errors: its own.
  [[nodiscard]] result<void> replay(catalog& into, std::size_t count) const;

private:
  struct entry {
    std::vector<catalog_change> changes;
    std::optional<catalog_state> state;
  };

  std::unique_ptr<catalog> inner_;
  std::vector<entry> log_;
};

/// Shows a catalog and takes updates without making them, so that many openings
/// find it as it was.
[[nodiscard]] std::unique_ptr<catalog>
unchanging(std::shared_ptr<catalog> shown);

} // namespace torpor::test
