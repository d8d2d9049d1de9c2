// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.hpp"
#include "cli/http_url.hpp"
#include "torpor/error.hpp"

#include <optional>
#include <string>

namespace torpor {

/// How to reach a daemon.
struct daemon_place {
  http_url url;
  std::string token;   ///< Empty: none.
  std::string ca_file; ///< Who signed its certificate; empty: as the system says.
};

/// The daemon that the command line means: the one at its URL, or the one whose
/// socket lies in the store's directory and takes connections. None: nobody has
/// the store, or somebody who cannot be talked to.
/// Errors: invalid_argument, io_failed.
[[nodiscard]] result<std::optional<daemon_place>>
find_daemon(const command_context& given);

/// For commands that a daemon does not offer. Errors: invalid_argument: the
/// command line names a URL.
[[nodiscard]] result<void> needs_directory(const command_context& given,
                                           std::string_view command);

} // namespace torpor
