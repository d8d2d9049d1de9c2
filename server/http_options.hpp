// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace torpor {

/// Everything the HTTP door can be told. All of it needs a restart.
struct http_options {
  bool enabled = true;
  std::string address = "127.0.0.1"; ///< An IP address, v4 or v6.
  std::uint16_t port = 4437;         ///< 0: any free one.
  /// A Unix socket's path, at most 107 bytes; empty: none. In a configuration a
  /// relative one lies in the store's directory.
  std::string socket = "torpor.sock";
  std::uint32_t threads = 2; ///< 1 to 64.

  std::uint32_t connections_max = 20000;        ///< 1 to 1,000,000.
  std::uint32_t header_bytes_max = 16u << 10;   ///< 1 to 32 KiB.
  std::uint64_t body_bytes_max = 16ull << 20;   ///< 1 KiB to 16 MiB.
  std::uint64_t bodies_bytes_max = 256ull << 20; ///< 32 MiB to 1 TiB, of all that are kept.
  std::uint64_t read_bytes_max = 1ull << 20;    ///< 4 KiB to 16 MiB of entries in one answer.

  std::chrono::milliseconds header_timeout{10'000}; ///< 1 ms to 1 h, from a request's first byte.
  std::chrono::milliseconds body_timeout{60'000};   ///< 1 ms to 1 h, from its header's end.
  std::chrono::milliseconds idle_timeout{75'000};   ///< 1 ms to 1 h between requests.
  std::chrono::milliseconds write_timeout{30'000};  ///< 1 ms to 1 h in which a client takes nothing.
  std::chrono::milliseconds stop_timeout{10'000};   ///< 0 to 1 h for open exchanges at the end.
  std::chrono::milliseconds long_poll_timeout{20'000}; ///< 10 ms to 1 h.
  std::chrono::milliseconds sse_lifetime{60'000};      ///< 10 ms to 24 h.

  std::string tls_certificate; ///< PEM file, chain included; empty: no TLS.
  std::string tls_key;         ///< PEM file.
  std::string tokens;          ///< File of access tokens; empty: no access control.
  bool insecure = false;       ///< Other machines may come without tokens.

  std::uint32_t rate_requests = 0; ///< Of one tenant in a second; 0: any.
  std::uint64_t rate_bytes = 0;    ///< Likewise.

  bool operator==(const http_options&) const = default;
};

/// Whether an address, as text, is that of this machine alone.
[[nodiscard]] bool is_loopback(const std::string& address);

/// Checks each option by itself. Errors: invalid_argument, naming the option,
/// its value and what is expected.
[[nodiscard]] result<void> check_ranges(const http_options& given);

/// Checks also what belongs together, and that the files named can be used.
/// Errors: invalid_argument and io_failed, naming option and remedy.
[[nodiscard]] result<void> validate(const http_options& given);

} // namespace torpor
