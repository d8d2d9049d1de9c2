// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_exchange.hpp"
#include "server/stream_door.hpp"

#include <memory>
#include <string_view>

namespace torpor {

/// Answers what is asked below `stream_root`, as the Durable Streams protocol
/// has it (docs/http.md). It and the loop have to outlive the engine behind its
/// store, whose answers come until it has stopped.
/// Threads: those of its loop.
class durable_streams final : public http_handler {
public:
  durable_streams(io_loop& loop, std::unique_ptr<stream_store> store,
                  stream_options options);

  void handle(http_exchange& exchange) override;

  /// What the requests share, to be counted.
  [[nodiscard]] const stream_door& door() const noexcept { return door_; }

private:
  void get(http_exchange& exchange, std::string_view stream);

  std::unique_ptr<stream_store> store_;
  stream_door door_;
};

} // namespace torpor
