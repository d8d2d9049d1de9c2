// SPDX-License-Identifier: Apache-2.0
#include "cli/read_load.hpp"

#include "actors/engine.hpp"
#include "cli/bench.hpp"
#include "cli/interrupt.hpp"
#include "cli/load_generator.hpp"
#include "cli/process_stats.hpp"
#include "cli/stream_maker.hpp"

#include <algorithm>
#include <deque>
#include <numeric>

namespace torpor {

namespace {

constexpr std::uint64_t page_bytes = 1u << 20;
constexpr std::uint32_t page_entries = 1'000'000;
/// Streams that are read at once by `scan_all`.
constexpr std::size_t scans_at_once = 16;

/// Whose turn it is: the long stream comes as often as its entries need to be
/// spread evenly among those of all others. Threads: one owner.
class turns {
public:
  turns(const read_load& what, const std::vector<stream_id>& streams)
    : streams_{streams},
      others_{what.streams * what.entries},
      total_{others_ + what.long_entries()} {}

  /// The streams of the next entries, at most `count_max`; empty at the end.
  std::vector<stream_id> next(std::uint64_t count_max) {
    std::vector<stream_id> turn;
    for (; turn.size() < count_max && at_ < total_; ++at_)
      turn.push_back(is_long() ? streams_.back()
                               : streams_[other_++ % (streams_.size() - 1)]);
    return turn;
  }

private:
  [[nodiscard]] bool is_long() const {
    return other_ == others_
           || (at_ - other_) * others_ < other_ * (total_ - others_);
  }

  const std::vector<stream_id>& streams_;
  std::uint64_t others_;
  std::uint64_t total_;
  std::uint64_t at_ = 0;    ///< Entries so far.
  std::uint64_t other_ = 0; ///< Of them not of the long stream.
};

/// Words of two to nine letters that come again and again, and numbers.
std::string text_pool(std::size_t bytes) {
  quick_random random{1};
  std::vector<std::string> words(2000);
  for (auto& word : words)
    for (auto left = 2 + random.below(8); left > 0; --left)
      word += static_cast<char>('a' + random.below(26));
  std::string text;
  while (text.size() < bytes)
    text += (random.below(4) == 0 ? std::to_string(random.below(1u << 31))
                                  : words[random.below(words.size())])
            + ' ';
  text.resize(bytes);
  return text;
}

read_options page_from(sequence from) {
  read_options how;
  how.from = from;
  how.count_max = page_entries;
  how.bytes_max = page_bytes;
  return how;
}

std::uint64_t payload_of(const read_page& page) {
  return std::accumulate(page.entries.begin(), page.entries.end(),
                         std::uint64_t{0}, [](auto sum, const auto& entry) {
                           return sum + entry.payload.size();
                         });
}

/// A stream on its way through a scan.
struct open_scan {
  stream from;
  std::future<result<read_page>> page;
};

/// Reads streams, `at_once` of them at a time.
result<scan_figures> scan(const read_bench_store& store, std::uint64_t first,
                          std::uint64_t end) {
  const auto begin = steady::now();
  const auto cpu = read_process_stats().cpu_ns;
  scan_figures figures;
  std::deque<open_scan> open;
  while ((first < end || !open.empty()) && !interrupted()) {
    while (first < end && open.size() < scans_at_once) {
      auto from = store.stream(read_load_stream(first++));
      auto page = from.read(page_from({}));
      open.push_back({std::move(from), std::move(page)});
    }
    auto next = std::move(open.front());
    open.pop_front();
    const auto page = next.page.get();
    if (!page)
      return tl::unexpected{page.error()};
    figures.bytes += payload_of(*page);
    if (page->next_from == page->next)
      continue;
    next.page = next.from.read(page_from(page->next_from));
    open.push_front(std::move(next));
  }
  if (interrupted())
    return fail(errc::shut_down, "interrupted");
  figures.seconds = seconds_since(begin);
  figures.cpu_seconds
    = static_cast<double>(read_process_stats().cpu_ns - cpu) / 1e9;
  return figures;
}

/// Reads one entry and adds what it took.
result<void> read_point(const read_bench_store& store, std::uint64_t stream,
                        sequence entry, point_figures& into) {
  const auto from = store.stream(read_load_stream(stream));
  read_options how;
  how.from = entry;
  how.count_max = 1;
  store.counts().begin();
  const auto begin = steady::now();
  const auto page = from.read(how).get();
  const auto taken = steady::now() - begin;
  if (!page)
    return tl::unexpected{page.error()};
  const auto segments = store.counts().segments();
  // A look into a segment is one read of its index.
  const auto reads = store.counts().reads() - segments;
  into.times.record(static_cast<std::uint64_t>(
    std::chrono::duration_cast<std::chrono::nanoseconds>(taken).count()));
  into.segments += segments;
  into.segments_max = std::max(into.segments_max, segments);
  into.reads += reads;
  into.reads_max = std::max(into.reads_max, reads);
  return {};
}

} // namespace

std::uint64_t read_load::long_entries() const noexcept {
  return (long_mib << 20) / entry_bytes;
}

std::uint64_t read_load::total_bytes() const noexcept {
  return (streams * entries + long_entries()) * entry_bytes;
}

double scan_figures::mib_per_s() const noexcept {
  return static_cast<double>(bytes) / (1 << 20) / seconds;
}

std::string read_load_stream(std::uint64_t number) {
  return bench_stream(number);
}

std::string payload_pool(const std::string& kind, std::uint32_t entry_bytes) {
  const auto bytes = (std::size_t{4} << 20) + entry_bytes;
  return kind == "text" ? text_pool(bytes) : random_bytes(bytes);
}

result<void> fill(const read_load& what, engine& store) {
  const auto ids = make_streams(store, what.streams + 1, read_load_stream);
  if (!ids)
    return tl::unexpected{ids.error()};
  const auto pool = payload_pool(what.payload, what.entry_bytes);
  quick_random random{3};
  const auto payload = [&](std::uint64_t) {
    return as_bytes(pool).subspan(
      random.below(pool.size() - what.entry_bytes + 1), what.entry_bytes);
  };
  turns order{what, *ids};
  constexpr std::uint64_t turn_max = 1u << 18;
  for (auto turn = order.next(turn_max); !turn.empty();
       turn = order.next(turn_max)) {
    if (interrupted())
      return fail(errc::shut_down, "interrupted");
    if (auto done = append_to_each(store, turn, payload); !done)
      return done;
  }
  return {};
}

result<scan_figures> scan_all(const read_load& what,
                              const read_bench_store& store) {
  return scan(store, 0, what.streams + 1);
}

result<scan_figures> scan_long(const read_load& what,
                               const read_bench_store& store) {
  return scan(store, what.streams, what.streams + 1);
}

result<point_figures> read_points(const read_load& what,
                                  const read_bench_store& store,
                                  double seconds, bool cold) {
  point_figures figures;
  quick_random random{2};
  const auto begin = steady::now();
  do {
    if (cold)
      drop_page_cache(store.engine().opened().config.data_dir);
    const auto stream = random.below(what.streams);
    const sequence entry{random.below(what.entries)};
    if (auto done = read_point(store, stream, entry, figures); !done)
      return tl::unexpected{done.error()};
  } while (seconds_since(begin) < seconds && !interrupted());
  return figures;
}

} // namespace torpor
