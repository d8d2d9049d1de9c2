// SPDX-License-Identifier: Apache-2.0
#include "cli/json.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor {

namespace {

/// Bytes of the character that a text begins with; 0 when it is not UTF-8.
std::size_t utf8_bytes(std::string_view text) noexcept {
  const auto at = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto follows = [&at](std::size_t i) { return (at(i) & 0xc0) == 0x80; };
  const auto lead = at(0);
  if (lead < 0x80)
    return 1;
  if (lead >= 0xc2 && lead < 0xe0)
    return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead < 0xf0) {
    const auto overlong = lead == 0xe0 && at(1) < 0xa0;
    const auto surrogate = lead == 0xed && at(1) >= 0xa0;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xf0 && lead < 0xf5) {
    const auto overlong = lead == 0xf0 && at(1) < 0x90;
    const auto beyond = lead == 0xf4 && at(1) >= 0x90;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4
                                                                          : 0;
  }
  return 0;
}

void escape(std::string& into, char character) {
  switch (character) {
    case '"': into += "\\\""; break;
    case '\\': into += "\\\\"; break;
    case '\n': into += "\\n"; break;
    case '\r': into += "\\r"; break;
    case '\t': into += "\\t"; break;
    default:
      if (static_cast<unsigned char>(character) < 0x20)
        into += fmt::format("\\u{:04x}", static_cast<unsigned>(character));
      else
        into += character;
  }
}

} // namespace

bool is_utf8(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const auto step = utf8_bytes(bytes);
    if (step == 0)
      return false;
    bytes.remove_prefix(step);
  }
  return true;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (; !bytes.empty();
       bytes.remove_prefix(std::min(bytes.size(), std::size_t{3}))) {
    const auto at = [bytes](std::size_t i) {
      return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u;
    };
    const auto bits = at(0) << 16 | at(1) << 8 | at(2);
    text += digits[bits >> 18];
    text += digits[bits >> 12 & 63];
    text += bytes.size() > 1 ? digits[bits >> 6 & 63] : '=';
    text += bytes.size() > 2 ? digits[bits & 63] : '=';
  }
  return text;
}

std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const auto step = utf8_bytes(text);
    if (step == 0)
      quoted += "\xef\xbf\xbd";
    else if (step == 1)
      escape(quoted, text[0]);
    else
      quoted += text.substr(0, step);
    text.remove_prefix(std::max(step, std::size_t{1}));
  }
  return quoted + '"';
}

json_object& json_object::text(std::string_view key, std::string_view bytes) {
  return is_utf8(bytes)
           ? raw(key, json_string(bytes))
           : raw(fmt::format("{}_base64", key), json_string(base64(bytes)));
}

json_object& json_object::number(std::string_view key, std::uint64_t value) {
  return raw(key, fmt::to_string(value));
}

json_object& json_object::number(std::string_view key, std::int64_t value) {
  return raw(key, fmt::to_string(value));
}

json_object& json_object::flag(std::string_view key, bool value) {
  return raw(key, value ? "true" : "false");
}

json_object& json_object::raw(std::string_view key, std::string_view json) {
  if (members_.size() > 1)
    members_ += ',';
  members_ += fmt::format("\"{}\":{}", key, json);
  return *this;
}

void json_array::add(std::string_view json) {
  if (elements_.size() > 1)
    elements_ += ',';
  elements_ += json;
}

} // namespace torpor
