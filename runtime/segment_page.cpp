// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_page.hpp"

#include "runtime/assert.hpp"
#include "runtime/safety_step.hpp"
#include "runtime/zigzag.hpp"

#include <limits>

namespace torpor {

namespace {

constexpr std::size_t checksum_bytes = 8;

} // namespace

void page_builder::add(const segment_row& row) {
  auto coded = encode(row);
  if (places_.empty()
      || pages_.size() - places_.back().offset + coded.size()
           > segment_page_bytes_max) {
    end_page();
    begin_page(row);
    coded = encode(row);
  }
  pages_.append(coded);
  stream_ = row.stream;
  first_ms_ = row.first_ms;
}

bytes_view page_builder::encode(const segment_row& row) {
  TORPOR_ASSERT(raw(row.stream) > raw(stream_));
  wire_writer to{scratch_.data()};
  to.varint(raw(row.stream) - raw(stream_));
  to.varint(raw(row.first));
  to.varint(raw(row.next) - raw(row.first));
  to.varint(zigzag_step(first_ms_, row.first_ms));
  to.varint(static_cast<std::uint64_t>(row.last_ms - row.first_ms));
  to.varint(row.bytes);
  return {scratch_.data(), to.at()};
}

void page_builder::begin_page(const segment_row& row) {
  places_.push_back({pages_.size(), row.stream});
  auto* begin = pages_.reserve(checksum_bytes + varint_bytes_max);
  wire_writer to{begin};
  to.u64(0); // The checksum, once it is known.
  to.varint(row.position);
  pages_.grow(static_cast<std::size_t>(to.at() - begin));
  stream_ = {};
  first_ms_ = 0;
}

void page_builder::end_page() {
  if (places_.empty())
    return;
  const auto begin = places_.back().offset;
  wire_writer to{pages_.data() + begin};
  to.u64(checksum_of(pages_.view().subspan(begin + checksum_bytes)));
}

bytes_view page_builder::finish() {
  end_page();
  places_.push_back({pages_.size(), {}});
  return pages_.view();
}

result<page_cursor> page_cursor::open(bytes_view page) {
  wire_reader from{page};
  const auto stated = from.u64();
  const auto wrong = does(safety_step::segment_page_checksum)
                     && checksum_of(from.rest()) != stated;
  if (!from.ok() || wrong)
    return fail(errc::corrupt, "the page's checksum is wrong");
  page_cursor opened{from};
  opened.before_.position = opened.from_.varint();
  return opened;
}

result<std::optional<segment_row>> page_cursor::next() {
  if (from_.done())
    return std::nullopt;
  segment_row row;
  const auto stream_step = from_.varint();
  row.stream = stream_id{raw(before_.stream) + stream_step};
  row.first = sequence{from_.varint()};
  row.next = row.first + from_.varint();
  row.first_ms = step(before_.first_ms, from_.varint());
  row.last_ms = static_cast<std::int64_t>(
    static_cast<std::uint64_t>(row.first_ms) + from_.varint());
  row.position = before_.position + before_.bytes;
  row.bytes = from_.varint();
  if (!from_.ok() || stream_step == 0 || raw(row.stream) < stream_step
      || raw(row.next) <= raw(row.first) || row.last_ms < row.first_ms
      || row.bytes == 0
      || row.bytes > std::numeric_limits<std::uint64_t>::max() - row.position)
    return fail(errc::corrupt, "a row of the page makes no sense");
  before_ = row;
  return row;
}

} // namespace torpor
