// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.hpp"
#include "torpor/read.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torpor {

/// Streams as the commands that show them see them: those of a store at rest,
/// or a daemon's. Threads: one owner.
class stream_reader {
public:
  virtual ~stream_reader() = default;

  /// Streams whose names begin with `prefix` and come after `after`; fewer than
  /// `count_max` only when there are no more.
  [[nodiscard]] virtual result<std::vector<std::pair<std::string, stream_id>>>
  list(std::string_view prefix, std::string_view after, std::size_t count_max)
    = 0;

  [[nodiscard]] virtual result<stream_info> info(stream_ref stream) = 0;

  /// As stream::read. A wait ends with an empty page when the process is
  /// interrupted.
  [[nodiscard]] virtual result<read_page> read(stream_ref stream,
                                               const read_options& options)
    = 0;

  /// Adds to a failed read from where on the stream can be read again, if it
  /// can.
  [[nodiscard]] virtual error explain(const stream_info& stream,
                                      const read_options& wanted,
                                      error failure) {
    static_cast<void>(stream);
    static_cast<void>(wanted);
    return failure;
  }

  /// Errors: corrupt: any stream may lack its newest entries.
  [[nodiscard]] virtual result<void> whole() const { return {}; }
};

/// How the streams are to be read.
enum class reading : std::uint8_t {
  once,
  following, ///< With reads that wait.
};

/// The streams of the command line: of the daemon that has them, or of the
/// store in its directory. Errors: as find_daemon and inspected_store::open.
[[nodiscard]] result<std::unique_ptr<stream_reader>>
open_reader(const command_context& given, reading how = reading::once);

} // namespace torpor
