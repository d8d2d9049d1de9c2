// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

struct z_stream_s;

namespace torpor {

/// Reads a file, a pipe or standard input; gzip is unpacked on the way. Takes
/// every member of a gzip file for data that must be whole, unlike zlib's
/// gzread, which drops what it does not understand behind the first one; as
/// gzip(1) does, it passes over zeros that fill up the end.
/// Threads: one owner.
class unpacked_file {
public:
  /// Opens a file; "-" is standard input. Errors: io_failed.
  [[nodiscard]] static result<unpacked_file> open(const std::string& path);

  unpacked_file(unpacked_file&& other) noexcept;
  unpacked_file& operator=(unpacked_file&&) = delete;
  ~unpacked_file();

  /// Up to `room` unpacked bytes; 0 at the end. Errors: io_failed;
  /// shut_down: the process was told to end (`interrupted()`); corrupt: what is
  /// wrong with the gzip data at `position()`, without the file's name.
  [[nodiscard]] result<std::size_t> read(char* into, std::size_t room);

  /// Bytes of the file, packed ones where it is gzip, that were used.
  [[nodiscard]] std::uint64_t position() const noexcept {
    return taken_ - (end_ - begin_);
  }

private:
  enum class state : std::uint8_t {
    unknown, ///< Nothing was read yet.
    plain,
    member, ///< Inside of a gzip member.
    between ///< Behind one.
  };

  struct inflate_end {
    void operator()(z_stream_s* stream) const noexcept;
  };

  unpacked_file(std::string path, int number);

  /// Reads on behind what is left. False at the end.
  [[nodiscard]] result<bool> fill();
  /// Reads until there are `bytes`, or the file ends.
  [[nodiscard]] result<void> need(std::size_t bytes);
  [[nodiscard]] bool has_magic() const noexcept;
  [[nodiscard]] result<void> recognize();
  [[nodiscard]] result<void> begin_member();
  /// False: the file ends here.
  [[nodiscard]] result<bool> leave_member();
  [[nodiscard]] result<std::size_t> copy(char* into, std::size_t room);
  /// 0: the member ended without more bytes.
  [[nodiscard]] result<std::size_t> unpack(char* into, std::size_t room);

  std::string path_;
  int number_;
  std::vector<unsigned char> buffer_;
  std::size_t begin_ = 0; ///< Of what was read and not used.
  std::size_t end_ = 0;
  std::uint64_t taken_ = 0; ///< Bytes read.
  bool ended_ = false;      ///< The file, so that it is not asked again.
  state state_ = state::unknown;
  std::unique_ptr<z_stream_s, inflate_end> inflate_;
};

} // namespace torpor
