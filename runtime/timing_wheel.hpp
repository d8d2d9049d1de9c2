// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace torpor {

/// All deadlines of the process: eight levels of 256 slots, 1 ms ticks.
/// Arming and cancelling take constant time; a timer is moved at most seven
/// times before it fires. Never fires early. Reasons and figures:
/// docs/timing-wheel.md.
///
/// Threads: one owner.
class timing_wheel {
public:
  /// Milliseconds on a monotonic clock, from any origin; the whole range is
  /// valid.
  using tick = std::uint64_t;

  /// Names an armed timer: index and serial number. `timer{}` names none and
  /// is never handed out. A handle is not given out again before 2^36 later
  /// timers have been armed.
  enum class timer : std::uint64_t {};

  explicit timing_wheel(tick now = 0);
  timing_wheel(const timing_wheel&) = delete;
  timing_wheel& operator=(const timing_wheel&) = delete;

  /// Fires `payload` at the first poll at or after `deadline`; one that is not
  /// in the future fires at the next poll. At most 2^28 - 16384 timers.
  timer arm(tick deadline, std::uint64_t payload);

  /// False if the timer has fired or was cancelled before, or is none.
  bool cancel(timer t);

  /// Moves time to `now` (an older one counts as the current one) and appends
  /// the payloads of due timers to `out`, in no promised order. Moves or fires
  /// at most `work_max` timers, from 1. True if work remains: call again.
  bool poll(tick now, std::vector<std::uint64_t>& out,
            std::size_t work_max = 1024);

  /// When to poll next; nullopt while nothing is armed. The earliest deadline,
  /// or the current time if work remains for it. After cancels it may be
  /// earlier: a poll that fires nothing, at most seven per timer.
  [[nodiscard]] std::optional<tick> next() const;

  /// Armed timers.
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }

  /// Held memory: 150 KB, plus 32 bytes per timer in steps of 32 KB.
  [[nodiscard]] std::size_t memory_bytes() const;

private:
  // A slot is eight lists, its strands, worked on in turn: while one waits for
  // memory, the others go on.
  static constexpr std::uint32_t slot_count = 2048;
  static constexpr std::uint32_t strands = 8;

  using index = std::uint32_t; // First the lists by slot, then the nodes.
  static constexpr index list_count = slot_count * strands;
  static constexpr index none = ~index{0};

  struct links { // Circular; an empty list points at itself.
    index prev;
    index next;
  };

  struct node {
    links link;
    tick deadline;
    std::uint64_t payload;
    timer handle; // none while the node is free.
  };

  /// Nodes in chunks. The lowest open chunk serves first, so that the others
  /// run empty and are freed, all but one spare.
  class slab {
  public:
    node& operator[](index i) {
      i -= list_count;
      return chunks_[i / chunk_nodes].nodes[i % chunk_nodes];
    }
    [[nodiscard]] index allocate();
    void release(index i);
    /// The node's index while `t` is armed, else none.
    [[nodiscard]] index find(timer t) const;
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t memory_bytes() const;

  private:
    static constexpr index chunk_nodes = 1024;

    struct chunk {
      std::unique_ptr<node[]> nodes; // Null: vacant.
      index first_free = none;       // While vacant: the next vacant chunk.
      index used = 0;
    };

    index open_chunk();
    index add_chunk();
    void retire(index c);
    void set_open(index c, bool open);

    std::vector<chunk> chunks_;
    std::vector<std::uint64_t> open_; // A bit per chunk with a free node.
    std::size_t open_from_ = 0;       // All words of open_ before it are 0.
    index vacant_ = none;
    index spare_ = none; // A chunk without a used node, kept for the next peak.
    std::size_t size_ = 0;
    std::uint64_t serial_ = 0;
  };

  links& at(index i) { return i < list_count ? lists_[i] : nodes_[i].link; }
  [[nodiscard]] std::uint32_t slot_for(tick deadline) const;
  [[nodiscard]] tick start_of(std::uint32_t slot) const;
  [[nodiscard]] std::uint32_t first_slot() const;
  [[nodiscard]] std::uint8_t strands_used(std::uint32_t slot) const;
  void append(std::uint32_t slot, index i);
  void unlink(index i);
  void take(std::uint32_t slot);
  bool find_work();
  void work(std::vector<std::uint64_t>& out);
  void mark(index l, bool used);

  tick now_;  // What the owner told us last.
  tick base_; // The slots are laid out for it; < now_ only while work remains.
  std::uint32_t turn_ = 0; // The strand to be worked on next.
  std::vector<links> lists_;
  std::array<tick, slot_count> earliest_{}; // Lower bounds, of used slots only.
  std::array<std::uint64_t, list_count / 64> used_{}; // A bit per used list.
  std::array<std::uint64_t, list_count / 64 / 64> used_words_{}; // Per word.
  slab nodes_;
};

} // namespace torpor
