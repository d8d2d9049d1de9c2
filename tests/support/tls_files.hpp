// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/tls_context.hpp"
#include "tests/support/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <memory>
#include <string>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

namespace torpor::test {

/// A key and a certificate that it signed itself, in files.
class tls_files {
public:
  explicit tls_files(EVP_PKEY* made_for = EVP_EC_gen("P-256")) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pair{
      made_for, &EVP_PKEY_free};
    const std::unique_ptr<X509, decltype(&X509_free)> made{X509_new(),
                                                           &X509_free};
    REQUIRE(pair);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    X509_set_pubkey(made.get(), pair.get());
    REQUIRE(X509_sign(made.get(), pair.get(), EVP_sha256()) > 0);
    save(key, [&](std::FILE* to) {
      return PEM_write_PrivateKey(to, pair.get(), nullptr, nullptr, 0, nullptr,
                                  nullptr);
    });
    save(certificate,
         [&](std::FILE* to) { return PEM_write_X509(to, made.get()); });
  }

private:
  scratch_directory scratch_;

public:
  const std::string key = scratch_.path() + "/key.pem";
  const std::string certificate = scratch_.path() + "/certificate.pem";

private:
  template <class Write>
  static void save(const std::string& path, Write write) {
    std::FILE* const file = std::fopen(path.c_str(), "w");
    REQUIRE(file != nullptr);
    CHECK(write(file) == 1);
    std::fclose(file);
  }
};

} // namespace torpor::test
