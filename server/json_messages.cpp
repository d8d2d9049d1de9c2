// SPDX-License-Identifier: Apache-2.0
#include "server/json_messages.hpp"

#include "torpor/types.hpp"

#include <fmt/format.h>
#include <simdjson.h>

namespace torpor {

namespace {

/// Goes over JSON without keeping anything of it. A library would convert
/// numbers, refuse large ones, and lose where in the text a value stands.
class json_scanner {
public:
  explicit json_scanner(std::string_view text) : text_(text) {}

  /// Goes over white space.
  void space() {
    while (at_ < text_.size()
           && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r'
               || text_[at_] == '\t'))
      ++at_;
  }
  /// Goes over that character, if it comes.
  bool take(char wanted) {
    const auto there = next() == wanted;
    at_ += there;
    return there;
  }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] std::size_t at() const { return at_; }

  /// Goes over a value; false where it is not one.
  bool value(unsigned depth = 0) {
    constexpr unsigned depth_max = 512;
    if (depth == depth_max)
      return false;
    switch (next()) {
      case '{': return object(depth);
      case '[': return array(depth);
      case '"': return string();
      case 't': return word("true");
      case 'f': return word("false");
      case 'n': return word("null");
      default: return number();
    }
  }

private:
  [[nodiscard]] char next() const {
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool object(unsigned depth) {
    ++at_;
    space();
    if (take('}'))
      return true;
    do {
      space();
      if (next() != '"' || !string())
        return false;
      space();
      if (!take(':'))
        return false;
      space();
      if (!value(depth + 1))
        return false;
      space();
    } while (take(','));
    return take('}');
  }

  bool array(unsigned depth) {
    ++at_;
    space();
    if (take(']'))
      return true;
    do {
      space();
      if (!value(depth + 1))
        return false;
      space();
    } while (take(','));
    return take(']');
  }

  bool string() {
    for (++at_; at_ < text_.size(); ++at_) {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"')
        return take('"');
      if (c < 0x20 || (c == '\\' && !escape()))
        return false;
    }
    return false;
  }

  /// Goes to the last character of an escape.
  bool escape() {
    ++at_;
    if (next() != 'u')
      return std::string_view{"\"\\/bfnrt"}.find(next()) != text_.npos;
    for (auto i = 0; i < 4; ++i) {
      ++at_;
      const auto c = next();
      if (!is_digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F'))
        return false;
    }
    return true;
  }

  bool number() {
    take('-');
    if (!take('0') && !digits())
      return false;
    if (take('.') && !digits())
      return false;
    if (take('e') || take('E')) {
      if (!take('+'))
        take('-');
      return digits();
    }
    return true;
  }

  bool digits() {
    const auto begin = at_;
    while (is_digit(next()))
      ++at_;
    return at_ > begin;
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  bool word(std::string_view wanted) {
    if (!text_.substr(at_).starts_with(wanted))
      return false;
    at_ += wanted.size();
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

tl::unexpected<error> not_json(std::size_t at) {
  return fail(errc::invalid_argument,
              fmt::format("the body is not JSON: byte {} cannot be there", at));
}

} // namespace

result<std::vector<std::string_view>> json_messages(std::string_view body) {
  if (!simdjson::validate_utf8(body.data(), body.size()))
    return fail(errc::invalid_argument, "the body is not UTF-8, as JSON is");
  std::vector<std::string_view> messages;
  json_scanner scan{body};
  const auto message = [&] {
    scan.space();
    const auto begin = scan.at();
    if (!scan.value(1))
      return false;
    messages.push_back(body.substr(begin, scan.at() - begin));
    scan.space();
    return true;
  };
  scan.space();
  if (scan.take('[')) {
    scan.space();
    if (!scan.take(']')) {
      do {
        if (messages.size() == limits::append_entries_max)
          return fail(errc::too_large,
                      fmt::format("the array in the body has more than {} "
                                  "messages; split it",
                                  limits::append_entries_max));
        if (!message())
          return not_json(scan.at());
      } while (scan.take(','));
      if (!scan.take(']'))
        return not_json(scan.at());
    }
  } else if (!message()) {
    return not_json(scan.at());
  }
  scan.space();
  return scan.at_end()
           ? result<std::vector<std::string_view>>{std::move(messages)}
           : not_json(scan.at());
}

bool is_json_value(std::string_view text) {
  if (!simdjson::validate_utf8(text.data(), text.size()))
    return false;
  json_scanner scan{text};
  scan.space();
  if (!scan.value(1))
    return false;
  scan.space();
  return scan.at_end();
}

} // namespace torpor
