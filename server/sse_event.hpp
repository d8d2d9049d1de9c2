// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace torpor {

/// An event of type "data" whose data is that text. Its lines, ended by LF, CR
/// or CRLF, become lines of the event, so that nothing in it can end the event
/// or begin another one; a reader finds LF at each end of a line.
[[nodiscard]] std::string data_event(std::string_view text);

/// An event of type "control", which follows each data event.
struct control_event {
  sequence next{};
  std::optional<std::uint64_t> cursor;
  bool up_to_date = false;
  bool closed = false;
};
[[nodiscard]] std::string to_text(const control_event& event);

} // namespace torpor
