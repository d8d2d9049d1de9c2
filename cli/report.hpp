// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// Figures with their names, in the order in which they were added: one JSON
/// object for programs, a table for people. Threads: one owner.
class report {
public:
  /// At most three decimals.
  report& add(std::string_view key, double value);
  report& add(std::string_view key, std::uint64_t value);
  report& add(std::string_view key, bool value);
  report& add(std::string_view key, std::string_view text);
  report& add(std::string_view key, const char* text) {
    return add(key, std::string_view{text});
  }
  report& add(std::string_view key, const report& nested);
  report& add(std::string_view key, const std::vector<report>& list);

  /// On one line.
  [[nodiscard]] std::string json() const;
  /// A line per figure; nested ones are indented.
  [[nodiscard]] std::string table(std::size_t indent = 0) const;

private:
  struct figure {
    std::string key;
    std::string json;
    std::string text;  ///< For people.
    std::string parts; ///< Or, if it has parts, a table of its own.
  };
  std::vector<figure> figures_;
};

/// Prints the figures on standard output: JSON as the last line, or a table.
void print(const report& figures, bool json);

/// 12345.6 as "12,346": for people.
[[nodiscard]] std::string grouped(double value);

} // namespace torpor
