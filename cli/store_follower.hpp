// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/stream_reader.hpp"
#include "torpor/runtime.hpp"

namespace torpor {

/// The streams of a store that this process opened, with reads that wait.
/// Threads: one owner.
class store_follower final : public stream_reader {
public:
  explicit store_follower(runtime opened) : store_(std::move(opened)) {}

  [[nodiscard]] result<std::vector<std::pair<std::string, stream_id>>>
  list(std::string_view prefix, std::string_view after,
       std::size_t count_max) override;
  [[nodiscard]] result<stream_info> info(stream_ref stream) override;
  [[nodiscard]] result<read_page> read(stream_ref stream,
                                       const read_options& options) override;

private:
  runtime store_;
};

} // namespace torpor
