// SPDX-License-Identifier: Apache-2.0
#include "torpor/runtime.hpp"

#include "actors/answer.hpp"
#include "actors/engine.hpp"
#include "actors/fork.hpp"
#include "actors/requests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

namespace torpor {

namespace {

result<std::shared_ptr<engine>> start(options given, engine::place where) {
  auto checked = validate(std::move(given));
  if (!checked)
    return tl::unexpected{checked.error()};
  auto opened = store::open(std::move(*checked), environment::real(),
                            access::write);
  if (!opened)
    return tl::unexpected{opened.error()};
  return engine::start(std::move(*opened), where);
}

/// Puts the shards' parts of a listing together; answers when the last part
/// is there.
class merged_list {
public:
  using names = std::vector<std::pair<std::string, stream_id>>;

  explicit merged_list(std::size_t shards, std::size_t count_max)
    : missing_(shards), count_max_(count_max) {}

  ~merged_list() {
    if (failure_)
      whole.set(tl::unexpected{*failure_});
    if (missing_ > 0)
      return;
    std::sort(all_.begin(), all_.end());
    if (all_.size() > count_max_)
      all_.resize(count_max_);
    whole.set(std::move(all_));
  }

  void add(result<names> part) {
    const std::lock_guard guard{mutex_};
    --missing_;
    if (!part)
      failure_ = part.error();
    else
      all_.insert(all_.end(), part->begin(), part->end());
  }

  answer<names> whole;

private:
  std::mutex mutex_;
  std::size_t missing_;
  std::size_t count_max_;
  names all_;
  std::optional<error> failure_;
};

} // namespace

runtime::runtime(std::shared_ptr<torpor::engine> engine)
  : engine_(std::move(engine)) {}

runtime::runtime(runtime&&) noexcept = default;

runtime& runtime::operator=(runtime&& other) noexcept {
  close();
  engine_ = std::move(other.engine_);
  return *this;
}

runtime::~runtime() {
  close();
}

result<runtime> runtime::open(options given) {
  return start(std::move(given), {}).map([](auto engine) {
    return runtime{std::move(engine)};
  });
}

result<runtime> runtime::open(options given, caf::actor_system& host) {
  return start(std::move(given), {&host, true}).map([](auto engine) {
    return runtime{std::move(engine)};
  });
}

void runtime::close() {
  if (!engine_ || engine_->stopping())
    return;
  std::promise<void> ended;
  engine_->stop([&ended] { ended.set_value(); });
  ended.get_future().wait();
  engine_->join();
}

stream runtime::stream(std::string name) const {
  return {engine_, std::move(name)};
}

std::future<result<stream_id>> runtime::create(std::string name,
                                               const create_options& how) {
  return send_write<stream_id>(
    *engine_, {{}, name},
    [&](write_batch& batch) { batch.create(name, how); },
    [](const write_outcome& outcome) { return outcome.stream; });
}

std::future<result<stream_id>> runtime::fork(std::string name,
                                             stream_ref source, sequence at,
                                             const create_options& how) {
  auto made = std::make_shared<answer<stream_id>>();
  auto ready = made->future();
  fork_request request{std::move(name), std::string{source.name}, source.id, at,
                       how,             {}};
  // Its own content type is that of its source: which has to be asked for.
  engine_->ask(
    engine_->shard(source),
    [made, to = engine_.get(), wanted = std::move(request)](
      stream_table& table) mutable {
      const auto known = table.info({wanted.source, wanted.source_name});
      if (!known)
        return made->set(tl::unexpected{known.error()});
      auto& type = wanted.how.content_type;
      if (!type.empty() && type != known->content_type)
        return made->set(
          fail(errc::mismatch,
               fmt::format("'{}' cannot be forked as '{}': its content type is "
                           "'{}'",
                           known->name, type, known->content_type)));
      type = known->content_type;
      torpor::fork(*to, std::move(wanted), [made](result<write_outcome> forked) {
        made->set(forked.map([](const write_outcome& outcome) {
          return outcome.stream;
        }));
      });
    });
  return ready;
}

std::future<result<std::vector<std::pair<std::string, stream_id>>>>
runtime::list(std::string prefix, std::string after, std::size_t count_max) {
  constexpr std::size_t count_most = 100'000;
  auto merged = std::make_shared<merged_list>(engine_->shards(), count_max);
  auto ready = merged->whole.future();
  if (count_max == 0 || count_max > count_most) {
    merged->add(fail(errc::invalid_argument,
                     fmt::format("a list of {} streams was asked for, "
                                 "expected 1 to {}",
                                 count_max, count_most)));
    return ready;
  }
  for (std::uint32_t shard = 0; shard < engine_->shards(); ++shard)
    engine_->ask(shard, [merged, prefix, after,
                         count_max](stream_table& table) {
      merged->add(table.records().list(prefix, after, count_max));
    });
  return ready;
}

std::future<result<void>> runtime::sync() {
  auto all = std::make_shared<sync_round>(engine_->shards());
  for (std::uint32_t shard = 0; shard < engine_->shards(); ++shard)
    all->send(*engine_, shard);
  return all->promise.get_future();
}

std::future<result<void>> runtime::compact() {
  auto promise = std::make_shared<std::promise<result<void>>>();
  auto ready = promise->get_future();
  engine_->compact([promise](const result<void>& outcome) {
    promise->set_value(outcome);
  });
  return ready;
}

runtime_stats runtime::stats() const {
  return engine_->stats();
}

} // namespace torpor
