// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/access_list.hpp"
#include "server/http_counts.hpp"
#include "server/http_exchange.hpp"
#include "server/status_page.hpp"
#include "server/store_view.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace torpor {

/// What the pages about the server tell of it; one for all loops.
/// Threads: any.
struct server_status {
  store_view& store;
  const http_metrics& metrics;
  status_page page{status_page_text()};
  std::function<door_facts()> door{}; ///< Set before the first request.
  std::int64_t started_ms = 0;        ///< Since 1970.
  std::uint64_t started_tick = 0;     ///< Monotonic ms.
  std::atomic<bool> stopping{false};  ///< No more work shall come.

  /// Whether requests that write can succeed.
  [[nodiscard]] readiness health() const;
};

/// What a page demands of who asks for it.
struct page_right {
  access_verb verb;
  std::string name;    ///< Of a stream, or a beginning of names; "": all.
  bool stream = false; ///< It is the name of a stream.
};

/// Answers what is not of the protocol: /healthz, /readyz, /metrics, /ui,
/// /v1/stats, /v1/streams and what is below it (docs/http.md, Operations).
/// Threads: those of its loop.
class operations final : public http_handler {
public:
  explicit operations(server_status& status) : status_(status) {}

  /// What a page demands; nullopt: it is for everybody, or does not exist.
  [[nodiscard]] static std::optional<page_right>
  right_for(std::string_view target);

  void handle(http_exchange& exchange) override;

private:
  void tell(http_exchange& exchange,
            std::function<http_response(const server_facts&)> make);
  void list(http_exchange& exchange);
  void info(http_exchange& exchange);

  server_status& status_;
};

} // namespace torpor
