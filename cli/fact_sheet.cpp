// SPDX-License-Identifier: Apache-2.0
#include "cli/fact_sheet.hpp"

#include "cli/human.hpp"

#include <fmt/format.h>

namespace torpor {

void fact_sheet::text(std::string_view key, std::string_view value) {
  object_.text(key, value);
  line(key, value);
}

void fact_sheet::number(std::string_view key, std::uint64_t value) {
  object_.number(key, value);
  line(key, fmt::to_string(value));
}

void fact_sheet::flag(std::string_view key, bool value) {
  object_.flag(key, value);
  line(key, value ? "yes" : "no");
}

void fact_sheet::time(std::string_view key, std::int64_t ms) {
  object_.number(key, ms);
  line(key, ms == 0 ? "none" : human_time(ms));
}

void fact_sheet::bytes(std::string_view key, std::uint64_t value) {
  object_.number(key, value);
  line(key, human_bytes(static_cast<double>(value)));
}

void fact_sheet::share(std::string_view key, double value) {
  object_.raw(key, fmt::format("{:.4f}", value));
  line(key, fmt::format("{:5.1f} % {}", value * 100, human_bar(value, 30)));
}

void fact_sheet::factor(std::string_view key, double value) {
  const auto text = fmt::format("{:.2f}", value);
  object_.raw(key, text);
  line(key, text);
}

void fact_sheet::table(std::string_view key, const json_array& rows,
                       std::string_view lines) {
  object_.raw(key, rows.str());
  if (!lines.empty())
    lines_ += fmt::format("\n{}", lines);
}

void fact_sheet::line(std::string_view key, std::string_view value) {
  lines_ += fmt::format("{:<22} {}\n", key, value);
}

} // namespace torpor
