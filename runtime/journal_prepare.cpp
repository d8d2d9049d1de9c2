// SPDX-License-Identifier: Apache-2.0
#include "runtime/journal.hpp"

#include "runtime/safety_step.hpp"

#include <algorithm>
#include <cerrno>

namespace torpor {

namespace {

/// Large enough for direct writes.
constexpr std::size_t piece_bytes = 1u << 20;

result<void> fill_with_zeros(file& made, std::uint64_t bytes) {
  aligned_buffer buffer;
  const auto zeros = buffer.take(std::min<std::uint64_t>(piece_bytes, bytes));
  std::fill(zeros.begin(), zeros.end(), std::byte{});
  for (std::uint64_t offset = 0; offset < bytes; offset += zeros.size()) {
    const auto piece = std::min<std::uint64_t>(zeros.size(), bytes - offset);
    if (auto written = made.write(offset, zeros.first(piece)); !written)
      return written;
  }
  return in_step(safety_step::prepare_sync, [&] { return made.sync(); });
}

/// Files are taken in order: a number up to the newest one's was taken, and
/// may be full of frames.
result<void> demand_newest(disk& disk, const journal_config& config,
                           std::uint32_t number) {
  const auto there = list_journal_files(disk, config);
  if (!there)
    return tl::unexpected{there.error()};
  if (!there->numbers.empty() && there->numbers.back() >= number)
    return fail_io("prepare", journal_file_path(config, number), EEXIST);
  return {};
}

} // namespace

result<std::unique_ptr<file>> journal::prepare(disk& disk,
                                               const journal_config& config,
                                               std::uint32_t number) {
  const auto path = journal_file_path(config, number);
  auto begun = unfinished_file_path(config, number);
  // Only one can create it: whoever did may trust what the listing says.
  auto made = disk.open(begun, open_mode::create);
  if (!made)
    return made;
  auto done = demand_newest(disk, config, number).and_then([&] {
    return fill_with_zeros(**made, config.file_bytes);
  });
  made->reset();
  if (done)
    done = disk.rename(begun, path);
  if (done) {
    begun = path;
    done = in_step(safety_step::prepared_name_sync, [&] {
      return disk.sync_directory(config.directory);
    });
  }
  if (done)
    made = disk.open(path, open_mode::write);
  if (done && made)
    return made;
  // Best effort: the next opening removes what is left.
  static_cast<void>(disk.unlink(begun));
  return tl::unexpected{done ? made.error() : done.error()};
}

} // namespace torpor
