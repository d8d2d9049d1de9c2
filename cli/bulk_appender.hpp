// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/runtime.hpp"
#include "torpor/stream.hpp"

#include <cstdint>
#include <deque>
#include <future>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// What has become durable of one stream of a bulk append.
struct bulk_progress {
  std::string stream;
  sequence first{};          ///< Where its new entries begin.
  std::uint64_t entries = 0; ///< Durable ones.
  std::uint64_t bytes = 0;   ///< Of their payloads.
  bool found = false;        ///< The stream was there before.

  /// Whether it is there now.
  [[nodiscard]] bool exists() const noexcept { return found || entries > 0; }
};

/// Appends many entries to one stream after another, in large durable appends
/// of which a few are under way. Each states its place, so that when one is
/// refused none that follows can leave a hole.
/// Threads: one owner.
class bulk_appender {
public:
  explicit bulk_appender(const runtime& store) : store_(store) {}

  /// The next entries go to this stream.
  [[nodiscard]] result<void> begin(const std::string& stream);
  [[nodiscard]] result<void> append(std::string_view payload);
  /// Waits until everything is durable.
  [[nodiscard]] result<void> finish();

  /// One for each `begin`.
  [[nodiscard]] const std::vector<bulk_progress>& streams() const noexcept {
    return streams_;
  }

private:
  struct sent_append {
    std::size_t stream;  ///< Index in `streams_`.
    std::uint64_t bytes; ///< Of the payloads.
    std::uint64_t cost;  ///< Against the store's memory budget.
    std::future<result<append_result>> answer;
  };

  [[nodiscard]] result<void> send();
  [[nodiscard]] result<void> wait_one();

  const runtime& store_;
  std::vector<bulk_progress> streams_;
  std::vector<stream> current_; ///< At most one.
  sequence next_{};             ///< Of the current stream.
  std::string payloads_;        ///< Of the append being collected.
  std::vector<std::size_t> sizes_;
  std::deque<sent_append> sent_;
  std::uint64_t sent_cost_ = 0;
};

} // namespace torpor
