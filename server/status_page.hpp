// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_exchange.hpp"

#include <string>
#include <string_view>

namespace torpor {

/// The page /ui: one text, compiled in from server/ui/index.html.
/// Threads: any; it does not change.
class status_page {
public:
  explicit status_page(std::string_view text);

  /// The page, or 304 when the client has it. Nothing in it may come from
  /// elsewhere, and of scripts and styles only those that are in the page run:
  /// Content-Security-Policy names their hashes.
  [[nodiscard]] http_response answer(const http_request& request) const;

private:
  shared_text text_;
  std::string etag_;
  std::string policy_;
};

/// The text of server/ui/index.html; made by the build.
[[nodiscard]] std::string_view status_page_text() noexcept;

} // namespace torpor
