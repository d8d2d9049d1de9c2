// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http_options.hpp"
#include "torpor/error.hpp"
#include "torpor/options.hpp"

#include <caf/config_value.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// What the daemon is told by its file and its command line.
struct daemon_config {
  options store;
  /// trace, debug, info, warn, error, critical or off.
  std::string log_level = "info";
  http_options http;
  /// Prefixes of streams whose appends over HTTP are acknowledged before they
  /// are durable; by a name of their own.
  std::map<std::string, std::optional<std::string>> buffered;
};

/// Every option's key as it is written below [torpor]: "sync.max-delay".
/// `memory.tenants` stands for all tenants.
[[nodiscard]] std::vector<std::string_view> option_keys();

/// Sets one option. Errors: invalid_argument: an unknown key, another type or
/// out of range; the text says what is expected.
[[nodiscard]] result<void> set_option(daemon_config& config,
                                      std::string_view key,
                                      const caf::config_value& value);

/// Sets what a file says (docs/configuration.md); all that it does not name
/// stays. Errors: io_failed; invalid_argument, naming file, line, section, key
/// and what is expected; also what is no regular file or over 1 MiB.
[[nodiscard]] result<void> apply_file(daemon_config& config,
                                      const std::string& path);

/// Sets an option as the command line writes it, "--torpor.sync.max-delay=5s";
/// strings need no quotes there. Errors: invalid_argument.
[[nodiscard]] result<void> apply_argument(daemon_config& config,
                                          std::string_view argument);

/// Where the door's Unix socket lies; empty: there is none.
[[nodiscard]] std::string socket_path(const daemon_config& config);

/// Checks what belongs together, and that files, the place of the store and that
/// of the socket can be used. Errors: invalid_argument and io_failed, naming
/// option and remedy.
[[nodiscard]] result<void> validate(const daemon_config& config);

} // namespace torpor
