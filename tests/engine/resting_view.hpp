// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/inspected_store.hpp"
#include "tests/engine/inspection.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace torpor::test {

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
