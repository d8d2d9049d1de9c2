// SPDX-License-Identifier: Apache-2.0
#include "tests/support/certificate.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace torpor::test {

namespace {

template <class T, auto Free>
struct freed_by {
  void operator()(T* what) const { Free(what); }
};
template <class T, auto Free>
using owned = std::unique_ptr<T, freed_by<T, Free>>;

/// Tests need not survive without it.
void demand(bool done) {
  if (!done)
    std::abort();
}

template <class Write>
void write_file(const std::string& path, Write write) {
  const owned<std::FILE, &std::fclose> file{std::fopen(path.c_str(), "w")};
  demand(file && write(file.get()));
}

} // namespace

void write_certificate(const std::string& host, const std::string& key_path,
                       const std::string& certificate_path) {
  const owned<EVP_PKEY, &EVP_PKEY_free> key{EVP_EC_gen("P-256")};
  const owned<X509, &X509_free> made{X509_new()};
  demand(key && made);
  constexpr long day_s = 86400;
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -day_s);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), day_s);
  X509_set_pubkey(made.get(), key.get());
  auto* const name = X509_get_subject_name(made.get());
  const auto* const text = reinterpret_cast<const unsigned char*>(host.c_str());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
  X509_set_issuer_name(made.get(), name);
  const auto names = (host == "127.0.0.1" ? "IP:" : "DNS:") + host;
  const owned<X509_EXTENSION, &X509_EXTENSION_free> also{
    X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                        names.c_str())};
  demand(also && X509_add_ext(made.get(), also.get(), -1) == 1
         && X509_sign(made.get(), key.get(), EVP_sha256()) > 0);
  write_file(key_path, [&](std::FILE* to) {
    return PEM_write_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr,
                                nullptr)
           == 1;
  });
  write_file(certificate_path, [&](std::FILE* to) {
    return PEM_write_X509(to, made.get()) == 1;
  });
}

} // namespace torpor::test
