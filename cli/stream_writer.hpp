// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/bulk_appender.hpp"
#include "cli/commands.hpp"
#include "torpor/stream.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// Streams as the commands that change them see them: those of a store that
/// this process opened, or a daemon's. What a call did is durable when it
/// returns. Threads: one owner.
class stream_writer {
public:
  virtual ~stream_writer() = default;

  /// As stream::append; a missing stream is made.
  [[nodiscard]] virtual result<append_result>
  append(const std::string& stream,
         const std::vector<std::string_view>& payloads,
         const append_options& how)
    = 0;
  [[nodiscard]] virtual result<void> create(const std::string& stream,
                                            const create_options& how)
    = 0;
  [[nodiscard]] virtual result<void> remove(const std::string& stream) = 0;
  [[nodiscard]] virtual result<void> close(const std::string& stream) = 0;

  /// For many entries; uses the writer.
  [[nodiscard]] virtual std::unique_ptr<bulk_appender> bulk() = 0;
};

/// The streams of the command line: of the daemon that has them, or of the
/// store in its directory, which is opened as `open_store` says.
[[nodiscard]] result<std::unique_ptr<stream_writer>>
open_writer(const command_context& given, std::uint64_t bytes, bool create);

} // namespace torpor
