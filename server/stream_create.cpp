// SPDX-License-Identifier: Apache-2.0
#include "server/stream_create.hpp"

#include "server/content_type.hpp"
#include "server/json_messages.hpp"
#include "server/stream_answer.hpp"
#include "server/stream_fork.hpp"
#include "server/stream_headers.hpp"
#include "server/stream_path.hpp"

#include <fmt/format.h>

namespace torpor {

namespace {

namespace http = boost::beast::http;

/// "http://host/v1/stream/name": what the client asked for, as a whole URL.
std::string location_of(const stream_door& door, const http_request& request) {
  const auto target = request.target();
  const auto path = path_of({target.data(), target.size()});
  const auto host = request[http::field::host];
  if (host.empty())
    return std::string{path};
  return fmt::format("{}://{}{}", door.options.tls ? "https" : "http",
                     std::string_view{host.data(), host.size()}, path);
}

/// The stream that is there has to be what was asked for.
http_response judge_existing(const create_plan& plan, const stream_info& info) {
  const auto type = info.content_type.empty()
                      ? default_type
                      : std::string_view{info.content_type};
  const auto differs = [&]() -> std::string_view {
    if (type != plan.how.content_type)
      return "content type";
    if (info.closed != plan.how.closes)
      return "closed state";
    if (info.retention.ttl_ms != plan.how.keep.ttl_ms)
      return "TTL";
    if (info.retention.expires_ms != plan.how.keep.expires_ms)
      return "expiry";
    if (plan.source != stream_id{}
        && (info.origin.source != plan.source
            || (info.origin.at != plan.at && !plan.any_place)
            || info.origin.sub != plan.how.origin.sub))
      return "origin";
    return {};
  }();
  if (!differs.empty())
    return failure_answer(
      {errc::already_exists,
       fmt::format("stream '{}' exists with another {}", plan.stream, differs)},
      plan.stream);
  auto made = answer(http::status::ok);
  made.set(http::field::content_type, std::string{type});
  set_place(made, info.next, info.closed);
  return made;
}

/// Answers a PUT with what became of its create.
void answer_created(stream_door& door, http_exchange& exchange,
                    const create_plan& plan,
                    const result<write_outcome>& outcome) {
  if (outcome) {
    auto made = answer(http::status::created);
    made.set(http::field::content_type, plan.how.content_type);
    made.set(http::field::location, location_of(door, exchange.request()));
    set_place(made, outcome->first + outcome->count, plan.how.closes);
    return exchange.respond(std::move(made));
  }
  if (outcome.error().code == errc::gone)
    return exchange.respond(failure_answer(
      {errc::already_exists, outcome.error().context}, plan.stream));
  if (outcome.error().code != errc::already_exists)
    return exchange.respond(failure_answer(outcome.error(), plan.stream));
  door.store.info(
    plan.stream, [&exchange, plan](const result<stream_info>& info) {
      if (info)
        return exchange.respond(judge_existing(plan, *info));
      auto why = info.error();
      if (why.code == errc::gone)
        why.code = errc::already_exists;
      else if (why.code == errc::not_found) // It was deleted in this moment.
        why = {errc::overloaded, "the stream is being deleted; retry"};
      exchange.respond(failure_answer(why, plan.stream));
    });
}

class create_waiter final : public write_waiter {
public:
  create_waiter(stream_door& door, http_exchange& exchange, create_plan plan)
    : door_(door),
      exchange_(exchange),
      plan_(std::move(plan)) {}

  void written(const write_batch& batch, std::size_t index) override {
    answer_created(door_, exchange_, plan_,
                   batch.outcome(index).code == errc{}
                     ? result<write_outcome>{batch.outcome(index)}
                     : tl::unexpected{batch.failure(index)});
  }

private:
  stream_door& door_;
  http_exchange& exchange_;
  create_plan plan_;
};

/// What the body brings to a stream of that type.
result<std::vector<std::string_view>> first_entries(std::string_view body,
                                                    std::string_view type) {
  if (body.empty())
    return std::vector<std::string_view>{};
  if (kind_of(type) == stream_kind::json)
    return json_messages(body);
  return std::vector<std::string_view>{body};
}

void create_fork(stream_door& door, http_exchange& exchange, create_plan plan,
                 fork_headers from) {
  const auto source = from.source;
  plan_fork(
    door, std::move(plan), std::move(from),
    [&door, &exchange, source](result<create_plan> planned) {
      if (!planned)
        return exchange.respond(failure_answer(planned.error(), source));
      const auto body = first_entries(exchange.request().body(),
                                      planned->how.content_type);
      if (!body)
        return exchange.respond(failure_answer(body.error(), planned->stream));
      fork_request request{planned->stream, {},           planned->source,
                           planned->at,     planned->how, {}};
      if (!planned->prefix.empty())
        request.entries.push_back(planned->prefix);
      request.entries.insert(request.entries.end(), body->begin(), body->end());
      door.store.fork(std::move(request),
                      [&door, &exchange, plan = std::move(*planned)](
                        const result<write_outcome>& outcome) {
                        answer_created(door, exchange, plan, outcome);
                      });
    });
}

} // namespace

void create_stream(stream_door& door, http_exchange& exchange,
                   std::string_view stream) {
  const auto refuse = [&](const error& why) {
    exchange.respond(failure_answer(why, stream));
  };
  auto given = parse_create(exchange.request());
  if (!given)
    return refuse(given.error());
  if (given->type == entries_type)
    return refuse({errc::invalid_argument,
                   fmt::format("a stream cannot be of type {}", entries_type)});
  create_plan plan;
  plan.stream = stream;
  plan.how.content_type = std::move(given->type);
  plan.how.closes = given->closes;
  plan.how.keep.ttl_ms = given->ttl_ms;
  plan.how.keep.expires_ms = given->expires_ms;
  if (given->fork)
    return create_fork(door, exchange, std::move(plan),
                       std::move(*given->fork));
  if (plan.how.content_type.empty())
    plan.how.content_type = default_type;
  const auto entries = first_entries(exchange.request().body(),
                                     plan.how.content_type);
  if (!entries)
    return refuse(entries.error());
  auto& batch = door.writes.batch_for(stream, *entries);
  batch.create(stream, plan.how);
  for (const auto each : *entries)
    batch.add(as_bytes(each));
  door.writes.wait(
    std::make_unique<create_waiter>(door, exchange, std::move(plan)));
}

} // namespace torpor
