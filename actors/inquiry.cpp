// SPDX-License-Identifier: Apache-2.0
#include "actors/inquiry.hpp"

#include "actors/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>

namespace torpor {

namespace {

constexpr std::size_t count_most = 100'000;

/// Puts the shards' parts of a listing together; answers when the last part
/// is there, or dropped. Threads: any; guarded by mutex_.
class merged_list {
public:
  merged_list(std::size_t shards, std::size_t count_max,
              std::function<void(result<stream_names>)> done)
    : missing_(shards), count_max_(count_max), done_(std::move(done)) {}

  merged_list(const merged_list&) = delete;
  merged_list& operator=(const merged_list&) = delete;

  ~merged_list() { done_(whole()); }

  void add(result<stream_names> part) {
    const std::lock_guard guard{mutex_};
    --missing_;
    if (!part)
      failure_ = part.error();
    else
      all_.insert(all_.end(), part->begin(), part->end());
  }

private:
  result<stream_names> whole() {
    if (failure_)
      return tl::unexpected{*failure_};
    if (missing_ > 0)
      return fail(errc::shut_down, "the runtime is stopping");
    std::sort(all_.begin(), all_.end());
    if (all_.size() > count_max_)
      all_.resize(count_max_);
    return std::move(all_);
  }

  std::mutex mutex_;
  std::size_t missing_;
  std::size_t count_max_;
  stream_names all_;
  std::optional<error> failure_;
  std::function<void(result<stream_names>)> done_;
};

/// What shards say of a stream; shut_down when one was not asked.
struct told_info {
  stream_info known; ///< So far.
  result<stream_info> info = fail(errc::shut_down, "the runtime is stopping");
  std::function<void(result<stream_info>)> done;

  explicit told_info(std::function<void(result<stream_info>)> then)
    : done(std::move(then)) {}
  told_info(const told_info&) = delete;
  told_info& operator=(const told_info&) = delete;
  ~told_info() { done(std::move(info)); }
};

/// Goes from a fork to its source, and on, until nothing is in front.
void look_back(engine& of, const std::shared_ptr<told_info>& told,
               const result<stream_begin>& begin) {
  if (!begin) {
    told->info = tl::unexpected{begin.error()};
    return;
  }
  auto& first = told->known.first;
  first = std::min(first, begin->first);
  const auto source = begin->source;
  if (source == stream_id{}) {
    told->info = std::move(told->known);
    return;
  }
  of.ask(of.shard({source, {}}), [&of, told, source](stream_table& table) {
    look_back(of, told, table.begin(source));
  });
}

} // namespace

void list_streams(engine& of, const std::string& prefix,
                  const std::string& after, std::size_t count_max,
                  std::function<void(result<stream_names>)> done) {
  if (count_max == 0 || count_max > count_most)
    return done(fail(errc::invalid_argument,
                     fmt::format("a list of {} streams was asked for, "
                                 "expected 1 to {}",
                                 count_max, count_most)));
  const auto merged = std::make_shared<merged_list>(of.shards(), count_max,
                                                    std::move(done));
  for (std::uint32_t shard = 0; shard < of.shards(); ++shard)
    of.ask(shard, [merged, prefix, after, count_max](stream_table& table) {
      merged->add(table.records().list(prefix, after, count_max,
                                        listing::living));
    });
}

void inform(engine& of, stream_ref stream,
            std::function<void(result<stream_info>)> done) {
  const auto told = std::make_shared<told_info>(std::move(done));
  of.ask(of.shard(stream), [&of, told, id = stream.id,
                            name = std::string{stream.name}](
                             stream_table& table) {
    auto known = table.info({id, name});
    if (!known) {
      told->info = std::move(known);
      return;
    }
    told->known = std::move(*known);
    look_back(of, told, table.begin(told->known.id));
  });
}

} // namespace torpor
