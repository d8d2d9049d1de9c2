// SPDX-License-Identifier: Apache-2.0
#include "cli/outcome.hpp"

#include "cli/json.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <string_view>

namespace torpor {

namespace {

void print(bool json, std::string_view key, std::string_view text_before,
           const error& what) {
  if (!json) {
    fmt::print(stderr, "torpor: {}{}\n", text_before, what.context);
    return;
  }
  json_object inner;
  inner.text("code", to_string(what.code));
  inner.raw("message", json_string(what.context));
  fmt::print(stderr, "{}\n", json_object{}.raw(key, inner.str()).str());
}

} // namespace

void print_error(bool json, const error& failure) {
  print(json, "error", "", failure);
}

void print_warning(bool json, const error& found) {
  print(json, "warning", "warning: ", found);
}

error name_streams(error failure) {
  if (failure.code == errc::not_found)
    failure.context += "; 'torpor ls' lists the streams";
  return failure;
}

int conclude(const command_context& given, const result<void>& outcome) {
  if (outcome)
    return exit_ok;
  print_error(given.json, outcome.error());
  return exit_failure;
}

} // namespace torpor
