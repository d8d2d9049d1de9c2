// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/recorded_catalog.hpp"

#include <utility>

namespace torpor::test {

namespace {

std::vector<catalog_change> copy(const std::vector<catalog_change>& changes) {
  std::vector<catalog_change> copies;
  for (const auto& each : changes) {
    auto& change = copies.emplace_back();
    change.id = each.id;
    if (each.record)
      change.record = each.record->clone();
  }
  return copies;
}

class unchanging_catalog final : public catalog {
public:
  explicit unchanging_catalog(std::shared_ptr<catalog> shown)
    : shown_(std::move(shown)) {}

  std::unique_ptr<catalog_reader> reader() override {
    return shown_->reader();
  }
  result<catalog_state> state() override { return shown_->state(); }
  result<std::uint64_t> count() override { return shown_->count(); }
  result<std::vector<std::uint64_t>> numbers() override {
    return shown_->numbers();
  }
  result<void> update(std::vector<catalog_change>&,
                      std::optional<catalog_state>) override {
    return {};
  }

private:
  std::shared_ptr<catalog> shown_;
};

} // namespace

result<void> recorded_catalog::update(std::vector<catalog_change>& changes,
                                      std::optional<catalog_state> state) {
  log_.push_back({copy(changes), state});
  return inner_->update(changes, std::move(state));
}

result<void> recorded_catalog::replay(catalog& into, std::size_t count) const {
  for (std::size_t i = 0; i < count; ++i) {
    auto changes = copy(log_[i].changes);
    if (auto done = into.update(changes, log_[i].state); !done)
      return done;
  }
  return {};
}

std::unique_ptr<catalog> unchanging(std::shared_ptr<catalog> shown) {
  return std::make_unique<unchanging_catalog>(std::move(shown));
}

} // namespace torpor::test
