// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/bulk_appender.hpp"
#include "torpor/runtime.hpp"
#include "torpor/stream.hpp"

#include <deque>
#include <future>

namespace torpor {

/// Into a store of this process: a few appends are under way. Each states its
/// place, so that none can follow one that was refused.
/// Threads: one owner.
class store_bulk_appender final : public bulk_appender {
public:
  explicit store_bulk_appender(const runtime& store);

private:
  struct sent_append {
    std::size_t stream;  ///< Index in `streams`.
    std::uint64_t bytes; ///< Of the payloads.
    std::uint64_t cost;  ///< Against the store's memory budget.
    std::future<result<append_result>> answer;
  };

  [[nodiscard]] result<bulk_progress> meet(const std::string& stream) override;
  [[nodiscard]] result<void>
  send(const std::vector<std::string_view>& payloads) override;
  [[nodiscard]] result<void> wait() override;
  [[nodiscard]] result<void> wait_one();

  const runtime& store_;
  std::vector<stream> current_; ///< At most one.
  sequence next_{};             ///< Of the current stream.
  bool json_ = false;           ///< It takes JSON only.
  std::deque<sent_append> sent_;
  std::uint64_t sent_cost_ = 0;
};

} // namespace torpor
