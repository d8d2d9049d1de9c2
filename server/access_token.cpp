// SPDX-License-Identifier: Apache-2.0
#include "server/access_token.hpp"

#include "runtime/assert.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cstdint>
#include <memory>
#include <span>

namespace torpor {

namespace {

constexpr std::string_view hash_head = "sha256:";

/// Fetching the algorithm and making a context cost more than the hash.
struct hasher {
  std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)>
    algorithm{EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free};
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>
    context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const auto byte : bytes)
    text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

std::optional<unsigned> digit(char character) {
  if (character >= '0' && character <= '9')
    return character - '0';
  if (character >= 'a' && character <= 'f')
    return character - 'a' + 10;
  return std::nullopt;
}

} // namespace

result<std::string> make_token() {
  std::array<std::byte, 32> bits{};
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bits.data()), bits.size())
      != 1)
    return fail(errc::io_failed, "the system gives no random bytes");
  return "torpor_" + hex(bits);
}

token_hash sha256(std::string_view text) {
  thread_local const hasher tools;
  token_hash hash{};
  auto* const into = reinterpret_cast<unsigned char*>(hash.data());
  const auto done = EVP_DigestInit_ex2(tools.context.get(),
                                       tools.algorithm.get(), nullptr)
                    && EVP_DigestUpdate(tools.context.get(), text.data(),
                                        text.size())
                    && EVP_DigestFinal_ex(tools.context.get(), into, nullptr);
  TORPOR_ASSERT(done); // It only fails without memory.
  return hash;
}

std::string to_text(const token_hash& hash) {
  return fmt::format("{}{}", hash_head, hex(hash));
}

std::optional<token_hash> parse_token_hash(std::string_view text) {
  token_hash hash{};
  if (!text.starts_with(hash_head))
    return std::nullopt;
  text.remove_prefix(hash_head.size());
  if (text.size() != 2 * hash.size())
    return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const auto high = digit(text[2 * i]);
    const auto low = digit(text[2 * i + 1]);
    if (!high || !low)
      return std::nullopt;
    hash[i] = static_cast<std::byte>(*high << 4 | *low);
  }
  return hash;
}

bool same(const token_hash& a, const token_hash& b) noexcept {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace torpor
