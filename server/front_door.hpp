// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/access_control.hpp"
#include "server/http_router.hpp"
#include "server/http_server.hpp"
#include "server/store_view.hpp"

#include <atomic>
#include <memory>
#include <optional>

namespace torpor {

/// The HTTP door of an open store with all that stands around the protocol:
/// tokens, rates, counts and the pages about the server.
/// Threads: any single one makes, stops and destroys it; the rest any.
class front_door {
public:
  /// Opens it. `protocol` makes what answers below `stream_root`, for each loop.
  /// Errors: those of `http_server::start` and `load_access`.
  [[nodiscard]] static result<std::unique_ptr<front_door>>
  open(const http_options& options, std::shared_ptr<engine> engine,
       const handler_factory& protocol);

  /// Stops. As its server, it has to go after its engine was closed.
  ~front_door();

  /// Reads the token file again, if there is one, and logs what came of it.
  void reload_tokens();

  /// Says so at /readyz, then stops the server.
  void stop();

  [[nodiscard]] http_server& server() noexcept { return *server_; }

private:
  front_door(const http_options& options, std::shared_ptr<engine> engine,
             std::optional<access_list> tokens);
  [[nodiscard]] door_facts facts() const;

  std::unique_ptr<store_view> store_;
  http_metrics metrics_;
  server_status status_;
  std::optional<access_control> access_; ///< Nullopt: no token is needed.
  http_door door_;
  std::unique_ptr<http_server> server_;
  std::atomic<http_server*> serving_{nullptr}; ///< The same, for its threads.
};

} // namespace torpor
