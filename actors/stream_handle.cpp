// SPDX-License-Identifier: Apache-2.0
#include "torpor/stream.hpp"

#include "actors/answer.hpp"
#include "actors/engine.hpp"
#include "actors/inquiry.hpp"
#include "actors/requests.hpp"

#include <atomic>

namespace torpor {

stream::stream(std::shared_ptr<torpor::engine> engine, std::string name)
  : shared_(std::make_shared<shared>()) {
  shared_->engine = std::move(engine);
  shared_->name = std::move(name);
}

const std::string& stream::name() const noexcept {
  return shared_->name;
}

stream_id stream::id() const noexcept {
  return stream_id{shared_->id.load(std::memory_order_relaxed)};
}

stream_ref stream::ref() const noexcept {
  return {id(), shared_->name};
}

/// Sends a write for this stream and remembers the id in its answer.
template <class T, class Fill, class Map>
std::future<result<T>> stream::write(Fill fill, Map map) const {
  return send_write<T>(*shared_->engine, ref(), fill,
                       [shared = shared_, map](const write_outcome& outcome) {
                         shared->id = raw(outcome.stream);
                         return map(outcome);
                       });
}

namespace {

append_result to_result(const write_outcome& outcome) {
  return {outcome.first, outcome.count, outcome.duplicate};
}

constexpr auto nothing = [](const write_outcome&) {};

} // namespace

std::future<result<append_result>>
stream::append(bytes_view payload, const append_options& how) const {
  return write<append_result>(
    [&](write_batch& batch) {
      batch.append(ref(), how);
      batch.add(payload);
    },
    to_result);
}

std::future<result<append_result>>
stream::append(const std::vector<new_entry>& entries,
               const append_options& how) const {
  return write<append_result>(
    [&](write_batch& batch) {
      batch.append(ref(), how);
      for (const auto& each : entries)
        batch.add(each.payload, each.properties);
    },
    to_result);
}

std::future<result<void>> stream::sync() const {
  return write<void>(
    [&](write_batch& batch) { batch.control(write_kind::sync, ref()); },
    nothing);
}

std::future<result<void>> stream::close() const {
  return write<void>(
    [&](write_batch& batch) { batch.control(write_kind::close, ref()); },
    nothing);
}

std::future<result<void>> stream::remove() const {
  return write<void>(
    [&](write_batch& batch) { batch.control(write_kind::remove, ref()); },
    nothing);
}

std::future<result<void>> stream::truncate(sequence before) const {
  return write<void>(
    [&](write_batch& batch) { batch.truncate(ref(), before); }, nothing);
}

std::future<result<void>>
stream::set_retention(const retention_policy& keep) const {
  return write<void>(
    [&](write_batch& batch) { batch.set_retention(ref(), keep); }, nothing);
}

std::future<result<void>> stream::set_policy(const sync_policy& policy) const {
  return write<void>(
    [&](write_batch& batch) { batch.set_policy(ref(), policy); }, nothing);
}

std::future<result<stream_info>> stream::info() const {
  auto reply = std::make_shared<answer<stream_info>>();
  auto ready = reply->future();
  inform(*shared_->engine, ref(),
         [reply, shared = shared_](result<stream_info> found) {
           if (found)
             shared->id = raw(found->id);
           reply->set(std::move(found));
         });
  return ready;
}

std::future<result<read_page>> stream::read(const read_options& options) const {
  auto sink = std::make_unique<read_promise>();
  auto answer = sink->promise.get_future();
  auto request = std::make_unique<read_request>();
  request->stream = id();
  request->name = shared_->name;
  request->options = options;
  request->sink = std::move(sink);
  shared_->engine->submit(std::move(request));
  return answer;
}

// -- follower -----------------------------------------------------------------

namespace {

std::atomic<std::uint64_t> last_ticket{0};

} // namespace

follower::follower(torpor::stream source, const read_options& options)
  : source_(std::move(source)), options_(options), ticket_(++last_ticket) {
  options_.wait = true;
}

std::future<result<read_page>> follower::next() {
  auto sink = std::make_unique<read_promise>();
  auto answer = sink->promise.get_future();
  auto request = std::make_unique<read_request>();
  request->stream = source_.id();
  request->name = source_.name();
  request->options = options_;
  request->ticket = ticket_;
  request->sink = std::move(sink);
  source_.shared_->engine->submit(std::move(request));
  return answer;
}

void follower::advance(const read_page& page) {
  options_.from = page.next_from;
  options_.from_time.reset();
}

void follower::cancel() {
  source_.shared_->engine->cancel(source_.ref(), ticket_);
}

} // namespace torpor
