// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace torpor {

/// Whether bytes are UTF-8 (RFC 3629).
[[nodiscard]] bool is_utf8(std::string_view bytes) noexcept;

[[nodiscard]] std::string base64(std::string_view bytes);

/// A text as JSON writes it, in quotes. Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string json_string(std::string_view text);

/// Puts one JSON object together. Keys are ours: they are not escaped.
/// Threads: one owner.
class json_object {
public:
  /// Bytes as a string; under `key`_base64 when they are not UTF-8.
  json_object& text(std::string_view key, std::string_view bytes);
  json_object& number(std::string_view key, std::uint64_t value);
  json_object& number(std::string_view key, std::int64_t value);
  json_object& flag(std::string_view key, bool value);
  /// A value that is JSON already.
  json_object& raw(std::string_view key, std::string_view json);

  /// The whole object.
  [[nodiscard]] std::string str() const { return members_ + "}"; }

private:
  std::string members_ = "{";
};

/// Puts one JSON array together.
/// Threads: one owner.
class json_array {
public:
  void add(std::string_view json);
  [[nodiscard]] std::string str() const { return elements_ + "]"; }

private:
  std::string elements_ = "[";
};

} // namespace torpor
