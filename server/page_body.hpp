// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/content_type.hpp"
#include "torpor/read.hpp"

#include <cstdint>
#include <string>

namespace torpor {

/// The type a page is answered with: that of the stream, or bytes if unknown.
[[nodiscard]] std::string_view type_of(const read_page& page) noexcept;

/// The entries as the protocol answers them: one after another, or as an array
/// of JSON; or with their boundaries, as `entries_type`.
[[nodiscard]] std::string body_of(const read_page& page, bool boundaries);

/// The event that brings the entries; empty for none.
[[nodiscard]] std::string event_of(const read_page& page);
/// The control event behind it.
[[nodiscard]] std::string control_of(const read_page& page,
                                     std::uint64_t cursor);

/// Whether there is nothing behind the page's entries now.
[[nodiscard]] inline bool at_tail(const read_page& page) noexcept {
  return page.next_from == page.next;
}
/// Whether there will be nothing ever.
[[nodiscard]] inline bool at_end(const read_page& page) noexcept {
  return at_tail(page) && page.closed;
}

} // namespace torpor
