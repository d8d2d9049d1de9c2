// SPDX-License-Identifier: Apache-2.0
#include "server/tls_context.hpp"

#include <fmt/format.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <system_error>

namespace torpor {

namespace {

/// Why OpenSSL failed: what it met first, such as that there is no file; what
/// it met then is only its way back. Forgets all of it.
std::string failure_reason() {
  const auto code = ERR_peek_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code))
    return std::generic_category().message(ERR_GET_REASON(code));
  const char* const text = ERR_reason_error_string(code);
  return text != nullptr ? text : "no reason given";
}

tl::unexpected<error> refuse(std::string_view option, const std::string& file,
                             std::string_view expected) {
  return fail(errc::invalid_argument,
              fmt::format("http.{} '{}' cannot be used ({}); expected {}",
                          option, file, failure_reason(), expected));
}

} // namespace

void tls_deleter::operator()(SSL_CTX* context) const noexcept {
  SSL_CTX_free(context);
}

void tls_deleter::operator()(SSL* session) const noexcept {
  SSL_free(session);
}

result<tls_context> open_tls(const std::string& certificate,
                             const std::string& key) {
  ERR_clear_error();
  tls_context made{SSL_CTX_new(TLS_server_method())};
  if (!made)
    return fail(errc::io_failed,
                fmt::format("TLS cannot be set up: {}", failure_reason()));
  auto* const context = made.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION
                                 | SSL_OP_CIPHER_SERVER_PREFERENCE
                                 | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Idle connections hold no buffers; a write that is tried again may come from
  // another place.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS
                              | SSL_MODE_ENABLE_PARTIAL_WRITE
                              | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Nobody is there to type a passphrase.
  SSL_CTX_set_default_passwd_cb(context,
                                [](char*, int, int, void*) { return -1; });
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
    return refuse("tls-certificate", certificate,
                  "a PEM file with the certificate and its chain");
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    return refuse("tls-key", key, "a PEM file with the certificate's key and no passphrase");
  // A key of another kind than the certificate's is not compared before.
  if (SSL_CTX_check_private_key(context) != 1)
    return fail(errc::invalid_argument,
                fmt::format("http.tls-key '{}' is not the key of "
                            "http.tls-certificate '{}'",
                            key, certificate));
  return made;
}

tls_session accept_tls(SSL_CTX* context, int socket) {
  tls_session made{SSL_new(context)};
  if (!made || SSL_set_fd(made.get(), socket) != 1)
    return nullptr;
  SSL_set_accept_state(made.get());
  return made;
}

} // namespace torpor
