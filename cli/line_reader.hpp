// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct gzFile_s;

namespace torpor {

/// Reads a file, or standard input, line by line. Gzip is unpacked on the way.
/// Threads: one owner.
class line_reader {
public:
  /// Opens a file; "-" is standard input. Errors: io_failed.
  [[nodiscard]] static result<line_reader> open(const std::string& path);

  /// The next line without its newline, valid until the next call; nullopt at
  /// the end. Errors: too_large (more than 16 MiB), io_failed, corrupt (broken
  /// gzip): all name file and line.
  [[nodiscard]] result<std::optional<std::string_view>> next();

  /// Bytes of the file that were read, compressed ones where it is gzip; of a
  /// pipe, unpacked ones.
  [[nodiscard]] std::uint64_t consumed() const;

private:
  struct closer {
    void operator()(gzFile_s* file) const noexcept;
  };

  line_reader(std::string path, gzFile_s* file);

  [[nodiscard]] tl::unexpected<error> too_long() const;
  [[nodiscard]] result<std::optional<std::string_view>>
  take(std::size_t bytes, std::size_t newline);
  /// Reads on. False at the end.
  [[nodiscard]] result<bool> fill();

  std::string path_;
  std::unique_ptr<gzFile_s, closer> file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0; ///< Of what is not handed out yet.
  std::size_t end_ = 0;
  std::uint64_t line_ = 0;     ///< Lines handed out.
  std::uint64_t unpacked_ = 0; ///< Bytes read.
};

} // namespace torpor
