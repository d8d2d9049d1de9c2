// SPDX-License-Identifier: Apache-2.0
#include "tests/damage/journal_map.hpp"

#include "runtime/block.hpp"
#include "runtime/frame.hpp"

#include <stdexcept>

namespace torpor::test {

std::size_t journal_map::frames_to(std::uint64_t byte) const {
  std::size_t count = 0;
  while (count < frames.size() && frames[count].offset <= byte)
    ++count;
  return count;
}

std::size_t journal_map::whole_frames(std::uint64_t bytes) const {
  std::size_t count = 0;
  while (count < frames.size() && frames[count].covered <= bytes)
    ++count;
  return count;
}

bool journal_map::covers(std::uint64_t byte) const {
  const auto count = frames_to(byte);
  return count > 0 && byte < frames[count - 1].covered;
}

std::set<stream_id> journal_map::streams_from(std::uint64_t byte) const {
  std::set<stream_id> found;
  if (const auto count = frames_to(byte); count > 0)
    for (const auto& each : frames[count - 1].blocks)
      if (each.end > byte)
        found.insert(each.stream);
  return found;
}

journal_map map_journal(const std::string& bytes) {
  journal_map map;
  const auto file = as_bytes(bytes);
  for (std::uint64_t at = 0; at < file.size();) {
    const auto header = decode_frame_header(file.subspan(at));
    if (!header)
      break;
    auto& frame = map.frames.emplace_back();
    frame.offset = at;
    frame.covered = at + frame_head_bytes + header->payload_bytes;
    frame.end = at + frame_bytes(header->payload_bytes);
    for (auto block = at + frame_head_bytes; block < frame.covered;) {
      const auto rest = file.subspan(block, frame.covered - block);
      const auto found = parse_block(rest.first(claimed_block_bytes(rest)));
      if (!found)
        throw std::runtime_error{to_string(found.error())};
      block += found->whole.size();
      frame.blocks.push_back({block, found->stream});
    }
    at = frame.end;
  }
  return map;
}

} // namespace torpor::test
