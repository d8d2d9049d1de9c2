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

result<std::unique_ptr<file>> journal::prepare(std::uint32_t number) {
  const auto path = journal_file_path(config_, number);
  const std::unique_lock alone{preparing_, std::try_to_lock};
  if (!alone)
    return fail_io("prepare", path, EBUSY);
  // What cannot be removed now is in the way below.
  if (!left_.empty() && disk_.unlink(left_))
    left_.clear();
  if (auto newest = demand_newest(disk_, config_, number); !newest)
    return tl::unexpected{std::move(newest).error()};
  auto begun = unfinished_file_path(config_, number);
  auto made = disk_.open(begun, open_mode::create);
  if (!made)
    return made;
  auto done = fill_with_zeros(**made, config_.file_bytes);
  made->reset();
  if (done)
    done = disk_.rename(begun, path);
  if (done) {
    begun = path;
    done = in_step(safety_step::prepared_name_sync, [&] {
      return disk_.sync_directory(config_.directory);
    });
  }
  if (done)
    made = disk_.open(path, open_mode::write);
  if (done && made) {
    left_.clear();
    return made;
  }
  if (!disk_.unlink(begun))
    left_ = std::move(begun);
  return tl::unexpected{done ? made.error() : done.error()};
}

} // namespace torpor
