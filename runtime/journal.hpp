// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/aligned_buffer.hpp"
#include "runtime/block.hpp"
#include "runtime/disk.hpp"
#include "runtime/frame.hpp"
#include "runtime/journal_files.hpp"
#include "torpor/error.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

namespace torpor {

/// Where the journal ends: the last frame that is valid and durable.
struct journal_end {
  std::uint64_t frame = 0;       ///< Its number; 0 when there is none.
  std::uint64_t checksum = 0;    ///< Its header checksum, for the chain.
  std::uint32_t file = 0;        ///< Number of its file; 0 when there is none.
  bool idle = false;             ///< It is an idle mark.
  std::uint32_t spare = 0;       ///< The file behind it if prepared, else 0.
  std::uint64_t incarnation = 0; ///< Highest that any frame had.
};

/// A block on its way through the journal.
struct journal_block {
  bytes_view bytes;  ///< As `block_builder::finish` gave it; not owned.
  block_place place; ///< Set by a commit that was durable.
};

/// What became of a commit.
enum class commit_outcome : std::uint8_t {
  durable, ///< Every block is durable and has its place.
  no_room, ///< No file to write into, as on a full disk. Nothing is
           ///< acknowledged: keep the blocks, retry; see `failure`.
  failed,  ///< Durability is lost for good: see `failure`.
};

/// The shared, append-only log of commit frames: one write and one sync make
/// the blocks of many streams durable (docs/journal-format.md).
///
/// After the first failed write or sync of a file that file is fenced: never
/// written or synced again. Its unfinished frame goes into a new file. When
/// that fails too, the journal has failed: nothing is acknowledged any more.
/// Threads: one owner, except `prepare`.
class journal {
public:
  /// Goes on behind `end` in a new file (or the spare); writes nothing yet.
  journal(disk& disk, journal_config config, const journal_end& end);

  /// Writes all blocks as one frame, syncs, and sets their places. Their
  /// bytes together are at most `frame_bytes_max()`. No blocks: does nothing.
  [[nodiscard]] commit_outcome commit(std::span<journal_block* const> blocks);

  /// Writes a frame without blocks that states the last durable frame, so
  /// that damage to that one is never taken for a torn tail, and gives the
  /// memory of large frames back. Writes nothing when the last frame already
  /// is such a mark, or there is none.
  [[nodiscard]] commit_outcome mark_idle();

  /// Marks the end, and gives the unused rest of the current file back to the
  /// disk whatever became of the mark. Nothing can be committed afterwards.
  [[nodiscard]] commit_outcome finish();

  /// Most bytes of blocks in one frame.
  [[nodiscard]] std::uint64_t frame_bytes_max() const noexcept;

  /// Number of the file that should be prepared now, or 0. The caller has it
  /// made by `prepare`, on any thread, and hands it in with `take_spare`.
  /// Should a commit need that file first, it prepares it itself; if both do
  /// so at once, one of them fails and nothing is harmed: that commit says
  /// `no_room` and succeeds once the spare was handed in.
  [[nodiscard]] std::uint32_t wants_spare() const noexcept;

  /// Takes a prepared file. One that is not wanted any more is only closed.
  void take_spare(std::uint32_t number, std::unique_ptr<file> spare);

  /// Makes a journal file of zeros, durable under its final name. A commit
  /// into it needs one device flush; into a growing file it needs two.
  /// Errors: io_failed (also when that file exists or another thread prepares
  /// one); what was begun is removed, at the latest by the next call that can.
  [[nodiscard]] result<std::unique_ptr<file>> prepare(std::uint32_t number);

  /// Number of the file that holds the last durable frame, 0 before the first
  /// one. Files before it never change again and may be sealed; itself must
  /// not be removed.
  [[nodiscard]] std::uint32_t current_file() const noexcept {
    return end_.file;
  }

  /// Bytes of blocks that fit into the current file and the spare: at most one
  /// frame of that size, split between them.
  [[nodiscard]] std::uint64_t room() const noexcept;

  /// Number of the last durable frame.
  [[nodiscard]] std::uint64_t durable_frame() const noexcept {
    return end_.frame;
  }

  /// Why the journal was out of room or has failed.
  [[nodiscard]] const error& failure() const noexcept { return failure_; }

  /// Bytes of all durable frames of this opening, padding included.
  [[nodiscard]] std::uint64_t written_bytes() const noexcept {
    return written_bytes_;
  }

private:
  /// How far the journal got with its promise.
  enum class health : std::uint8_t {
    good,
    fenced, ///< The last write or sync failed; the next one decides.
    failed,
    finished,
  };

  [[nodiscard]] frame_header lay_out(std::span<journal_block* const> blocks,
                                     std::uint64_t bytes);
  [[nodiscard]] commit_outcome put(frame_header& frame);
  [[nodiscard]] bool make_room(const frame_header& frame);
  [[nodiscard]] result<std::unique_ptr<file>> next_file();
  [[nodiscard]] std::uint64_t fits(std::uint64_t used) const noexcept;
  void fence(error why);
  void accept(const frame_header& frame);

  disk& disk_;
  journal_config config_;
  journal_end end_; ///< Last durable frame; `spare`: prepared, not yet open.
  health health_ = health::good;
  error failure_;
  std::uint32_t file_number_;  ///< Highest that was ever taken.
  std::unique_ptr<file> file_; ///< None at first and after a fence.
  std::uint64_t used_ = 0;     ///< Bytes of `file_`; the next frame's offset.
  std::unique_ptr<file> spare_;
  std::uint64_t written_bytes_ = 0;
  aligned_buffer buffer_; ///< The frame being written.
  std::mutex preparing_;
  std::string left_; ///< A path that `prepare` made and could not remove.
};

} // namespace torpor
