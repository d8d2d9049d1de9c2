// SPDX-License-Identifier: Apache-2.0
#include "torpor/runtime.hpp"

#include "actors/answer.hpp"
#include "actors/engine.hpp"
#include "actors/fork.hpp"
#include "actors/inquiry.hpp"
#include "actors/requests.hpp"
#include "runtime/process_limits.hpp"

#include <fmt/format.h>

#include <memory>

namespace torpor {

namespace {

/// Whether the process may have what an engine takes, before anything is touched.
result<void> check_process(const options& checked, engine::place where) {
  if (auto fits = check_address_space(address_space_max()); !fits)
    return fits;
  if (where.host != nullptr) // Its pool runs already. Sealer and merger:
    return check_threads(2, "a store", "the host's number of threads");
  // These two, CAF's clock and CAF's printer.
  return check_threads(checked.pool.workers + 4, "a store", "pool.workers");
}

result<std::shared_ptr<engine>> start(options given, engine::place where) {
  auto checked = validate(std::move(given));
  if (!checked)
    return tl::unexpected{checked.error()};
  if (auto fits = check_process(*checked, where); !fits)
    return tl::unexpected{fits.error()};
  auto opened = store::open(std::move(*checked), environment::real(),
                            access::write);
  if (!opened)
    return tl::unexpected{opened.error()};
  return engine::start(std::move(*opened), where);
}

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
  auto made = std::make_shared<std::promise<result<stream_id>>>();
  auto ready = made->get_future();
  fork_request request{std::move(name), std::string{source.name}, source.id, at,
                       how,             {}};
  // Its content type is that of its source: which has to be asked for.
  inform(*engine_, source,
         [made, to = engine_.get(),
          wanted = std::move(request)](result<stream_info> known) mutable {
           if (!known)
             return made->set_value(tl::unexpected{known.error()});
           auto& type = wanted.how.content_type;
           if (!type.empty() && type != known->content_type)
             return made->set_value(fail(
               errc::mismatch,
               fmt::format("'{}' cannot be forked as '{}': its content type is "
                           "'{}'",
                           known->name, type, known->content_type)));
           type = known->content_type;
           torpor::fork(*to, std::move(wanted),
                        [made](const result<write_outcome>& forked) {
                          made->set_value(
                            forked.map([](const write_outcome& outcome) {
                              return outcome.stream;
                            }));
                        });
         });
  return ready;
}

std::future<result<std::vector<std::pair<std::string, stream_id>>>>
runtime::list(std::string prefix, std::string after, std::size_t count_max) {
  auto promise = std::make_shared<std::promise<result<stream_names>>>();
  auto ready = promise->get_future();
  list_streams(*engine_, prefix, after, count_max,
               [promise](result<stream_names> names) {
                 promise->set_value(std::move(names));
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
