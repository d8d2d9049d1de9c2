// SPDX-License-Identifier: Apache-2.0
#include "cli/report.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdio>

namespace torpor::cli {

namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const auto byte : text) {
    if (byte == '"' || byte == '\\')
      out += '\\';
    if (static_cast<unsigned char>(byte) < 0x20)
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(byte));
    else
      out += byte;
  }
  return out + '"';
}

/// Without zeros at the end; JSON has neither infinity nor NaN.
std::string decimal(double value) {
  if (!std::isfinite(value))
    return "0";
  auto text = fmt::format("{:.3f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.')
    text.pop_back();
  return text == "-0" ? "0" : text;
}

} // namespace

std::string grouped(double value) {
  auto text = fmt::format("{:.0f}", value);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3;
       at > (value < 0 ? 1 : 0); at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text;
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit)
    value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes)
                   : fmt::format("{:.1f} {}", value, units[unit]);
}

report& report::add(std::string_view key, double value) {
  const auto text = decimal(value);
  figures_.push_back({std::string{key}, text,
                      std::fabs(value) < 10'000 ? text : grouped(value), {}});
  return *this;
}

report& report::add(std::string_view key, std::uint64_t value) {
  figures_.push_back({std::string{key}, fmt::format("{}", value),
                      grouped(static_cast<double>(value)), {}});
  return *this;
}

report& report::add(std::string_view key, bool value) {
  const auto* text = value ? "true" : "false";
  figures_.push_back({std::string{key}, text, text, {}});
  return *this;
}

report& report::add(std::string_view key, std::string_view text) {
  figures_.push_back({std::string{key}, quoted(text), std::string{text}, {}});
  return *this;
}

report& report::add(std::string_view key, const report& nested) {
  figures_.push_back({std::string{key}, nested.json(), {}, nested.table(2)});
  return *this;
}

report& report::add(std::string_view key, const std::vector<report>& list) {
  figure added{std::string{key}, "[", {}, {}};
  for (const auto& each : list) {
    if (added.json.size() > 1) {
      added.json += ", ";
      added.parts += '\n';
    }
    added.json += each.json();
    added.parts += each.table(2);
  }
  added.json += ']';
  figures_.push_back(std::move(added));
  return *this;
}

std::string report::json() const {
  std::string out = "{";
  for (const auto& each : figures_)
    out += fmt::format("{}{}: {}", out.size() > 1 ? ", " : "",
                       quoted(each.key), each.json);
  return out + '}';
}

std::string report::table(std::size_t indent) const {
  std::string out;
  for (const auto& each : figures_)
    if (each.parts.empty())
      out += fmt::format("{:{}}{:<26} {:>16}\n", "", indent, each.key,
                         each.text);
    else
      out += fmt::format("{:{}}{}\n{}", "", indent, each.key, each.parts);
  return out;
}

void print(const report& figures, bool json) {
  fmt::print("{}", json ? figures.json() + '\n' : figures.table());
  std::fflush(stdout);
}

} // namespace torpor::cli
