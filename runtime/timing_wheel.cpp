// SPDX-License-Identifier: Apache-2.0
#include "runtime/timing_wheel.hpp"

#include "runtime/assert.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace torpor {

namespace {

// A deadline is eight digits of eight bits; level n looks at digit n.
constexpr unsigned digit_bits = 8;
constexpr std::uint32_t slots_per_level = 1 << digit_bits;

// Due timers, and those on their way to a lower level. It is slot 0 of level 0,
// which no later timer needs: its digit is greater than that of the base.
constexpr std::uint32_t pending = 0;

constexpr unsigned index_bits = 28;
constexpr std::uint64_t index_mask = (1 << index_bits) - 1;
constexpr std::uint64_t serial_max = ~std::uint64_t{0} >> index_bits;

constexpr std::uint64_t bit(std::uint32_t i) {
  return std::uint64_t{1} << i % 64;
}

constexpr std::uint32_t lowest(std::uint64_t word) {
  return static_cast<std::uint32_t>(std::countr_zero(word));
}

} // namespace

timing_wheel::timing_wheel(tick now)
  : now_(now),
    base_(now),
    lists_(list_count) {
  for (index l = 0; l < list_count; ++l)
    lists_[l] = {l, l};
}

timing_wheel::timer timing_wheel::arm(tick deadline, std::uint64_t payload) {
  const index i = nodes_.allocate();
  node& armed = nodes_[i];
  armed.deadline = deadline;
  armed.payload = payload;
  append(slot_for(deadline), i);
  return armed.handle;
}

bool timing_wheel::cancel(timer t) {
  const index i = nodes_.find(t);
  if (i == none)
    return false;
  unlink(i);
  nodes_.release(i);
  return true;
}

bool timing_wheel::poll(tick now, std::vector<std::uint64_t>& out,
                        std::size_t work_max) {
  TORPOR_ASSERT(work_max > 0);
  now_ = std::max(now_, now);
  for (; find_work(); --work_max) {
    if (work_max == 0)
      return true;
    work(out);
  }
  return false;
}

std::optional<timing_wheel::tick> timing_wheel::next() const {
  const auto first = first_slot();
  if (first == slot_count)
    return std::nullopt;
  // While timers are pending, an earlier one may have been armed into a slot.
  return first == pending ? now_ : std::max(now_, earliest_[first]);
}

std::size_t timing_wheel::memory_bytes() const {
  return sizeof(*this) + lists_.capacity() * sizeof(links)
         + nodes_.memory_bytes();
}

// The level is the highest digit in which deadline and base differ. So the
// timers of a lower level come before those of a higher one, a slot's digit is
// always greater than the base's, and no slot is ever wrapped around.
std::uint32_t timing_wheel::slot_for(tick deadline) const {
  if (deadline <= now_)
    return pending;
  const auto highest = static_cast<tick>(std::bit_width(deadline ^ base_)) - 1;
  const tick level = highest / digit_bits;
  const tick digit = deadline >> level * digit_bits & (slots_per_level - 1);
  return static_cast<std::uint32_t>(level * slots_per_level + digit);
}

// The first tick of a slot: the base's digits above it, its own, then zeros.
timing_wheel::tick timing_wheel::start_of(std::uint32_t slot) const {
  const unsigned shift = slot / slots_per_level * digit_bits;
  const tick digit = slot % slots_per_level;
  const tick below = (tick{slots_per_level} << shift) - 1;
  return (base_ & ~below) | digit << shift;
}

// Slots are numbered by time, so the lowest number comes first. slot_count if
// nothing is armed.
std::uint32_t timing_wheel::first_slot() const {
  for (std::uint32_t i = 0; i < used_words_.size(); ++i)
    if (used_words_[i] != 0) {
      const auto word = i * 64 + lowest(used_words_[i]);
      return (word * 64 + lowest(used_[word])) / strands;
    }
  return slot_count;
}

std::uint8_t timing_wheel::strands_used(std::uint32_t slot) const {
  const index l = slot * strands;
  return static_cast<std::uint8_t>(used_[l / 64] >> l % 64);
}

void timing_wheel::append(std::uint32_t slot, index i) {
  node& added = nodes_[i];
  if (strands_used(slot) == 0 || added.deadline < earliest_[slot])
    earliest_[slot] = added.deadline;
  const index l = slot * strands + i % strands;
  added.link = {lists_[l].prev, l};
  at(lists_[l].prev).next = i;
  lists_[l].prev = i;
  if (added.link.prev == l)
    mark(l, true);
}

void timing_wheel::unlink(index i) {
  const links link = nodes_[i].link;
  at(link.prev).next = link.next;
  at(link.next).prev = link.prev;
  if (link.prev == link.next) // Both are the list, which is empty now.
    mark(link.prev, false);
}

// Makes a whole slot pending, whatever its length.
void timing_wheel::take(std::uint32_t slot) {
  for (unsigned rest = strands_used(slot); rest != 0; rest &= rest - 1) {
    const index to = pending * strands + lowest(rest);
    const index from = slot * strands + lowest(rest);
    lists_[to] = lists_[from];
    at(lists_[to].next).prev = to;
    at(lists_[to].prev).next = to;
    lists_[from] = {from, from};
    mark(from, false);
    mark(to, true);
  }
}

// Brings the base forward, at most to the next used slot. False if nothing is
// left to do for now_.
bool timing_wheel::find_work() {
  const auto first = first_slot();
  if (first == pending)
    return true;
  if (first == slot_count || start_of(first) > now_) {
    base_ = now_;
    return false;
  }
  base_ = start_of(first);
  take(first);
  return true;
}

// Fires a pending timer, or moves it to a lower level than it came from.
void timing_wheel::work(std::vector<std::uint64_t>& out) {
  const auto rotated = std::rotr(strands_used(pending), int(turn_));
  const auto strand = (turn_ + lowest(rotated)) % strands;
  turn_ = (strand + 1) % strands;
  const index l = pending * strands + strand;
  const index i = lists_[l].next;
  const node& current = nodes_[i];
  if (current.deadline > now_) {
    unlink(i);
    append(slot_for(current.deadline), i);
  } else {
    out.push_back(current.payload); // First: it may throw.
    unlink(i);
    nodes_.release(i);
  }
  __builtin_prefetch(&at(at(lists_[l].next).next), 1);
}

void timing_wheel::mark(index l, bool used) {
  const auto set = [used](std::uint64_t& word, index i) {
    word = used ? word | bit(i) : word & ~bit(i);
  };
  const index word = l / 64;
  set(used_[l / 64], l);
  if (used || used_[word] == 0)
    set(used_words_[word / 64], word);
}

timing_wheel::index timing_wheel::slab::allocate() {
  const index c = open_chunk();
  chunk& from = chunks_[c];
  const index i = from.first_free;
  node& taken = from.nodes[i];
  from.first_free = taken.link.next;
  if (++from.used == chunk_nodes)
    set_open(c, false);
  if (c == spare_)
    spare_ = none;
  ++size_;
  serial_ = serial_ == serial_max ? 1 : serial_ + 1;
  const index number = list_count + c * chunk_nodes + i;
  taken.handle = timer{serial_ << index_bits | number};
  return number;
}

void timing_wheel::slab::release(index i) {
  i -= list_count;
  const index c = i / chunk_nodes;
  chunk& to = chunks_[c];
  node& freed = to.nodes[i % chunk_nodes];
  freed.handle = timer{};
  freed.link.next = to.first_free;
  to.first_free = i % chunk_nodes;
  --size_;
  if (to.used-- == chunk_nodes)
    set_open(c, true);
  if (to.used == 0)
    retire(c);
}

timing_wheel::index timing_wheel::slab::find(timer t) const {
  const auto i = static_cast<index>(static_cast<std::uint64_t>(t) & index_mask);
  if (i < list_count) // Handle none, or not one of ours.
    return none;
  const index c = (i - list_count) / chunk_nodes;
  if (c >= chunks_.size() || !chunks_[c].nodes)
    return none;
  return chunks_[c].nodes[(i - list_count) % chunk_nodes].handle == t ? i
                                                                      : none;
}

std::size_t timing_wheel::slab::memory_bytes() const {
  const auto held = std::count_if(chunks_.begin(), chunks_.end(),
                                  [](const chunk& c) { return !!c.nodes; });
  return static_cast<std::size_t>(held) * chunk_nodes * sizeof(node)
         + chunks_.capacity() * sizeof(chunk)
         + open_.capacity() * sizeof(open_[0]);
}

timing_wheel::index timing_wheel::slab::open_chunk() {
  while (open_from_ < open_.size() && open_[open_from_] == 0)
    ++open_from_;
  if (open_from_ == open_.size() || open_[open_from_] == 0)
    return add_chunk();
  return static_cast<index>(open_from_) * 64 + lowest(open_[open_from_]);
}

timing_wheel::index timing_wheel::slab::add_chunk() {
  auto nodes = std::make_unique<node[]>(chunk_nodes);
  for (index i = 0; i < chunk_nodes; ++i)
    nodes[i].link.next = i + 1; // The last is never followed: used counts.
  index c = vacant_;
  if (c == none) {
    c = static_cast<index>(chunks_.size());
    TORPOR_ASSERT(c < (index_mask + 1 - list_count) / chunk_nodes);
    open_.resize(c / 64 + 1);
    chunks_.emplace_back();
  } else {
    vacant_ = chunks_[c].first_free;
  }
  chunks_[c].nodes = std::move(nodes);
  chunks_[c].first_free = 0;
  set_open(c, true);
  return c;
}

// Keeps one empty chunk, the lower one, so that arming and cancelling at the
// edge of a chunk does not allocate.
void timing_wheel::slab::retire(index c) {
  if (spare_ == none) {
    spare_ = c;
    return;
  }
  const index dropped = std::max(c, spare_);
  spare_ = std::min(c, spare_);
  set_open(dropped, false);
  chunks_[dropped].nodes.reset();
  chunks_[dropped].first_free = vacant_;
  vacant_ = dropped;
}

void timing_wheel::slab::set_open(index c, bool open) {
  std::uint64_t& word = open_[c / 64];
  word = open ? word | bit(c) : word & ~bit(c);
  if (open)
    open_from_ = std::min<std::size_t>(open_from_, c / 64);
}

} // namespace torpor
