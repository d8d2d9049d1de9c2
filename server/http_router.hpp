// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/access_control.hpp"
#include "server/counted_exchange.hpp"
#include "server/http_counts.hpp"
#include "server/http_exchange.hpp"
#include "server/operations.hpp"
#include "server/rate_limiter.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace torpor {

/// What the routers of all loops share. Outlives them. Threads: any.
struct http_door {
  const access_control* access = nullptr; ///< Null: everybody may do all.
  rate_limiter limiter;
  http_metrics& metrics;
  server_status& status;
};

/// Stands before everything that a loop answers: knows who asks, counts, holds
/// tenants to their rates, and hands on to the protocol or the pages about the
/// server. Threads: those of its loop.
class http_router final : public http_handler {
public:
  http_router(http_door& door, std::unique_ptr<http_handler> protocol);

  /// Only of streams, and of who may have them.
  [[nodiscard]] bool wants_body(http_exchange& exchange) override;
  void refused(const http_response& answer) override;
  void handle(http_exchange& exchange) override;

private:
  void handle_stream(counted_exchange& exchange);
  void handle_page(counted_exchange& exchange);
  [[nodiscard]] std::optional<http_response>
  refuse_stream(const http_request& request, const result<std::string>& name);
  [[nodiscard]] std::optional<http_response>
  refuse_sources(const http_request& request);
  [[nodiscard]] std::optional<http_response>
  refuse_name(const http_request& request, access_verb verb,
              std::string_view name);
  [[nodiscard]] std::optional<http_response>
  hold(counted_exchange& exchange, const std::string& name);

  http_door& door_;
  http_counts& counts_;
  std::optional<access_view> access_; ///< Nullopt: everybody may do all.
  operations pages_;
  std::unique_ptr<http_handler> protocol_;
};

} // namespace torpor
