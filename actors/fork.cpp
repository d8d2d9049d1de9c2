// SPDX-License-Identifier: Apache-2.0
#include "actors/fork.hpp"

#include "actors/engine.hpp"

#include <utility>

namespace torpor {

namespace {

/// Calls a function with a finished batch, then dies.
class then_sink final : public write_sink {
public:
  using function = std::function<void(write_batch&)>;
  explicit then_sink(function then) : then_(std::move(then)) {}

  void done(std::unique_ptr<write_batch> batch) override {
    const std::unique_ptr<then_sink> last{this};
    if (then_) // Else nobody wants to know.
      then_(*batch);
  }

private:
  function then_;
};

std::unique_ptr<write_batch> unpinning(const pin_of_fork& pin) {
  auto batch = std::make_unique<write_batch>();
  batch->unpin({pin.source, {}}, pin.number);
  return batch;
}

/// Pin the source, make the fork, and take the pin back if that was refused.
struct forking : std::enable_shared_from_this<forking> {
  forking(engine& where, fork_request what,
          std::function<void(result<write_outcome>)> then)
    : to(where), request(std::move(what)), done(std::move(then)) {}

  void submit(stream_ref stream, std::unique_ptr<write_batch> batch,
              void (forking::*then)(write_batch&)) {
    batch->sink(std::make_unique<then_sink>([self = shared_from_this(), then](
                                              write_batch& finished) {
                  ((*self).*then)(finished);
                }).release());
    to.submit(to.shard(stream), std::move(batch));
  }

  void start() {
    const stream_ref source{request.source, request.source_name};
    auto batch = std::make_unique<write_batch>();
    batch->pin(source, request.at, request.name);
    submit(source, std::move(batch), &forking::pinned);
  }

  void pinned(write_batch& batch) {
    const auto& outcome = batch.outcome(0);
    pin = {outcome.stream, outcome.producer, request.name};
    if (outcome.code != errc{}) {
      if (pin.source != stream_id{}) // It may come to be, on a full disk.
        settle();
      return done(tl::unexpected{batch.failure(0)});
    }
    request.how.origin.source = pin.source;
    request.how.origin.at = request.at;
    request.how.origin.pin = pin.number;
    auto making = std::make_unique<write_batch>();
    making->create(request.name, request.how);
    for (const auto& entry : request.entries)
      making->add(as_bytes(entry));
    submit({{}, request.name}, std::move(making), &forking::made);
  }

  /// From now on the pin may be doubted.
  void settle() {
    to.ask(to.shard({pin.source, {}}), [this_pin = pin](stream_table& table) {
      table.settle_pin(this_pin);
    });
  }

  void made(write_batch& batch) {
    settle();
    const auto code = batch.outcome(0).code;
    if (code == errc{})
      return done(batch.outcome(0));
    failure = batch.failure(0);
    // These say that nobody knows: the fork may come to be, and needs its pin. One
    // too many is found when it is doubted.
    if (code == errc::io_failed || code == errc::shut_down)
      return done(tl::unexpected{failure});
    submit({pin.source, {}}, unpinning(pin), &forking::unpinned);
  }

  void unpinned(write_batch&) {
    done(tl::unexpected{failure});
  }

  engine& to;
  fork_request request;
  std::function<void(result<write_outcome>)> done;
  pin_of_fork pin;
  error failure;
};

} // namespace

void fork(engine& to, fork_request request,
          std::function<void(result<write_outcome>)> done) {
  std::make_shared<forking>(to, std::move(request), std::move(done))->start();
}

void unpin(const roster& all, const pin_of_fork& pin) {
  auto batch = unpinning(pin);
  batch->sink(std::make_unique<then_sink>(nullptr).release());
  caf::anon_send(all.shard(pin.source), write_atom::value,
                 handoff<write_batch>{std::move(batch)});
}

void ask_for_fork(const std::shared_ptr<const roster>& all, pin_of_fork pin) {
  const auto shard = shard_of(pin.name,
                              static_cast<std::uint32_t>(all->shards.size()));
  caf::anon_send(all->shards[shard], ask_atom::value,
                 table_task{[all, asked = std::move(pin)](stream_table& table) {
                   if (!table.needs(asked))
                     unpin(*all, asked);
                 }});
}

} // namespace torpor
