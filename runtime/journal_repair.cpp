// SPDX-License-Identifier: Apache-2.0
#include "runtime/journal_repair.hpp"

#include "runtime/aligned_buffer.hpp"
#include "runtime/safety_step.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor {

namespace {

constexpr std::uint64_t piece_bytes = 1u << 20;

/// Writes what it reads, so that the kernel takes those bytes for changed.
result<void> write_again(file& onto, std::uint64_t offset,
                         std::uint64_t bytes) {
  aligned_buffer buffer;
  while (bytes > 0) {
    const auto piece = buffer.take(std::min(piece_bytes, bytes));
    const auto got = onto.read(offset, piece);
    if (!got)
      return tl::unexpected{got.error()};
    if (*got != piece.size())
      return fail(errc::corrupt,
                  fmt::format("'{}' was cut while it was read", onto.path()));
    if (auto written = onto.write(offset, piece); !written)
      return written;
    offset += piece.size();
    bytes -= piece.size();
  }
  return {};
}

/// Cuts the file behind its last frame. That frame may be in the page cache
/// only, and marked as written by a sync that failed: a sync would not help,
/// so it is written again.
result<void> keep_tail(disk& disk, const std::string& path,
                       const placed_frame& last) {
  auto opened = disk.open(path, open_mode::write);
  if (!opened)
    return tl::unexpected{opened.error()};
  auto& tail = **opened;
  return tail.truncate(last.end())
    .and_then([&] {
      return in_step(safety_step::tail_rewrite, [&] {
        return write_again(tail, last.offset,
                           frame_head_bytes + last.header.payload_bytes);
      });
    })
    .and_then([&] {
      return in_step(safety_step::tail_sync, [&] { return tail.sync(); });
    });
}

/// The page cache may have dropped the frame between scan and repair.
result<void> check_tail(disk& disk, const std::string& path,
                        const placed_frame& last) {
  auto reader = frame_reader::open(disk, path, last.header.file,
                                   last.header.store);
  if (!reader)
    return tl::unexpected{reader.error()};
  const auto found = reader->find(last.offset, {last.header.number, 0});
  if (!found)
    return tl::unexpected{found.error()};
  if (!*found || (*found)->header != last.header)
    return fail(errc::corrupt,
                fmt::format("'{}' at byte {}: frame {} changed while it was "
                            "read",
                            path, last.offset, last.header.number));
  return {};
}

/// A directory sync that failed may have lost the name though it is still
/// seen; only a name that changes is written by the next one.
result<void> name_again(disk& disk, const journal_config& config,
                        std::uint32_t number) {
  const auto path = journal_file_path(config, number);
  const auto aside = unfinished_file_path(config, number);
  return in_step(safety_step::spare_rename, [&] {
    return disk.rename(path, aside).and_then([&] {
      return disk.rename(aside, path);
    });
  });
}

} // namespace

result<void> repair_journal(disk& disk, const journal_config& config,
                            const journal_tail& tail) {
  if (tail.file != 0) {
    const auto path = journal_file_path(config, tail.file);
    const auto kept = keep_tail(disk, path, tail.last).and_then([&] {
      return check_tail(disk, path, tail.last);
    });
    if (!kept)
      return kept;
  }
  // One after the other: a gap would look like a loss.
  for (const auto& path : tail.useless) {
    auto removed = disk.unlink(path).and_then([&] {
      return disk.sync_directory(config.directory);
    });
    if (!removed)
      return removed;
  }
  if (tail.spare == 0)
    return {};
  return name_again(disk, config, tail.spare).and_then([&] {
    return disk.sync_directory(config.directory);
  });
}

} // namespace torpor
