// SPDX-License-Identifier: Apache-2.0
#include "server/operations.hpp"

#include "runtime/stream_name.hpp"
#include "server/http_error.hpp"
#include "server/io_loop.hpp"
#include "server/late_answer.hpp"
#include "server/metrics.hpp"
#include "server/percent.hpp"
#include "server/status_json.hpp"
#include "server/stream_answer.hpp"
#include "server/stream_path.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

namespace torpor {

namespace {

using boost::beast::http::field;
using boost::beast::http::status;

constexpr std::string_view streams_page = "/v1/streams";
constexpr std::size_t names_usual = 100;
constexpr std::size_t names_max = 1000;

http_response ok(std::string_view type, std::string body) {
  http_response answer{status::ok, 11};
  answer.set(field::content_type, type);
  answer.set(field::cache_control, "no-store");
  answer.body() = share(std::move(body));
  return answer;
}

http_response json(std::string body) {
  return ok("application/json", std::move(body));
}

http_response metrics(const server_facts& facts) {
  return ok("text/plain; version=0.0.4; charset=utf-8", metrics_text(facts));
}

http_response ready(const readiness& health) {
  if (health.ready())
    return json("{\"state\":\"ready\"}");
  return error_response(status::service_unavailable, health.state,
                        health.reason);
}

/// What a parameter of the query says; "" when it is not there, nullopt when it
/// cannot be decoded.
std::optional<std::string> parameter(std::string_view target,
                                     std::string_view wanted) {
  auto query = target.substr(std::min(path_of(target).size() + 1,
                                      target.size()));
  while (!query.empty()) {
    const auto part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    const auto sign = std::min(part.find('='), part.size());
    if (part.substr(0, sign) == wanted)
      return percent_decoded(part.substr(std::min(sign + 1, part.size())));
  }
  return std::string{};
}

/// What is asked for at /v1/streams. Errors: invalid_argument.
struct list_query {
  std::string prefix;
  std::string after;
  std::size_t limit = names_usual;
};

result<list_query> parse_list(std::string_view target) {
  list_query query;
  for (const auto& [name, into] : {std::pair{"prefix", &query.prefix},
                                   std::pair{"after", &query.after}}) {
    auto found = parameter(target, name);
    if (!found || (!found->empty() && !check_name(*found)))
      return fail(errc::invalid_argument,
                  fmt::format("{} is no beginning of a stream's name, "
                              "percent-encoded",
                              name));
    *into = std::move(*found);
  }
  const auto limit = parameter(target, "limit");
  if (limit && limit->empty())
    return query;
  const auto text = limit.value_or("none");
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, query.limit);
  if (read.ec != std::errc{} || read.ptr != end || query.limit < 1
      || query.limit > names_max)
    return fail(errc::invalid_argument,
                fmt::format("limit is no whole number from 1 to {}",
                            names_max));
  return query;
}

/// The stream that /v1/streams/NAME means, as the protocol would decode it.
result<std::string> name_at(std::string_view path) {
  return stream_name_of(fmt::format(
    "{}{}", stream_root, path.substr(streams_page.size() + 1)));
}

bool is_stream_page(std::string_view path) {
  return path.starts_with(streams_page) && path.size() > streams_page.size()
         && path[streams_page.size()] == '/';
}

} // namespace

readiness server_status::health() const {
  if (stopping)
    return {"stopping", "torpord is stopping; retry when it is back"};
  return store.health();
}

std::optional<page_right> operations::right_for(std::string_view target) {
  const auto path = path_of(target);
  if (path == "/metrics" || path == "/v1/stats")
    return page_right{access_verb::admin, {}};
  if (path == streams_page)
    return page_right{access_verb::read,
                      parameter(target, "prefix").value_or("")};
  if (is_stream_page(path)) {
    const auto name = name_at(path);
    return page_right{access_verb::read, name.value_or(""), name.has_value()};
  }
  return std::nullopt;
}

void operations::handle(http_exchange& exchange) {
  const auto& request = exchange.request();
  const auto path = path_of(target_of(request));
  const auto method = request.method();
  const auto known = path == "/healthz" || path == "/readyz" || path == "/ui"
                     || right_for(path);
  if (!known)
    return exchange.respond(error_response(
      status::not_found, "not_found",
      fmt::format("there is nothing at '{}'; streams lie below {}, and /ui "
                  "shows the server",
                  printable(path), stream_root)));
  if (method != boost::beast::http::verb::get
      && method != boost::beast::http::verb::head) {
    auto refusal = error_response(status::method_not_allowed,
                                  "method_not_allowed",
                                  "this page takes GET and HEAD");
    refusal.set(field::allow, "GET, HEAD, OPTIONS");
    return exchange.respond(std::move(refusal));
  }
  if (path == "/healthz")
    return exchange.respond(json("{\"state\":\"running\"}"));
  if (path == "/readyz")
    return exchange.respond(ready(status_.health()));
  if (path == "/ui")
    return exchange.respond(status_.page.answer(request));
  if (path == "/metrics")
    return tell(exchange, &metrics);
  if (path == "/v1/stats")
    return tell(exchange, [](const server_facts& facts) {
      return json(to_json(facts));
    });
  if (path == streams_page)
    return list(exchange);
  info(exchange);
}

/// Gathers the facts: the shards' part comes later, the rest when it is there.
void operations::tell(http_exchange& exchange,
                      std::function<http_response(const server_facts&)> make) {
  const late_answer later{exchange};
  auto& loop = exchange.loop();
  status_.store.stats([this, &loop, later, make = std::move(make)](
                        const runtime_stats& store) {
    later([this, &loop, make, store] {
      const auto& time = loop.time();
      server_facts facts;
      facts.health = status_.health();
      facts.store = store;
      facts.commits = status_.store.commits();
      facts.http = status_.metrics.total();
      facts.disk = status_.store.disk();
      facts.door = status_.door ? status_.door() : door_facts{};
      facts.started_ms = status_.started_ms;
      facts.now_ms = time.wall_ms();
      facts.uptime_ms = time.monotonic_ms() - status_.started_tick;
      return make(facts);
    });
  });
}

void operations::list(http_exchange& exchange) {
  const auto query = parse_list(target_of(exchange.request()));
  if (!query)
    return exchange.respond(error_response(status::bad_request,
                                           "invalid_argument",
                                           query.error().context));
  const late_answer later{exchange};
  // One more than is told says whether there are more.
  status_.store.list(query->prefix, query->after, query->limit + 1,
                     [later, limit = query->limit](
                       const result<stream_names>& found) {
                       later([found, limit] {
                         return found ? json(to_json(*found, limit))
                                      : failure_answer(found.error(), "");
                       });
                     });
}

void operations::info(http_exchange& exchange) {
  const auto name = name_at(path_of(target_of(exchange.request())));
  if (!name)
    return exchange.respond(error_response(status::bad_request,
                                           "invalid_argument",
                                           name.error().context));
  const late_answer later{exchange};
  status_.store.info(*name, [later, name = *name](
                              const result<stream_info>& found) {
    later([found, name] {
      return found ? json(to_json(*found)) : failure_answer(found.error(), name);
    });
  });
}

} // namespace torpor
