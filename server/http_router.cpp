// SPDX-License-Identifier: Apache-2.0
#include "server/http_router.hpp"

#include "runtime/stream_name.hpp"
#include "server/http_error.hpp"
#include "server/io_loop.hpp"
#include "server/stream_headers.hpp"
#include "server/stream_path.hpp"

#include <fmt/format.h>

#include <utility>

namespace torpor {

namespace {

namespace http = boost::beast::http;
using http::status;
using http::verb;

std::string_view view(boost::beast::string_view text) noexcept {
  return {text.data(), text.size()};
}

access_verb verb_of(verb method) noexcept {
  switch (method) {
    case verb::get:
    case verb::head: return access_verb::read;
    case verb::put:
    case verb::post: return access_verb::append;
    default: return access_verb::admin;
  }
}

/// Whether the query asks to follow a stream, in any way.
bool is_live(const http_request& request) {
  const auto target = target_of(request);
  const auto query = target.substr(path_of(target).size());
  return request.method() == verb::get
         && (query.find("?live=") != query.npos
             || query.find("&live=") != query.npos);
}

http_response unauthorized() {
  auto answer = error_response(
    status::unauthorized, "unauthorized",
    "a token is needed that this server knows: send 'Authorization: Bearer "
    "TOKEN'; 'torpor token' makes tokens");
  answer.set(http::field::www_authenticate, "Bearer realm=\"torpor\"");
  return answer;
}

http_response forbidden(access_verb verb) {
  return error_response(
    status::forbidden, "forbidden",
    fmt::format("the token does not allow this; it needs the verb {} for a "
                "prefix that fits, or * for the whole server",
                to_string(verb)));
}

} // namespace

http_router::http_router(http_door& door,
                         std::unique_ptr<http_handler> protocol)
  : door_(door),
    counts_(door.metrics.add_loop()),
    pages_(door.status),
    protocol_(std::move(protocol)) {
  if (door.access != nullptr)
    access_.emplace(*door.access);
}

void http_router::handle(http_exchange& exchange) {
  const auto& request = exchange.request();
  const auto stream = target_of(request).starts_with(stream_root);
  // It deletes itself.
  auto& counted = *new counted_exchange{
    exchange, counts_, {stream, stream && is_live(request)}};
  // A browser asks so before it sends the token; any path is answered alike.
  if (request.method() == verb::options)
    return protocol_->handle(counted);
  if (stream)
    return handle_stream(counted);
  handle_page(counted);
}

/// Neither pages nor preflights look at a body. Who has no right to a stream is
/// told so at once; all others are judged again when the body is there.
bool http_router::wants_body(http_exchange& exchange) {
  const auto& request = exchange.request();
  if (!target_of(request).starts_with(stream_root)
      || request.method() == verb::options) {
    handle(exchange);
    return false;
  }
  if (!access_)
    return true;
  auto refusal = refuse_stream(request,
                               stream_name_of(path_of(target_of(request))));
  if (!refusal)
    return true;
  auto& counted = *new counted_exchange{
    exchange, counts_, {true, is_live(request)}};
  counted.respond(std::move(*refusal));
  return false;
}

/// Which method it was meant to be is not known, or does not matter.
void http_router::refused(const http_response& answer) {
  counts_.request(verb::unknown, answer.result_int());
  counts_.error(error_code_of(answer));
}

void http_router::handle_stream(counted_exchange& exchange) {
  if (!access_ && !door_.limiter.limits())
    return protocol_->handle(exchange);
  const auto& request = exchange.request();
  // The same decoding as the protocol's, or rights would be for another name.
  const auto name = stream_name_of(path_of(target_of(request)));
  if (access_)
    if (auto refusal = refuse_stream(request, name))
      return exchange.respond(std::move(*refusal));
  if (name && door_.limiter.limits())
    if (auto refusal = hold(exchange, *name))
      return exchange.respond(std::move(*refusal));
  protocol_->handle(exchange);
}

/// A name that is none is the protocol's to complain of, to who has a token.
std::optional<http_response>
http_router::refuse_stream(const http_request& request,
                           const result<std::string>& name) {
  const auto verb = verb_of(request.method());
  if (name) {
    if (auto refusal = refuse_name(request, verb, *name))
      return refusal;
    return refuse_sources(request);
  }
  const auto found = access_->list().judge(
    view(request[http::field::authorization]), verb, "");
  return found == verdict::unauthorized ? std::optional{unauthorized()}
                                        : std::nullopt;
}

/// Who makes a fork reads its source.
std::optional<http_response>
http_router::refuse_sources(const http_request& request) {
  const auto [begin, end] = request.equal_range(boost::beast::string_view{
    field::forked_from.data(), field::forked_from.size()});
  for (auto at = begin; at != end; ++at)
    if (const auto name = stream_name_of(view(at->value())))
      if (auto refusal = refuse_name(request, access_verb::read, *name))
        return refusal;
  return std::nullopt;
}

std::optional<http_response>
http_router::refuse_name(const http_request& request, access_verb verb,
                         std::string_view name) {
  switch (access_->list().judge(view(request[http::field::authorization]), verb,
                                name)) {
    case verdict::allowed: return std::nullopt;
    case verdict::unauthorized: return unauthorized();
    case verdict::hidden: return no_such_stream(name);
    case verdict::forbidden: break;
  }
  return forbidden(verb);
}

/// Refuses what is more than the tenant's rate.
std::optional<http_response> http_router::hold(counted_exchange& exchange,
                                               const std::string& name) {
  auto tenant = name.substr(0, name.find('/'));
  const auto wait = door_.limiter.admit(tenant,
                                        exchange.request().body().size(),
                                        exchange.loop().now_ms());
  if (wait == 0) {
    exchange.charge_to(door_.limiter, std::move(tenant));
    return std::nullopt;
  }
  auto answer = error_response(
    status::too_many_requests, "rate_limited",
    fmt::format("tenant '{}' has used up its rate; retry in {} s",
                printable(tenant), wait));
  answer.set(http::field::retry_after, fmt::to_string(wait));
  return answer;
}

void http_router::handle_page(counted_exchange& exchange) {
  const auto& request = exchange.request();
  const auto right = access_ ? operations::right_for(target_of(request))
                             : std::nullopt;
  if (!right)
    return pages_.handle(exchange);
  switch (access_->list().judge(view(request[http::field::authorization]),
                                right->verb, right->name)) {
    case verdict::allowed: return pages_.handle(exchange);
    case verdict::unauthorized: return exchange.respond(unauthorized());
    case verdict::hidden:
      if (right->stream)
        return exchange.respond(no_such_stream(right->name));
      break;
    case verdict::forbidden: break;
  }
  exchange.respond(forbidden(right->verb));
}

} // namespace torpor
