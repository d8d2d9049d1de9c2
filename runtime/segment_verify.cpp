// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_verify.hpp"

#include "runtime/segment_scan.hpp"

#include <algorithm>
#include <limits>

namespace torpor {

namespace {

/// Bytes of the payloads, if the entries are what the block's head says.
std::optional<std::uint64_t> count_payload(const block_view& block) {
  entry_cursor entries{block};
  std::uint64_t payload_bytes = 0;
  while (const auto entry = entries.next())
    payload_bytes += entry->payload.size();
  if (!entries.sound())
    return std::nullopt;
  return payload_bytes;
}

/// Walks over chunks and rows side by side. Threads: one owner.
class segment_verifier {
public:
  explicit segment_verifier(const std::shared_ptr<const segment>& checked)
    : from_{*checked},
      rows_{checked},
      chunks_{checked} {}

  result<segment_report> run();

private:
  result<void> next_row();
  result<void> pass_rows(std::uint64_t position);
  void end_row();
  void lose_page(const std::string& why);
  result<void> lose_chunk(std::uint64_t position, const std::string& why);
  result<void> check_chunk(const segment_chunk& chunk);
  result<void> check_block(const block_view& block, std::uint64_t position,
                           std::uint64_t bytes);
  void check_order(const block_view& block);
  void count(const block_view& block);
  void check_directory(const block_view& block);
  void check_summary();
  void note(stream_id stream, sequence first, sequence next,
            std::string_view text) {
    report_.damages.push_back({stream, first, next, std::string{text}});
  }

  const segment& from_;
  segment_row_scan rows_;
  segment_chunk_scan chunks_;
  segment_report report_;
  std::optional<segment_row> row_; ///< The one whose blocks come.
  segment_row seen_;               ///< The same, but from its blocks.
  bool touched_ = false;           ///< Damage was noted for it.
  std::uint64_t rows_end_ = 0;     ///< Raw position behind the last row.
  stream_id counted_{};            ///< Stream of the last block.
  /// The streams of the damaged pages in front of `row_`: from, to before.
  stream_id lost_from_{};
  stream_id lost_until_{};
};

result<segment_report> segment_verifier::run() {
  if (auto got = next_row(); !got)
    return tl::unexpected{got.error()};
  for (;;) {
    auto chunk = chunks_.next();
    if (!chunk && chunk.error().code != errc::corrupt)
      return tl::unexpected{chunk.error()};
    if (chunk && !*chunk)
      break;
    auto done = chunk ? check_chunk(**chunk)
                      : lose_chunk(from_.chunk(chunks_.number()).position,
                                   chunk.error().context);
    if (!done)
      return tl::unexpected{done.error()};
  }
  if (auto done = pass_rows(std::numeric_limits<std::uint64_t>::max()); !done)
    return tl::unexpected{done.error()};
  check_summary();
  return std::move(report_);
}

// -- rows --------------------------------------------------------------------

result<void> segment_verifier::next_row() {
  auto known_end = true;
  for (;;) {
    auto row = rows_.next();
    if (!row && row.error().code != errc::corrupt)
      return tl::unexpected{row.error()};
    if (row) {
      row_ = *row;
      break;
    }
    lose_page(row.error().context);
    known_end = false;
  }
  seen_ = {};
  touched_ = false;
  if (!row_)
    return {};
  if (known_end ? row_->position != rows_end_ : row_->position < rows_end_)
    note(row_->stream, row_->first, row_->next,
         "its row leads to a wrong place");
  rows_end_ = row_->position + row_->bytes;
  return {};
}

void segment_verifier::lose_page(const std::string& why) {
  const auto number = rows_.page();
  const auto first = from_.page(number).first;
  if (lost_until_ != first)
    lost_from_ = first;
  lost_until_ = number + 1 < from_.pages()
                  ? from_.page(number + 1).first
                  : stream_id{std::numeric_limits<std::uint64_t>::max()};
  note(first, sequence{}, sequence{},
       why
         + "; this stream and those behind it, up to the next page's, cannot "
           "be found");
}

/// Finishes the rows whose blocks end before that raw position.
result<void> segment_verifier::pass_rows(std::uint64_t position) {
  while (row_ && position >= row_->position + row_->bytes) {
    end_row();
    if (auto got = next_row(); !got)
      return got;
  }
  return {};
}

void segment_verifier::end_row() {
  const auto same = seen_.first == row_->first && seen_.next == row_->next
                    && seen_.first_ms == row_->first_ms
                    && seen_.last_ms == row_->last_ms
                    && seen_.bytes == row_->bytes;
  if (!same && !touched_)
    note(row_->stream, row_->first, row_->next,
         "its row says something else than its blocks");
}

// -- chunks ------------------------------------------------------------------

result<void> segment_verifier::check_chunk(const segment_chunk& chunk) {
  const auto begin = from_.chunk(chunk.number).position;
  chunk_cursor blocks{from_, chunk};
  for (;;) {
    const auto offset = blocks.offset();
    const auto block = blocks.next();
    if (!block)
      return lose_chunk(begin + offset, block.error().context);
    if (!*block)
      return {};
    if (offset == 0)
      check_directory(**block);
    auto done = check_block(**block, begin + offset, blocks.offset() - offset);
    if (!done)
      return done;
  }
}

void segment_verifier::check_directory(const block_view& block) {
  const auto& place = from_.chunk(chunks_.number());
  if (place.stream != block.stream || place.first != block.first
      || place.first_ms != block.first_ms)
    note(block.stream, block.first, block.first + block.count,
         "the chunk directory says something else than the chunk");
}

/// Notes what is lost from that raw position to the end of the chunk.
result<void> segment_verifier::lose_chunk(std::uint64_t position,
                                          const std::string& why) {
  const auto number = chunks_.number();
  const auto& chunk = from_.chunk(number);
  const auto& behind = from_.chunk(number + 1);
  if (auto passed = pass_rows(position); !passed)
    return passed;
  if (!row_ || row_->position >= behind.position)
    note(chunk.stream, chunk.first, chunk.first, why);
  while (row_ && row_->position < behind.position) {
    const auto first = row_->position >= position ? row_->first : seen_.next;
    const auto ends = row_->position + row_->bytes <= behind.position;
    seen_.next = ends ? row_->next : behind.first;
    seen_.bytes = std::max<std::uint64_t>(seen_.bytes, 1);
    note(row_->stream, first, seen_.next, why);
    touched_ = true;
    if (!ends)
      return {};
    end_row();
    if (auto got = next_row(); !got)
      return got;
  }
  return {};
}

// -- blocks ------------------------------------------------------------------

result<void> segment_verifier::check_block(const block_view& block,
                                           std::uint64_t position,
                                           std::uint64_t bytes) {
  if (auto passed = pass_rows(position); !passed)
    return passed;
  count(block);
  if (row_ && position >= row_->position && block.stream == row_->stream) {
    check_order(block);
    seen_.next = block.first + block.count;
    seen_.last_ms = block.last_ms;
    seen_.bytes += bytes;
    return {};
  }
  if (raw(block.stream) < raw(lost_from_)
      || raw(block.stream) >= raw(lost_until_))
    note(block.stream, block.first, block.first + block.count,
         "no row of the index leads to these entries");
  return {};
}

void segment_verifier::check_order(const block_view& block) {
  const auto next = block.first + block.count;
  if (seen_.bytes == 0) {
    seen_.first = block.first;
    seen_.first_ms = block.first_ms;
  } else if (raw(block.first) < raw(seen_.next)) {
    note(block.stream, block.first, next, "its blocks are not in order");
  } else if (block.first != seen_.next) {
    note(block.stream, seen_.next, block.first,
         "missing: no block has these entries");
  } else if (!touched_ && block.first_ms < seen_.last_ms) {
    note(block.stream, block.first, next, "its time goes back");
  }
}

void segment_verifier::count(const block_view& block) {
  auto& sum = report_.found;
  const auto payload_bytes = count_payload(block);
  if (!payload_bytes) {
    note(block.stream, block.first, block.first + block.count,
         senseless_entries);
    return;
  }
  const auto none = sum.entries == 0;
  sum.first_ms = none ? block.first_ms : std::min(sum.first_ms, block.first_ms);
  sum.last_ms = none ? block.last_ms : std::max(sum.last_ms, block.last_ms);
  sum.entries += block.count;
  sum.payload_bytes += *payload_bytes;
  if (block.stream != counted_)
    ++sum.streams;
  counted_ = block.stream;
}

void segment_verifier::check_summary() {
  const auto& said = from_.summary();
  auto& sum = report_.found;
  sum.number = said.number;
  sum.journal_first = said.journal_first;
  sum.journal_last = said.journal_last;
  sum.raw_bytes = said.raw_bytes;
  sum.file_bytes = said.file_bytes;
  if (report_.damages.empty() && sum != said)
    note({}, {}, {}, "the summary says something else than the blocks");
}

} // namespace

result<segment_report>
verify_segment(const std::shared_ptr<const segment>& checked) {
  return segment_verifier{checked}.run();
}

} // namespace torpor
