// SPDX-License-Identifier: Apache-2.0
// Every bit of a segment is flipped, and it is cut off at every byte: what a
// whole store gives then, and what a merge makes of it.
#include "runtime/segment_files.hpp"
#include "runtime/segment_merge.hpp"
#include "runtime/segment_scan.hpp"
#include "runtime/store_identity.hpp"
#include "tests/damage/attempt.hpp"
#include "tests/damage/kinds.hpp"
#include "tests/support/simulated_disk.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace torpor::test {

namespace {

/// Streams in the first segment only, in both of them, in the second only, and
/// in none; a fork of one that is sealed, and a truncated one. Large entries,
/// which are nearly all the same letter, make some chunks of few bytes.
lived_store live() {
  life one{2};
  one.engine().config.journal.file_bytes = 256u << 10;
  one.open();
  const auto fill = [&](const std::string& name, std::uint64_t segments) {
    while (one.engine().state().next_segment <= segments)
      one.append(name, {20'000});
  };
  one.at_once([&] {
    for (const auto* name : {"both", "first", "forked", "truncated"})
      one.append(name, {30, 0, 1, 100, 7});
  });
  one.append("large", {70'000, 10});
  one.append("first", {66'000, 1});
  one.append("first", {66'000, 2});
  fill("fill a", 1);
  one.truncate("truncated", 3);
  one.fork("fork", "forked", 3);
  one.append("fork", {11, 22});
  one.append("both", {9, 8}, producer{"p", 0, 0});
  fill("fill b", 2);
  one.append("late", {1, 2, 3});
  one.close();
  return one.take();
}

/// A store with two segments, and what damage to one of them may cost.
/// Threads: any.
class segment_case {
public:
  segment_case(const lived_store& lived, std::uint64_t number);

  [[nodiscard]] std::string flip(std::uint64_t bit) const;
  [[nodiscard]] std::string cut(std::uint64_t bytes) const;

  [[nodiscard]] std::uint64_t bytes() const { return whole().size(); }
  [[nodiscard]] std::uint32_t chunks() const { return opened_->chunks(); }
  /// The bits of header, footer and trailer.
  [[nodiscard]] bool is_special(std::uint64_t bit) const {
    return bit / 8 < segment_head_bytes
           || bit / 8 >= opened_->page(opened_->pages()).offset;
  }

private:
  struct merged {
    std::optional<error> refused;
    std::string file; ///< Its bytes.
  };

  [[nodiscard]] const std::string& whole() const {
    return lived_.end().files.at(segment_file_);
  }
  [[nodiscard]] std::set<stream_id> touched(std::uint64_t byte) const;
  [[nodiscard]] std::string judge(const std::string& damaged,
                                  const std::set<stream_id>& touched) const;
  [[nodiscard]] std::string judge_merge(const store_image& files) const;
  [[nodiscard]] merged merge(const store_image& files) const;

  const lived_store& lived_;
  std::string segment_file_;
  std::shared_ptr<catalog> records_;
  catalog_state state_;
  store_id id_{};
  simulated_disk disk_{1};
  std::shared_ptr<const segment> opened_;
  std::vector<segment_row> rows_;
  std::vector<std::uint32_t> pages_; ///< Of each row.
  store_reading truth_;
  merged sound_;
};

segment_case::segment_case(const lived_store& lived, std::uint64_t number)
  : lived_(lived), segment_file_("segments/" + segment_file_name(number)),
    records_(lived.records_at(lived.end())),
    state_(*records_->state()),
    truth_(must_read(lived.config, records_, lived.end().files)) {
  if (auto wrong = compare(lived, truth_); !wrong.empty())
    throw std::runtime_error{wrong};
  if (state_.segments.size() != 2)
    throw std::runtime_error{"there are not two segments"};
  const auto& directory = lived.config.data_dir;
  put_image(lived.end().files, disk_, directory);
  id_ = read_identity(disk_, identity_path(directory)).value();
  opened_ = segment::open(disk_, directory + "/" + segment_file_, id_).value();
  segment_row_scan scan{opened_};
  while (const auto row = scan.next().value()) {
    rows_.push_back(*row);
    pages_.push_back(scan.page());
  }
  sound_ = merge(lived.end().files);
  if (sound_.refused || opened_->chunks() < 4)
    throw std::runtime_error{"the segments cannot be merged, or are too small"};
}

/// Streams of the part of the file that has the byte.
std::set<stream_id> segment_case::touched(std::uint64_t byte) const {
  std::set<stream_id> all;
  const auto has = [byte](auto begin, auto end) {
    return byte >= begin && byte < end;
  };
  const auto chunks_end = opened_->chunk(opened_->chunks()).offset;
  const auto pages_end = opened_->page(opened_->pages()).offset;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const auto& row = rows_[i];
    const auto page = pages_[i];
    if (!has(segment_head_bytes, pages_end)
        || has(opened_->chunk(row.chunk).offset,
               opened_->chunk(row.chunk + row.chunks).offset)
        || (byte >= chunks_end
            && has(opened_->page(page).offset, opened_->page(page + 1).offset)))
      all.insert(row.stream);
  }
  return with_forks(truth_, all);
}

std::string segment_case::judge(const std::string& damaged,
                                const std::set<stream_id>& touched) const {
  auto files = lived_.end().files;
  files.at(segment_file_) = damaged;
  const auto got = try_to_read(lived_.config, records_, files, access::write);
  if (got.refused) // Segments are opened when they are read.
    return "refused: " + to_string(*got.refused);
  const auto same = compare(truth_, got.found);
  if (!same.wrong.empty())
    return same.wrong;
  if (same.refused.empty())
    return "nobody sees the damage";
  for (const auto id : same.refused)
    if (!touched.contains(id))
      return fmt::format("stream '{}' is refused and not damaged",
                         truth_.streams.at(id).name);
  return judge_merge(files);
}

/// Damage ends it, or what it makes is what it makes of sound sources.
std::string segment_case::judge_merge(const store_image& files) const {
  const auto got = merge(files);
  if (!got.refused)
    return got.file == sound_.file ? "" : "a merge has made it right";
  const auto named = got.refused->context.find(segment_file_);
  if (got.refused->code != errc::corrupt || named == std::string::npos)
    return "a merge: " + to_string(*got.refused);
  return got.file.empty() ? "" : "a merge has left a file";
}

segment_case::merged segment_case::merge(const store_image& files) const {
  simulated_disk medium{1};
  put_image(files, medium, lived_.config.data_dir);
  const auto directory = segment_directory(lived_.config.data_dir);
  merged made;
  std::vector<std::shared_ptr<const segment>> sources;
  for (const auto& each : state_.segments) {
    auto opened = segment::open(
      medium, directory + "/" + segment_file_name(each.number), id_);
    if (!opened)
      return {opened.error(), {}};
    sources.push_back(std::move(*opened));
  }
  const segment_config config{id_, 99, state_.segments.front().journal_first,
                              state_.segments.back().journal_last};
  const auto done = merge_segments(
    medium, sources, directory, config,
    [](stream_id) { return std::optional{sequence{}}; }, [] { return false; });
  if (!done)
    made.refused = done.error();
  auto left = take_image(medium, lived_.config.data_dir);
  made.file = left["segments/" + segment_file_name(99)];
  return made;
}

std::string segment_case::flip(std::uint64_t bit) const {
  auto damaged = whole();
  damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
  return judge(damaged, touched(bit / 8));
}

std::string segment_case::cut(std::uint64_t bytes) const {
  return judge(whole().substr(0, bytes), touched(0));
}

} // namespace

bool damage_segment(const effort& how) {
  const auto lived = live();
  for (const std::uint64_t number : {1, 2}) {
    const segment_case one{lived, number};
    const auto name = fmt::format("segment {}", number);
    fmt::print("{}: {} bytes, {} chunks\n", name, one.bytes(), one.chunks());
    const case_series flips{
      name + ", bits", one.bytes() * 8, [&](auto bit) { return one.flip(bit); },
      [&](auto bit) { return how.only == 0 && one.is_special(bit); }};
    const case_series cuts{name + ", cuts", one.bytes(),
                        [&](auto bytes) { return one.cut(bytes); }, {}};
    if (!run(flips, how) || !run(cuts, how))
      return false;
  }
  return true;
}

} // namespace torpor::test
