// SPDX-License-Identifier: Apache-2.0
#include "cli/outcome.hpp"

#include "cli/json.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace torpor {

void print_error(bool json, const error& failure) {
  if (!json) {
    fmt::print(stderr, "torpor: {}\n", failure.context);
    return;
  }
  json_object inner;
  inner.text("code", to_string(failure.code));
  inner.raw("message", json_string(failure.context));
  fmt::print(stderr, "{}\n", json_object{}.raw("error", inner.str()).str());
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
