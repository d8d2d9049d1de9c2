// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/daemon_place.hpp"
#include "torpor/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torpor {

enum class http_method : std::uint8_t { get, head, put, post, remove };

/// A request.
struct http_call {
  http_method method{};
  std::string target;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string_view body;
  /// The same twice is as good as once: it is sent again when the daemon was
  /// away or full, for half a minute.
  bool repeatable = false;
  bool waits = false; ///< The answer may take any time.
};

struct http_answer {
  unsigned status = 0;
  std::string head; ///< Status line and headers.
  std::string body;

  /// A header's value; empty when there is none.
  [[nodiscard]] std::string_view field(std::string_view name) const;
  /// Whether a header says "true".
  [[nodiscard]] bool flag(std::string_view name) const;
};

class http_connection;

/// One connection to a daemon, made when it is needed and kept.
/// Threads: one owner.
class http_client {
public:
  explicit http_client(daemon_place place);
  http_client(http_client&&) noexcept;
  http_client& operator=(http_client&&) noexcept;
  ~http_client();

  /// Any status counts as an answer, but one that asks for patience is waited
  /// for. Errors: io_failed (nobody there, cut off, wrong certificate),
  /// shut_down: interrupted.
  [[nodiscard]] result<http_answer> send(const http_call& call);

  [[nodiscard]] const daemon_place& place() const noexcept { return *place_; }

private:
  [[nodiscard]] result<http_answer> attempt(const http_call& call);

  std::unique_ptr<daemon_place> place_; ///< The connection knows where.
  std::unique_ptr<http_connection> connection_; ///< Null: none yet.
  bool met_ = false; ///< The daemon has answered once.
};

} // namespace torpor
