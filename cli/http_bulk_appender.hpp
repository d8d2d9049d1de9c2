// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/bulk_appender.hpp"
#include "torpor/write_batch.hpp"

namespace torpor {

class http_streams;

/// Into a daemon's streams, one large append after another. Each has a number
/// of a producer of its own, so that one that was cut off can be sent again.
/// Threads: one owner.
class http_bulk_appender final : public bulk_appender {
public:
  explicit http_bulk_appender(http_streams& to);

private:
  [[nodiscard]] result<bulk_progress> meet(const std::string& stream) override;
  [[nodiscard]] result<void>
  send(const std::vector<std::string_view>& payloads) override;

  http_streams& to_;
  append_options how_;
};

} // namespace torpor
