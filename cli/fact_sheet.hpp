// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace torpor {

/// Facts as lines for people and as one JSON object, in the order in which they
/// were added. Threads: one owner.
class fact_sheet {
public:
  void text(std::string_view key, std::string_view value);
  void number(std::string_view key, std::uint64_t value);
  void flag(std::string_view key, bool value);
  /// ms since 1970; 0: none.
  void time(std::string_view key, std::int64_t ms);
  /// Bytes; people get a unit.
  void bytes(std::string_view key, std::uint64_t value);
  /// From 0 to 1; people get a bar.
  void share(std::string_view key, double value);
  /// How many times as large, with two decimals.
  void factor(std::string_view key, double value);
  /// A table for people, after an empty line, and a JSON array.
  void table(std::string_view key, const json_array& rows,
             std::string_view lines);
  /// People get an empty line.
  void gap() { lines_ += '\n'; }

  [[nodiscard]] std::string str(bool json) const {
    return json ? object_.str() + "\n" : lines_;
  }

private:
  void line(std::string_view key, std::string_view value);

  json_object object_;
  std::string lines_;
};

} // namespace torpor
