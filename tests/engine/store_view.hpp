// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/inquiry.hpp"
#include "cli/inspected_store.hpp"
#include "runtime/record_table.hpp"
#include "tests/engine/inspection.hpp"
#include "tests/engine/simulated_store.hpp"

#include <vector>

namespace torpor::test {

/// Looks into an open simulated store between its messages.
class store_view final : public inspected {
public:
  explicit store_view(simulated_store& store) : store_(store) {}

  std::vector<stream_info> streams() override;
  result<read_page> read(stream_ref stream,
                         const read_options& wanted) override {
    return store_.read(stream, wanted);
  }

  /// All names, in order.
  [[nodiscard]] stream_names all(listing which);

private:
  simulated_store& store_;
};

/// Looks at a store at rest.
class resting_view final : public inspected {
public:
  explicit resting_view(std::unique_ptr<store> opened)
    : store_(std::move(opened)) {}

  std::vector<stream_info> streams() override;
  result<read_page> read(stream_ref stream,
                         const read_options& wanted) override {
    return store_.read(stream, wanted);
  }

private:
  inspected_store store_;
};

} // namespace torpor::test
