// SPDX-License-Identifier: Apache-2.0
#include "server/durable_streams.hpp"

#include "server/stream_answer.hpp"
#include "server/stream_append.hpp"
#include "server/stream_create.hpp"
#include "server/stream_live.hpp"
#include "server/stream_path.hpp"
#include "server/stream_read.hpp"

namespace torpor {

namespace {

namespace http = boost::beast::http;

} // namespace

durable_streams::durable_streams(io_loop& loop,
                                 std::unique_ptr<stream_store> store,
                                 stream_options options)
  : store_(std::move(store)),
    door_(loop, *store_, std::move(options)) {}

void durable_streams::handle(http_exchange& exchange) {
  const auto& request = exchange.request();
  if (request.method() == http::verb::options)
    return exchange.respond(preflight_answer());
  const auto stream = stream_name_of(path_of(target_of(request)));
  if (!stream)
    return exchange.respond(failure_answer(stream.error(), {}));
  if (reserved_name(*stream))
    return exchange.respond(not_offered(
      "subscriptions are not offered; follow streams with live=sse or "
      "live=long-poll"));
  switch (request.method()) {
    case http::verb::post: return append_to_stream(door_, exchange, *stream);
    case http::verb::get: return get(exchange, *stream);
    case http::verb::head: return describe_stream(door_, exchange, *stream);
    case http::verb::put: return create_stream(door_, exchange, *stream);
    case http::verb::delete_: return delete_stream(door_, exchange, *stream);
    default:
      const auto method = request.method_string();
      return exchange.respond(wrong_method({method.data(), method.size()}));
  }
}

void durable_streams::get(http_exchange& exchange, std::string_view stream) {
  const auto query = parse_query(target_of(exchange.request()));
  if (!query)
    return exchange.respond(failure_answer(query.error(), stream));
  switch (query->live) {
    case live_mode::none: return read_stream(door_, exchange, stream, *query);
    case live_mode::long_poll:
      return long_poll(door_, exchange, stream, *query);
    case live_mode::sse: return stream_events(door_, exchange, stream, *query);
  }
}

} // namespace torpor
