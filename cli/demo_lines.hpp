// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/shared_memory.hpp"
#include "torpor/error.hpp"
#include "torpor/types.hpp"

#include <cstdint>
#include <string>
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

  /// From texts with their names; for tests too. Errors: as `gather`.
  [[nodiscard]] static result<line_stock>
  make(const std::vector<std::pair<std::string, std::string>>& texts);

  [[nodiscard]] const std::vector<text_file>& files() const noexcept {
    return files_;
  }
  [[nodiscard]] std::uint32_t lines() const noexcept {
    return static_cast<std::uint32_t>(starts_.size() - 1);
  }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return starts_.back(); }
  [[nodiscard]] bytes_view line(std::uint32_t number) const {
    return {text_.data() + starts_[number],
            starts_[number + 1] - starts_[number]};
  }

private:
  explicit line_stock(shared_memory text) : text_(std::move(text)) {}

  shared_memory text_; ///< Line after line, without their ends.
  std::vector<std::uint64_t> starts_{0};
  std::vector<text_file> files_;
};

} // namespace torpor
