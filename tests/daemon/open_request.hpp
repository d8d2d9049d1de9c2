// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/http_client.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace torpor::test {

/// A request that has not been answered yet.
struct open_request {
  http_call call; ///< Without its body.
  std::string body;
  /// What an answer means; false: it must not come. `again`: another daemon,
  /// which was killed, had got it before.
  std::function<bool(const http_answer&, bool again)> settle;
  /// Sent again it might be there twice: it stays unknown.
  bool once = false;
  /// A producer's: it is there once, however often it is sent.
  bool repeatable = false;
  bool again = false;
  /// A delete's: that it was not carried out holds until it is sent again.
  std::optional<std::uint64_t> removal;
};

} // namespace torpor::test
