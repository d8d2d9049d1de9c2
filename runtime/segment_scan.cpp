// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_scan.hpp"

#include <algorithm>

namespace torpor {

result<bytes_view> segment_window::read(std::uint64_t begin, std::uint64_t end,
                                        std::uint64_t last) {
  if (begin < begin_ || end > begin_ + buffer_.size()) {
    const auto bytes = std::max(
      end - begin, std::min<std::uint64_t>(last - begin, piece_bytes));
    buffer_.shrink(4 * piece_bytes);
    const std::span<std::byte> into{buffer_.reserve(bytes), bytes};
    if (auto got = from_->read_at(begin, into); !got)
      return tl::unexpected{got.error()};
    buffer_.grow(bytes);
    begin_ = begin;
  }
  return buffer_.view().subspan(begin - begin_, end - begin);
}

result<void> segment_row_scan::open_page() {
  const auto& from = window_.from();
  const auto& place = from.page(page_);
  const auto bytes = window_.read(place.offset, from.page(page_ + 1).offset,
                                  from.page(from.pages()).offset);
  if (!bytes && bytes.error().code == errc::io_failed)
    return tl::unexpected{bytes.error()};
  ++page_;
  if (!bytes)
    return tl::unexpected{bytes.error()};
  auto opened = page_cursor::open(*bytes);
  if (!opened)
    return from.damaged(place.offset, opened.error().context);
  rows_ = std::move(*opened);
  return {};
}

result<std::optional<segment_row>> segment_row_scan::next() {
  for (;;) {
    if (rows_) {
      auto row = next_in_page();
      if (!row)
        rows_.reset();
      if (!row || *row)
        return row;
      rows_.reset();
    }
    if (page_ == window_.from().pages())
      return std::nullopt;
    if (auto opened = open_page(); !opened)
      return tl::unexpected{opened.error()};
  }
}

result<std::optional<segment_row>> segment_row_scan::next_in_page() {
  const auto& from = window_.from();
  auto row = rows_->next();
  if (!row)
    return from.damaged(from.page(page()).offset, row.error().context);
  if (!*row)
    return row;
  const auto stream = raw((*row)->stream);
  const auto last = page_ == from.pages();
  if (stream <= raw(before_.stream) || stream < raw(from.page(page()).first)
      || (!last && stream >= raw(from.page(page_).first)))
    return from.damaged(from.page(page()).offset,
                        "the page's rows are not in order");
  if (auto located = from.locate(**row); !located)
    return tl::unexpected{located.error()};
  before_ = **row;
  return row;
}

result<std::optional<segment_chunk>> segment_chunk_scan::next() {
  const auto& from = window_.from();
  if (next_ == from.chunks())
    return std::nullopt;
  const auto stored = window_.read(from.chunk(next_).offset,
                                   from.chunk(next_ + 1).offset,
                                   from.chunk(from.chunks()).offset);
  if (!stored && stored.error().code == errc::io_failed)
    return tl::unexpected{stored.error()};
  const auto number = next_++;
  if (!stored)
    return tl::unexpected{stored.error()};
  return from.unpack(number, *stored).map([](segment_chunk&& chunk) {
    return std::optional<segment_chunk>{std::move(chunk)};
  });
}

result<std::optional<block_view>> segment_block_scan::next() {
  for (;;) {
    auto block = blocks_.next();
    if (!block)
      blocks_ = {};
    if (!block || *block)
      return block;
    auto chunk = chunks_.next();
    if (!chunk)
      return tl::unexpected{chunk.error()};
    if (!*chunk)
      return std::nullopt;
    chunk_ = std::move(*chunk);
    blocks_ = chunk_cursor{chunks_.from(), *chunk_};
  }
}

} // namespace torpor
