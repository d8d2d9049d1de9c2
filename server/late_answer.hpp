// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_exchange.hpp"
#include "server/io_loop.hpp"

#include <functional>
#include <memory>
#include <utility>

namespace torpor {

/// Answers an exchange later, from any thread, unless its client has gone.
/// Threads: made on the exchange's loop, `operator()` any, once.
class late_answer {
public:
  explicit late_answer(http_exchange& exchange)
    : loop_(&exchange.loop()),
      waiting_(std::make_shared<http_exchange*>(&exchange)) {
    exchange.on_abort(answer_wait::bounded,
                      [waiting = waiting_] { *waiting = nullptr; });
  }

  /// Has the loop make the answer and send it.
  void operator()(std::function<http_response()> make) const {
    loop_->post([waiting = waiting_, make = std::move(make)] {
      if (auto* const exchange = std::exchange(*waiting, nullptr))
        exchange->respond(make());
    });
  }

private:
  io_loop* loop_;
  std::shared_ptr<http_exchange*> waiting_; ///< Null: nobody waits.
};

} // namespace torpor
