// SPDX-License-Identifier: Apache-2.0
// Blocks: the head, the entries, and what they make of a stream's record.
// Input: a byte whose lowest bit says that size and checksum are to be mended,
// then a block.
#include "runtime/assert.hpp"
#include "runtime/replay.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/reseal.hpp"

using namespace torpor;
using namespace torpor::test;

namespace {

/// The entries, each with what must hold of it.
std::vector<entry_view> entries_of(const block_view& block, bool& sound) {
  std::vector<entry_view> entries;
  entry_cursor cursor{block};
  auto last_ms = block.first_ms;
  while (const auto entry = cursor.next()) {
    TORPOR_ASSERT(entry->seq == block.first + entries.size());
    TORPOR_ASSERT(entry->time_ms >= last_ms);
    TORPOR_ASSERT(entry->time_ms <= block.last_ms);
    last_ms = entry->time_ms;
    entries.push_back(*entry);
  }
  sound = cursor.sound();
  TORPOR_ASSERT(entries.size() <= block.count);
  TORPOR_ASSERT(!sound || entries.size() == block.count);
  return entries;
}

/// Built again of its entries, it has the same ones.
void build_again(const block_view& block,
                 const std::vector<entry_view>& entries) {
  block_builder builder;
  builder.start(block.stream, block.first);
  for (const auto& entry : entries) {
    const auto properties = entry.properties();
    const auto encoded = encode_properties(properties);
    entry_view again;
    again.encoded = encoded;
    TORPOR_ASSERT(again.properties() == properties);
    builder.add(entry.payload, entry.encoded, entry.time_ms);
  }
  const auto built = parse_block(builder.finish());
  TORPOR_ASSERT(built);
  auto sound = false;
  const auto found = entries_of(*built, sound);
  TORPOR_ASSERT(sound && found.size() == entries.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    TORPOR_ASSERT(found[i].seq == entries[i].seq);
    TORPOR_ASSERT(found[i].time_ms == entries[i].time_ms);
    TORPOR_ASSERT(std::ranges::equal(found[i].payload, entries[i].payload));
    TORPOR_ASSERT(std::ranges::equal(found[i].encoded, entries[i].encoded));
  }
}

byte_vector encoded(const stream_record& record) {
  byte_vector bytes;
  encode(record, bytes);
  return bytes;
}

/// What a stream becomes by the block can be stored and read again, and the
/// same block a second time changes nothing.
void apply_twice(const block_view& block) {
  stream_record record;
  record.name = "name";
  if (block.creates)
    record.name.clear();
  apply(record, block);
  const auto once = encoded(record);
  const auto stored = decode_record(once);
  TORPOR_ASSERT(stored);
  TORPOR_ASSERT(encoded(*stored) == once);
  apply(record, block);
  TORPOR_ASSERT(encoded(record) == once);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  fuzz_input input{data, size};
  const auto mend = (input.u8() & 1) != 0;
  auto bytes = to_bytes(input.rest());
  if (mend && bytes.size() >= block_head_bytes)
    reseal_block(bytes);
  const auto block = parse_block(bytes);
  if (!block) {
    TORPOR_ASSERT(block.error().code == errc::corrupt);
    return 0;
  }
  auto sound = false;
  const auto entries = entries_of(*block, sound);
  if (sound)
    build_again(*block, entries);
  apply_twice(*block);
  return 0;
}
