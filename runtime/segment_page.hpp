// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/byte_buffer.hpp"
#include "runtime/segment_format.hpp"
#include "runtime/wire.hpp"

#include <array>
#include <optional>
#include <vector>

namespace torpor {

/// Cuts rows into pages as they come (docs/segment-format.md).
/// Threads: one owner.
class page_builder {
public:
  /// Rows come in the order of their streams, without gaps between their
  /// blocks.
  void add(const segment_row& row);

  /// All pages, one behind the other; their places say where each begins in
  /// these bytes, and where the last one ends. Nothing can be added afterwards.
  [[nodiscard]] bytes_view finish();
  [[nodiscard]] const std::vector<page_place>& places() const noexcept {
    return places_;
  }
  [[nodiscard]] std::vector<page_place>& places() noexcept { return places_; }

private:
  [[nodiscard]] bytes_view encode(const segment_row& row);
  void begin_page(const segment_row& row);
  void end_page();

  byte_buffer pages_;
  std::vector<page_place> places_;
  stream_id stream_{}; ///< Of the row before in this page.
  std::int64_t first_ms_ = 0;
  std::array<std::byte, 6 * varint_bytes_max> scratch_;
};

/// Walks over the rows of a page. Threads: one owner.
class page_cursor {
public:
  page_cursor() = default;

  /// Errors: corrupt.
  [[nodiscard]] static result<page_cursor> open(bytes_view page);

  /// The next row, without its chunks; nullopt at the end. Errors: corrupt.
  [[nodiscard]] result<std::optional<segment_row>> next();

private:
  explicit page_cursor(wire_reader rows) noexcept : from_{rows} {}

  wire_reader from_{bytes_view{}};
  segment_row before_; ///< Its stream is 0 in front of the first row.
};

} // namespace torpor
