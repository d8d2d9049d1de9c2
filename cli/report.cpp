// SPDX-License-Identifier: Apache-2.0
#include "cli/report.hpp"

#include "cli/json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>

namespace torpor {

namespace {

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
  const std::size_t first = text.front() == '-' ? 1 : 0;
  for (auto at = text.size(); at > first + 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

report& report::add(std::string_view key, double value) {
  const auto text = decimal(value);
  figures_.push_back({std::string{key}, text,
                      std::fabs(value) < 1000 ? text : grouped(value), {}});
  return *this;
}

report& report::add(std::string_view key, std::uint64_t value) {
  figures_.push_back({std::string{key}, fmt::to_string(value),
                      grouped(static_cast<double>(value)), {}});
  return *this;
}

report& report::add(std::string_view key, bool value) {
  const auto* text = value ? "true" : "false";
  figures_.push_back({std::string{key}, text, text, {}});
  return *this;
}

report& report::add(std::string_view key, std::string_view text) {
  figures_.push_back(
    {std::string{key}, json_string(text), std::string{text}, {}});
  return *this;
}

report& report::add(std::string_view key, const report& nested) {
  figures_.push_back({std::string{key}, nested.json(), {}, nested.table(2)});
  return *this;
}

report& report::add(std::string_view key, const std::vector<report>& list) {
  json_array elements;
  std::string parts;
  for (const auto& each : list) {
    elements.add(each.json());
    parts += (parts.empty() ? "" : "\n") + each.table(2);
  }
  figures_.push_back({std::string{key}, elements.str(), {}, std::move(parts)});
  return *this;
}

std::string report::json() const {
  json_object object;
  for (const auto& each : figures_)
    object.raw(each.key, each.json);
  return object.str();
}

std::string report::table(std::size_t indent) const {
  std::string out;
  for (const auto& each : figures_)
    if (each.parts.empty())
      out += fmt::format("{:{}}{:<{}} {}\n", "", indent, each.key, 28 - indent,
                         each.text);
    else
      out += fmt::format("{:{}}{}\n{}", "", indent, each.key, each.parts);
  return out;
}

void print(const report& figures, bool json) {
  fmt::print("{}", json ? figures.json() + '\n' : figures.table());
  std::fflush(stdout);
}

} // namespace torpor
