// SPDX-License-Identifier: Apache-2.0
#include "bench/catalog_bench.hpp"

#include "runtime/catalog.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <vector>

#include <malloc.h>
#include <unistd.h>

#include <fmt/format.h>

namespace torpor::bench {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t finds = 100'000;
constexpr std::uint64_t sample = 100'000;
constexpr std::size_t page_names = 1'000;

/// Seconds that `work` takes; its error stands.
template <class Work>
result<double> time(Work work) {
  const auto start = std::chrono::steady_clock::now();
  if (auto done = work(); !done)
    return tl::unexpected{std::move(done.error())};
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now()
                                              - start;
  return taken.count();
}

/// As streams get their ids: all slots in turn.
stream_id id_of(std::uint64_t stream) {
  return stream_id{((stream >> 8) + 1) << 8 | (stream & 255)};
}

/// 20 bytes. Neighbours in the order of names are not neighbours by id.
std::string name_of(std::uint64_t stream) {
  return fmt::format("t{:04}/stream-{:07}", stream * 7919 % 10'000, stream);
}

catalog_change change_of(std::uint64_t stream, std::uint64_t next) {
  stream_record record;
  record.name = name_of(stream);
  record.next = sequence{next};
  record.last_ms = 1'785'000'000'000;
  return {id_of(stream), std::move(record)};
}

/// The first `count` streams of `order`, sorted by id.
std::vector<catalog_change> changes_of(const std::vector<std::uint32_t>& order,
                                       std::uint64_t count,
                                       std::uint64_t next) {
  std::vector<catalog_change> changes;
  changes.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i)
    changes.push_back(change_of(order[i], next));
  std::sort(changes.begin(), changes.end(),
            [](auto& left, auto& right) { return left.id < right.id; });
  return changes;
}

std::uint64_t resident_kb() {
  std::uint64_t pages = 0;
  std::ifstream{"/proc/self/statm"} >> pages >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) >> 10;
}

result<void> find_ids(catalog_reader& reader,
                      const std::vector<std::uint32_t>& order) {
  for (std::uint64_t i = 0; i < finds; ++i) {
    const auto found = reader.find(id_of(order[i % order.size()]));
    if (!found)
      return tl::unexpected{found.error()};
  }
  return {};
}

/// The names are made beforehand.
result<void> find_names(catalog_reader& reader,
                        const std::vector<std::string>& names) {
  for (const auto& name : names)
    if (const auto found = reader.find(name); !found)
      return tl::unexpected{found.error()};
  return {};
}

result<void> list_all(catalog_reader& reader) {
  std::string after;
  for (;;) {
    const auto page = reader.list("", after, page_names, 0, 1);
    if (!page)
      return tl::unexpected{page.error()};
    if (page->empty())
      return {};
    after = page->back().first;
  }
}

/// The steps, in the order in which they must run.
class catalog_run {
public:
  catalog_run(std::string directory, std::uint64_t streams)
    : directory_{std::move(directory)},
      order_(streams) {
    for (std::uint32_t i = 0; i < order_.size(); ++i)
      order_[i] = i;
    std::shuffle(order_.begin(), order_.end(), std::mt19937_64{1});
    figures.streams = streams;
  }

  result<void> run() {
    return open()
      .and_then([&] { return write(); })
      .and_then([&] { return reopen(); })
      .and_then([&] { return look_up(); });
  }

  catalog_bench_result figures{};

private:
  result<void> open() {
    auto opened = open_lmdb_catalog(directory_, catalog_access::create);
    if (!opened)
      return tl::unexpected{std::move(opened.error())};
    catalog_ = std::move(*opened);
    return {};
  }

  result<double> timed_update(std::uint64_t count, std::uint64_t next) {
    auto changes = changes_of(order_, count, next);
    return time([&] { return catalog_->update(changes, std::nullopt); });
  }

  result<void> write() {
    const auto streams = static_cast<double>(order_.size());
    return timed_update(order_.size(), 0)
      .map([&](double s) { figures.create_ns = s * 1e9 / streams; })
      .and_then([&] {
        figures.bytes_per_stream = static_cast<double>(
                                     fs::file_size(directory_ + "/data.mdb"))
                                   / streams;
        return timed_update(std::min<std::uint64_t>(sample, order_.size()),
                            100);
      })
      .map([&](double s) { figures.update_100k_s = s; })
      .and_then([&] { return timed_update(order_.size(), 200); })
      .map([&](double s) { figures.update_all_s = s; });
  }

  result<void> reopen() {
    catalog_.reset();
    ::malloc_trim(0);
    const auto before = resident_kb();
    return time([&] { return open(); }).map([&](double s) {
      figures.open_ms = s * 1e3;
      figures.open_kb = resident_kb() - before;
    });
  }

  result<void> look_up() {
    const auto reader = catalog_->reader();
    const auto before = resident_kb();
    const auto per_find = [](double s) { return s * 1e9 / finds; };
    std::vector<std::string> names;
    return find_ids(*reader, order_) // Maps the pages.
      .and_then([&] {
        figures.finds_kb = resident_kb() - before;
        return time([&] { return find_ids(*reader, order_); });
      })
      .map([&](double s) {
        figures.find_id_ns = per_find(s);
        for (std::uint64_t i = 0; i < finds; ++i)
          names.push_back(name_of(order_[i % order_.size()]));
      })
      .and_then([&] { return find_names(*reader, names); })
      .and_then(
        [&] { return time([&] { return find_names(*reader, names); }); })
      .map([&](double s) { figures.find_name_ns = per_find(s); })
      .and_then([&] { return time([&] { return list_all(*reader); }); })
      .map([&](double s) {
        figures.list_ns = s * 1e9 / static_cast<double>(order_.size());
      });
  }

  std::string directory_;
  std::vector<std::uint32_t> order_;
  std::unique_ptr<catalog> catalog_;
};

} // namespace

result<catalog_bench_result> run_catalog_bench(const std::string& directory,
                                               std::uint64_t streams) {
  result<void> done;
  catalog_bench_result figures{};
  {
    catalog_run run{directory, streams};
    done = run.run();
    figures = run.figures;
  }
  std::error_code ignored;
  fs::remove_all(directory, ignored);
  return done.map([&] { return figures; });
}

} // namespace torpor::bench
