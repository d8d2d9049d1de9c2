// SPDX-License-Identifier: Apache-2.0
#include "cli/json_entries.hpp"

#include "runtime/stream_name.hpp"
#include "server/json_messages.hpp"

#include <fmt/format.h>

namespace torpor {

namespace {

/// The beginning of a payload, for people.
std::string beginning(std::string_view payload) {
  constexpr std::size_t shown = 40;
  return payload.size() > shown ? printable(payload.substr(0, shown)) + "..."
                                : printable(payload);
}

} // namespace

bool takes_json(std::string_view content_type) noexcept {
  return content_type == "application/json";
}

result<void> check_json_entries(const std::string& stream,
                                const std::vector<std::string_view>& payloads,
                                std::uint64_t before) {
  for (const auto payload : payloads) {
    ++before;
    if (!is_json_value(payload))
      return fail(errc::invalid_argument,
                  fmt::format("append to '{}': line {} is not one JSON value, "
                              "as that stream takes them: '{}'",
                              printable(stream), before, beginning(payload)));
  }
  return {};
}

} // namespace torpor
