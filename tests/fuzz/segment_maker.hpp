// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/byte_buffer.hpp"
#include "runtime/segment_format.hpp"
#include "runtime/segment_writer.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/reseal.hpp"

#include <utility>

namespace torpor::test {

/// Lays out a segment of what a fuzzer says of its chunks, pages and summary:
/// all checksums are right, and the parts fill the file; what they say of one
/// another need not fit. Threads: one owner.
class segment_maker {
public:
  explicit segment_maker(const segment_config& config) {
    header_.store = config.store;
    header_.number = config.number;
    file_.resize(segment_head_bytes);
    encode(header_, file_.data());
    footer_.summary.journal_first = config.journal_first;
    footer_.summary.journal_last = config.journal_last;
  }

  byte_vector make(fuzz_input& input) {
    for (auto left = input.u8() % 8; left > 0; --left)
      add_chunk(input);
    footer_.chunks.push_back(
      {.offset = file_.size(), .position = position_});
    for (auto left = input.u8() % 8; left > 0; --left)
      add_page(input);
    footer_.pages.push_back({file_.size(), {}});
    auto& all = footer_.summary;
    all.streams = input.number();
    all.entries = input.number();
    all.payload_bytes = input.number();
    all.first_ms = static_cast<std::int64_t>(input.number());
    all.last_ms = static_cast<std::int64_t>(input.number());
    return finish();
  }

private:
  /// A byte: 1: its blocks are to be mended, 2: it says what it has raw, 4: the
  /// directory says something of its own of the first block.
  void add_chunk(fuzz_input& input) {
    const auto how = input.u8();
    const auto raw = (how & 2) != 0 ? input.number() : 0;
    auto stored = to_bytes(input.text());
    if ((how & 1) != 0)
      reseal_blocks(stored);
    chunk_place place{.offset = file_.size(), .position = position_};
    if (const auto block = parse_block(
          bytes_view{stored}.first(claimed_block_bytes(stored)));
        block && (how & 4) == 0) {
      place.stream = block->stream;
      place.first = block->first;
      place.first_ms = block->first_ms;
    } else {
      place.stream = stream_id{input.number()};
      place.first = sequence{input.number()};
      place.first_ms = static_cast<std::int64_t>(input.number());
    }
    place.checksum = checksum_of(stored);
    footer_.chunks.push_back(place);
    // No more than a machine's memory can take for each of many inputs.
    position_ += (how & 2) != 0 ? raw % raw_bytes_max : stored.size();
    file_.insert(file_.end(), stored.begin(), stored.end());
  }

  void add_page(fuzz_input& input) {
    footer_.pages.push_back({file_.size(), stream_id{input.number()}});
    const auto rows = to_bytes(input.text());
    const auto begin = file_.size();
    file_.resize(begin + 8 + rows.size());
    wire_writer to{file_.data() + begin};
    to.u64(checksum_of(rows));
    to.raw(rows);
  }

  byte_vector finish() {
    byte_buffer footer;
    encode(footer_, header_.checksum, footer);
    const segment_trailer trailer{file_.size(), footer.size(),
                                  checksum_of(footer.view())};
    file_.insert(file_.end(), footer.view().begin(), footer.view().end());
    const auto begin = file_.size();
    file_.resize(begin + segment_trailer_bytes);
    encode(trailer, file_.data() + begin);
    return std::move(file_);
  }

  static constexpr std::uint64_t raw_bytes_max = 4u << 20;

  segment_header header_;
  segment_footer footer_;
  byte_vector file_;
  std::uint64_t position_ = 0;
};

} // namespace torpor::test
