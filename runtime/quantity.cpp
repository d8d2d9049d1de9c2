// SPDX-License-Identifier: Apache-2.0
#include "runtime/quantity.hpp"

#include <charconv>
#include <chrono>
#include <limits>
#include <span>

namespace torpor {

namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

std::optional<std::uint64_t> parse(std::string_view text,
                                   std::span<const unit> units) {
  std::uint64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto digits = std::from_chars(text.data(), end, number);
  if (digits.ec != std::errc{})
    return std::nullopt;
  std::string_view rest{digits.ptr, static_cast<std::size_t>(end - digits.ptr)};
  if (rest.size() > 1 && rest.starts_with(' '))
    rest.remove_prefix(1);
  for (const auto& [name, factor] : units)
    if (rest == name
        && number <= std::numeric_limits<std::uint64_t>::max() / factor)
      return number * factor;
  return std::nullopt;
}

/// Walks through a text of a fixed form; what does not fit makes it fail.
class text_cursor {
public:
  explicit text_cursor(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i)
      value = value * 10 + digit();
    return value;
  }

  /// Which of these letters comes next, and past it.
  char one_of(std::string_view letters) {
    if (rest_.empty() || letters.find(rest_.front()) == letters.npos) {
      ok_ = false;
      return 0;
    }
    const auto found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }

  /// ms of a decimal fraction, if there is one.
  int fraction_ms() {
    if (!rest_.starts_with('.'))
      return 0;
    rest_.remove_prefix(1);
    int value = digit() * 100;
    for (int weight = 10; !rest_.empty() && is_digit(); weight /= 10)
      value += digit() * weight;
    return value;
  }

  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }

private:
  [[nodiscard]] bool is_digit() const {
    return rest_.front() >= '0' && rest_.front() <= '9';
  }

  int digit() {
    const auto found = one_of("0123456789");
    return found != 0 ? found - '0' : 0;
  }

  std::string_view rest_;
  bool ok_ = true;
};

} // namespace

std::optional<std::int64_t> parse_time(std::string_view text) {
  using namespace std::chrono;
  text_cursor in{text};
  const year y{in.digits(4)};
  in.one_of("-");
  const month m{static_cast<unsigned>(in.digits(2))};
  in.one_of("-");
  const day d{static_cast<unsigned>(in.digits(2))};
  in.one_of("Tt ");
  const auto hour = in.digits(2);
  in.one_of(":");
  const auto minute = in.digits(2);
  in.one_of(":");
  const auto second = in.digits(2);
  const auto ms = in.fraction_ms();
  const auto zone = in.one_of("Zz+-");
  int offset = 0;
  if (zone == '+' || zone == '-') {
    const auto hours_off = in.digits(2);
    in.one_of(":");
    const auto minutes_off = in.digits(2);
    if (hours_off > 23 || minutes_off > 59)
      return std::nullopt;
    offset = (hours_off * 60 + minutes_off) * (zone == '-' ? -1 : 1);
  }
  const year_month_day date{y, m, d};
  if (!in.done() || !date.ok() || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  const auto time = sys_days{date}.time_since_epoch() + hours{hour}
                    + minutes{minute - offset} + seconds{second}
                    + milliseconds{ms};
  const auto count = duration_cast<milliseconds>(time).count();
  return count >= 0 ? std::optional{count} : std::nullopt;
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  static constexpr unit units[]
    = {{"", 1},           {"B", 1},           {"KiB", 1ull << 10},
       {"MiB", 1ull << 20}, {"GiB", 1ull << 30}, {"TiB", 1ull << 40}};
  return parse(text, units);
}

std::optional<std::uint64_t> parse_span(std::string_view text) {
  static constexpr unit units[] = {{"ms", 1},
                                   {"s", 1000},
                                   {"min", 60'000},
                                   {"h", 3'600'000},
                                   {"d", 86'400'000}};
  return parse(text, units);
}

} // namespace torpor
