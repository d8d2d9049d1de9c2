// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/unpacked_file.hpp"
#include "torpor/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// Reads a file, or standard input, line by line. Gzip is unpacked on the way.
/// Threads: one owner.
class line_reader {
public:
  /// Opens a file; "-" is standard input. Errors: io_failed.
  [[nodiscard]] static result<line_reader> open(const std::string& path);

  /// The next line without its newline, valid until the next call; nullopt at
  /// the end. Errors: too_large (more than 16 MiB), io_failed, corrupt (broken
  /// gzip): all name the file, and the place in it where there is one;
  /// shut_down (the process was told to end).
  [[nodiscard]] result<std::optional<std::string_view>> next();

  /// Bytes of the file that were read, compressed ones where it is gzip.
  [[nodiscard]] std::uint64_t consumed() const noexcept {
    return file_.position();
  }

private:
  line_reader(std::string path, unpacked_file file);

  [[nodiscard]] tl::unexpected<error> broken(const error& why) const;
  [[nodiscard]] tl::unexpected<error> too_long() const;
  [[nodiscard]] result<std::optional<std::string_view>>
  take(std::size_t bytes, std::size_t newline);
  /// Reads on. False at the end.
  [[nodiscard]] result<bool> fill();

  std::string path_;
  unpacked_file file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0; ///< Of what is not handed out yet.
  std::size_t end_ = 0;
  std::uint64_t line_ = 0; ///< Lines handed out.
};

} // namespace torpor
