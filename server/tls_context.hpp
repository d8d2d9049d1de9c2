// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <memory>
#include <string>

#include <openssl/types.h>

namespace torpor {

struct tls_deleter {
  void operator()(SSL_CTX* context) const noexcept;
  void operator()(SSL* session) const noexcept;
};

using tls_context = std::unique_ptr<SSL_CTX, tls_deleter>;
using tls_session = std::unique_ptr<SSL, tls_deleter>;

/// What a server needs for TLS 1.2 and later, from two PEM files: a certificate
/// with its chain, and its key. Errors: invalid_argument, naming the file.
/// Threads: many may make sessions of one context.
[[nodiscard]] result<tls_context> open_tls(const std::string& certificate,
                                           const std::string& key);

/// A session for a socket that was accepted; null without memory.
[[nodiscard]] tls_session accept_tls(SSL_CTX* context, int socket);

} // namespace torpor
