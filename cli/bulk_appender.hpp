// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <cstdint>
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

/// Appends many entries to one stream after another, in large durable appends.
/// When one is refused none that follows leaves a hole.
/// Threads: one owner.
class bulk_appender {
public:
  virtual ~bulk_appender() = default;

  /// The next entries go to this stream.
  [[nodiscard]] result<void> begin(const std::string& stream);
  [[nodiscard]] result<void> append(std::string_view payload);
  /// Waits until everything is durable.
  [[nodiscard]] result<void> finish();

  /// One for each `begin`.
  [[nodiscard]] const std::vector<bulk_progress>& streams() const noexcept {
    return streams_;
  }

protected:
  /// How much is collected for one append.
  struct limits {
    std::size_t bytes;
    std::size_t entries;
  };
  explicit bulk_appender(const limits& most) : most_(most) {}

  /// Goes over to a stream: what is known of it, or closed.
  [[nodiscard]] virtual result<bulk_progress> meet(const std::string& stream)
    = 0;
  /// Appends to the stream met last, now or soon; `durable` notes what arrived.
  [[nodiscard]] virtual result<void>
  send(const std::vector<std::string_view>& payloads) = 0;
  /// Waits for all that was sent, also behind a failure.
  [[nodiscard]] virtual result<void> wait() { return {}; }

  /// So much is durable of the n-th stream.
  [[nodiscard]] bulk_progress& durable(std::size_t stream) {
    return streams_[stream];
  }

private:
  [[nodiscard]] result<void> flush();
  /// Of the append being collected, with what surrounds its entries.
  [[nodiscard]] std::size_t bytes() const noexcept {
    return payloads_.size() + 16 * sizes_.size();
  }

  limits most_;
  std::vector<bulk_progress> streams_;
  std::string payloads_; ///< Of the append being collected.
  std::vector<std::size_t> sizes_;
};

} // namespace torpor
