// SPDX-License-Identifier: Apache-2.0
#include "runtime/journal.hpp"

#include "runtime/assert.hpp"
#include "runtime/safety_step.hpp"

#include <cstring>
#include <utility>

namespace torpor {

namespace {

/// Kept at the end of each file, so that a mark never needs a new one.
constexpr std::uint64_t mark_bytes = frame_bytes(0);

/// Memory that the frame buffer keeps while commits follow each other, and
/// when the journal turns idle.
constexpr std::size_t busy_bytes = 8u << 20;
constexpr std::size_t idle_bytes = 64u << 10;

} // namespace

journal::journal(disk& disk, journal_config config, const journal_end& end)
  : disk_(disk),
    config_(std::move(config)),
    end_(end),
    file_number_(end.file) {
  TORPOR_ASSERT(config_.file_bytes % frame_alignment == 0);
  TORPOR_ASSERT(config_.file_bytes > mark_bytes + frame_alignment);
  TORPOR_ASSERT(end.spare == 0 || end.spare == end.file + 1);
}

commit_outcome journal::commit(std::span<journal_block* const> blocks) {
  TORPOR_ASSERT(health_ != health::finished);
  if (health_ == health::failed)
    return commit_outcome::failed;
  if (blocks.empty())
    return commit_outcome::durable;
  std::uint64_t bytes = 0;
  for (const auto* block : blocks)
    bytes += block->bytes.size();
  TORPOR_ASSERT(bytes <= frame_bytes_max());
  auto frame = lay_out(blocks, bytes);
  const auto outcome = put(frame);
  buffer_.shrink(busy_bytes);
  if (outcome != commit_outcome::durable)
    return outcome;
  auto offset = used_ - frame_bytes(bytes) + frame_head_bytes;
  for (auto* block : blocks) {
    block->place = {file_number_, static_cast<std::uint32_t>(offset),
                    static_cast<std::uint32_t>(block->bytes.size())};
    offset += block->bytes.size();
  }
  return outcome;
}

commit_outcome journal::mark_idle() {
  TORPOR_ASSERT(health_ != health::finished);
  if (health_ == health::failed)
    return commit_outcome::failed;
  buffer_.shrink(idle_bytes);
  if (end_.idle || end_.frame == 0 || !does(safety_step::idle_mark))
    return commit_outcome::durable;
  auto mark = lay_out({}, 0);
  return put(mark);
}

commit_outcome journal::finish() {
  // Behind a failed sync nobody knows what the next opening will find.
  auto outcome = health_ == health::fenced ? commit_outcome::failed
                                           : mark_idle();
  if (file_) {
    // The frames are durable already: this only gives room back.
    const auto cut = file_->truncate(used_).and_then(
      [&] { return file_->sync(); });
    if (!cut) {
      failure_ = cut.error();
      outcome = commit_outcome::failed;
    }
  }
  file_.reset();
  spare_.reset();
  health_ = health::finished;
  return outcome;
}

std::uint64_t journal::frame_bytes_max() const noexcept {
  return fits(0);
}

std::uint32_t journal::wants_spare() const noexcept {
  const auto writes = health_ == health::good || health_ == health::fenced;
  return !writes || spare_ || end_.spare != 0 ? 0 : file_number_ + 1;
}

void journal::take_spare(std::uint32_t number, std::unique_ptr<file> spare) {
  if (number != 0 && number == wants_spare())
    spare_ = std::move(spare);
}

std::uint64_t journal::room() const noexcept {
  return (file_ ? fits(used_) : 0) + (spare_ || end_.spare != 0 ? fits(0) : 0);
}

/// Bytes of blocks that fit behind `used` bytes of a file.
std::uint64_t journal::fits(std::uint64_t used) const noexcept {
  const auto taken = used + mark_bytes + frame_head_bytes;
  return config_.file_bytes > taken ? config_.file_bytes - taken : 0;
}

/// Copies the blocks into the buffer, behind the room for the header.
frame_header journal::lay_out(std::span<journal_block* const> blocks,
                              std::uint64_t bytes) {
  const auto frame = buffer_.take(frame_bytes(bytes));
  auto* at = frame.data() + frame_head_bytes;
  for (const auto* block : blocks) {
    std::memcpy(at, block->bytes.data(), block->bytes.size());
    at += block->bytes.size();
  }
  std::memset(at, 0, frame.size() - frame_head_bytes - bytes);
  frame_header header;
  header.store = config_.store;
  header.blocks = static_cast<std::uint32_t>(blocks.size());
  header.incarnation = config_.incarnation;
  header.number = end_.frame + 1;
  header.durable = end_.frame;
  header.previous = end_.checksum;
  header.previous_file = end_.file;
  header.payload_bytes = static_cast<std::uint32_t>(bytes);
  header.payload_checksum = checksum_of(frame.subspan(frame_head_bytes, bytes));
  return header;
}

/// Writes and syncs the frame in the buffer: again in the next file if this
/// one fails, and never more than two files for one failure.
commit_outcome journal::put(frame_header& frame) {
  while (make_room(frame)) {
    frame.file = file_number_;
    encode(frame, buffer_.data());
    const bytes_view bytes{buffer_.data(), frame_bytes(frame.payload_bytes)};
    const auto write = [&] { return file_->write(used_, bytes); };
    const auto sync = [&] {
      return in_step(safety_step::journal_sync, [&] { return file_->sync(); });
    };
    const auto done = does(safety_step::answer_after_sync)
                        ? write().and_then(sync)
                        : sync().and_then(write);
    if (done) {
      accept(frame);
      return commit_outcome::durable;
    }
    fence(done.error());
    if (health_ == health::failed)
      return commit_outcome::failed;
  }
  return commit_outcome::no_room;
}

/// Goes to the next file unless the frame fits into this one.
bool journal::make_room(const frame_header& frame) {
  const auto reserve = frame.blocks == 0 ? 0 : mark_bytes;
  const auto end = used_ + frame_bytes(frame.payload_bytes) + reserve;
  if (file_ && end <= config_.file_bytes)
    return true;
  auto next = next_file();
  if (!next) {
    failure_ = next.error();
    return false;
  }
  file_ = std::move(*next);
  ++file_number_;
  used_ = 0;
  return true;
}

result<std::unique_ptr<file>> journal::next_file() {
  if (spare_)
    return std::move(spare_);
  const auto number = file_number_ + 1;
  if (end_.spare != number)
    return prepare(number);
  auto spare = disk_.open(journal_file_path(config_, number), open_mode::write);
  if (spare)
    end_.spare = 0;
  return spare;
}

void journal::fence(error why) {
  failure_ = std::move(why);
  health_ = health_ == health::good ? health::fenced : health::failed;
  if (does(safety_step::fence))
    file_.reset();
}

void journal::accept(const frame_header& frame) {
  health_ = health::good;
  end_.frame = frame.number;
  end_.checksum = frame.checksum;
  end_.file = frame.file;
  end_.idle = frame.blocks == 0;
  used_ += frame_bytes(frame.payload_bytes);
  written_bytes_ += frame_bytes(frame.payload_bytes);
}

} // namespace torpor
