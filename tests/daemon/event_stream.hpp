// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/daemon_place.hpp"
#include "torpor/types.hpp"

#include <optional>
#include <string>

namespace torpor::test {

/// One request for a stream's events (SSE), which come while it is open.
/// Threads: one owner.
class event_stream {
public:
  event_stream(const daemon_place& place, const std::string& stream,
               sequence from);
  event_stream(const event_stream&) = delete;
  event_stream& operator=(const event_stream&) = delete;
  ~event_stream();

  struct event {
    std::string kind;
    std::string data; ///< Its lines, without what ends them.
  };
  /// The next one; nullopt when the daemon has ended it, or is gone.
  [[nodiscard]] std::optional<event> next();

private:
  [[nodiscard]] bool receive();

  int number_; ///< Of the socket; -1: none.
  std::string text_; ///< What came and was not asked for yet.
};

} // namespace torpor::test
