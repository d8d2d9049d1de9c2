// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/shared_memory.hpp"
#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// Lines of real text files, for the demo to append. The text is shared with
/// the process that runs the store, so that it does not count as its memory.
/// Threads: any, once it is made.
class line_stock {
public:
  /// One file's lines.
  struct text_file {
    std::string name;    ///< "libc6/changelog.gz"
    std::uint32_t first; ///< Its first line.
    std::uint32_t count; ///< At least 1.
  };

  /// What this machine has: the changelogs of its packages and its logs; if
  /// that is little, text files below `source` too. Errors: not_found (no text
  /// at all), io_failed.
  [[nodiscard]] static result<line_stock> gather(const std::string& source);

  /// An empty one that can take `bytes` bytes (up to 2^32 - 1) of text.
  /// Errors: io_failed.
  [[nodiscard]] static result<line_stock> with_room(std::size_t bytes);

  /// Adds the lines of a text, as far as there is room; empty lines and what
  /// is beyond 2 KiB of a line are left out.
  void add(std::string name, std::string_view text);

  [[nodiscard]] const std::vector<text_file>& files() const noexcept {
    return files_;
  }
  [[nodiscard]] std::uint32_t lines() const noexcept { return lines_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return ends()[lines_]; }
  [[nodiscard]] bytes_view line(std::uint32_t number) const {
    const auto begin = ends()[number];
    return {text_.data() + begin, ends()[number + 1] - begin};
  }

private:
  line_stock(shared_memory text, shared_memory ends, std::size_t room)
    : text_(std::move(text)), ends_(std::move(ends)), room_(room) {}

  /// Where the line before each one ends; the first is 0.
  [[nodiscard]] std::uint32_t* ends() const noexcept {
    return reinterpret_cast<std::uint32_t*>(ends_.data());
  }

  shared_memory text_; ///< Line after line, without their ends.
  shared_memory ends_;
  std::size_t room_;
  std::uint32_t lines_ = 0;
  std::vector<text_file> files_;
};

} // namespace torpor
