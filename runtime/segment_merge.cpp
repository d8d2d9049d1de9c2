// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_merge.hpp"

#include "runtime/assert.hpp"
#include "runtime/safety_step.hpp"
#include "runtime/segment_files.hpp"
#include "runtime/segment_scan.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor {

namespace {

/// A segment that is merged away. Threads: one owner.
class merge_source {
public:
  explicit merge_source(std::shared_ptr<const segment> from)
    : from_{std::move(from)},
      blocks_{from_} {}

  /// The block that comes next; nullopt at the end. Good until `advance`.
  [[nodiscard]] const std::optional<block_view>& head() const noexcept {
    return head_;
  }

  /// Errors: corrupt (also when it ends with other than all entries),
  /// io_failed.
  [[nodiscard]] result<void> advance();

  /// An error that names the path and the stream of the head.
  [[nodiscard]] tl::unexpected<error> damaged(std::string_view what) const;

private:
  std::shared_ptr<const segment> from_;
  segment_block_scan blocks_;
  std::optional<block_view> head_;
  std::uint64_t entries_ = 0; ///< In the blocks so far.
};

result<void> merge_source::advance() {
  auto block = blocks_.next();
  if (!block)
    return tl::unexpected{block.error()};
  head_ = std::move(*block);
  if (head_)
    entries_ += head_->count;
  else if (entries_ != from_->summary().entries)
    return fail(errc::corrupt,
                fmt::format("'{}' is damaged: it has {} entries instead of {}",
                            from_->path(), entries_, from_->summary().entries));
  return {};
}

tl::unexpected<error> merge_source::damaged(std::string_view what) const {
  return fail(errc::corrupt,
              fmt::format("'{}' is damaged: stream {}, entry {}: {}",
                          from_->path(), raw(head_->stream), raw(head_->first),
                          what));
}

/// Takes the blocks of all sources stream by stream. Threads: one owner.
class segment_merger {
public:
  segment_merger(const std::vector<std::shared_ptr<const segment>>& sources,
                 segment_writer& into, const kept_from& kept,
                 const std::function<bool()>& cancelled)
    : sources_(sources.begin(), sources.end()),
      into_{into},
      kept_{kept},
      cancelled_{cancelled} {}

  [[nodiscard]] result<void> run();

private:
  [[nodiscard]] result<void> advance(merge_source& source);
  [[nodiscard]] const merge_source* least() const noexcept;
  [[nodiscard]] result<void> take_stream();
  [[nodiscard]] result<void> take_block(merge_source& source,
                                        std::optional<sequence> first);

  std::vector<merge_source> sources_; ///< Oldest first.
  segment_writer& into_;
  const kept_from& kept_;
  const std::function<bool()>& cancelled_;
  stream_id stream_{};       ///< The one that is taken; 0 at first.
  sequence next_{};          ///< Behind its last block, taken or left out.
  std::int64_t last_ms_ = 0; ///< Of that block; means nothing if next_ is 0.
};

result<void> segment_merger::run() {
  for (auto& source : sources_)
    if (auto done = advance(source); !done)
      return done;
  while (const auto* source = least()) {
    // Had a source gone back, its head would be the least one.
    if (raw(source->head()->stream) <= raw(stream_))
      return source->damaged("the stream is not in order");
    stream_ = source->head()->stream;
    if (auto done = take_stream(); !done)
      return done;
  }
  return {};
}

result<void> segment_merger::advance(merge_source& source) {
  if (cancelled_())
    return fail(errc::shut_down, "merging segments was cancelled");
  return source.advance();
}

/// A source whose head has the least stream; null if all have ended.
const merge_source* segment_merger::least() const noexcept {
  const merge_source* found = nullptr;
  for (const auto& source : sources_)
    if (source.head()
        && (!found || raw(source.head()->stream) < raw(found->head()->stream)))
      found = &source;
  return found;
}

result<void> segment_merger::take_stream() {
  const auto first = kept_(stream_);
  if (!first)
    return tl::unexpected{first.error()};
  next_ = {};
  for (auto& source : sources_)
    while (source.head() && source.head()->stream == stream_)
      if (auto done = take_block(source, *first); !done)
        return done;
  return {};
}

result<void> segment_merger::take_block(merge_source& source,
                                        std::optional<sequence> first) {
  const auto& block = *source.head();
  if (raw(block.first) < raw(next_))
    return source.damaged("an entry before it was there already");
  if (next_ != sequence{} && block.first_ms < last_ms_)
    return source.damaged("its time goes back");
  next_ = block.first + block.count;
  last_ms_ = block.last_ms;
  if (first)
    if (auto added = into_.add(block, *first); !added)
      return added.error().code == errc::corrupt
               ? source.damaged(senseless_entries)
               : added;
  return advance(source);
}

live_part find_live(const segment_row& row, sequence first) {
  const auto all = raw(row.next) - raw(row.first);
  if (raw(first) <= raw(row.first))
    return {row.bytes, all};
  if (raw(first) >= raw(row.next))
    return {};
  const auto left = raw(row.next) - raw(first);
  const auto share = static_cast<double>(left) / static_cast<double>(all);
  return {
    static_cast<std::uint64_t>(static_cast<double>(row.bytes) * share), left};
}

} // namespace

result<segment_summary>
merge_segments(disk& disk,
               const std::vector<std::shared_ptr<const segment>>& sources,
               const std::string& directory, const segment_config& config,
               const kept_from& kept, const std::function<bool()>& cancelled) {
  TORPOR_ASSERT(!sources.empty());
  const auto path = directory + "/" + segment_file_name(config.number);
  auto writer = segment_writer::create(disk, path, config);
  if (!writer)
    return tl::unexpected{writer.error()};
  auto merged = segment_merger{sources, *writer, kept, cancelled}
                  .run()
                  .and_then([&] { return writer->finish(); });
  const auto name = [&] { return disk.sync_directory(directory); };
  if (merged)
    if (auto named = in_step(safety_step::segment_name_sync, name); !named)
      merged = tl::unexpected{named.error()};
  if (!merged) // Best effort: the next opening removes what is left.
    static_cast<void>(disk.unlink(path));
  return merged;
}

result<live_part> find_live(const std::shared_ptr<const segment>& from,
                            const kept_from& kept) {
  segment_row_scan rows{from};
  live_part all;
  for (;;) {
    const auto row = rows.next();
    if (!row)
      return tl::unexpected{row.error()};
    if (!*row)
      return all;
    const auto first = kept((*row)->stream);
    if (!first)
      return tl::unexpected{first.error()};
    if (!*first)
      continue;
    const auto part = find_live(**row, **first);
    all.bytes += part.bytes;
    all.entries += part.entries;
  }
}

} // namespace torpor
