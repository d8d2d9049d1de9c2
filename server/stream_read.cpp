// SPDX-License-Identifier: Apache-2.0
#include "server/stream_read.hpp"

#include "runtime/stream_name.hpp"
#include "server/content_type.hpp"
#include "server/etag.hpp"
#include "server/page_body.hpp"
#include "server/stream_answer.hpp"
#include "server/stream_headers.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <utility>

namespace torpor {

namespace {

namespace http = boost::beast::http;

/// Enough for any page of small entries; bounds what their views take.
constexpr std::uint32_t page_entries_max = 1u << 16;

std::unique_ptr<read_request> request_for(const stream_door& door,
                                          std::string stream,
                                          const stream_offset& from) {
  auto request = std::make_unique<read_request>();
  request->name = std::move(stream);
  request->options.from = from.where == stream_offset::place::start
                            ? read_options::oldest
                            : from.at;
  request->options.tail = from.where == stream_offset::place::now;
  request->options.count_max = page_entries_max;
  request->options.bytes_max = door.options.read_bytes_max;
  return request;
}

/// Answers who asked for an offset that was not in the stream. What was beyond
/// its end a moment ago may be there by now, and is not gone.
void explain_range(stream_door& door, const std::string& stream,
                   sequence wanted,
                   std::function<void(result<read_page>)> then) {
  door.store.info(stream, [stream, wanted, then = std::move(then)](
                            const result<stream_info>& info) {
    if (!info)
      return then(tl::unexpected{info.error()});
    if (wanted >= info->first)
      return then(fail(errc::invalid_argument,
                       fmt::format("the offset is beyond the end of stream "
                                   "'{}'",
                                   printable(stream))));
    then(fail(errc::out_of_range,
              fmt::format("stream '{}' does not have what was at that offset "
                          "any more; offset=-1 begins with what it has",
                          printable(stream))));
  });
}

std::uint64_t payload_bytes(const read_page& page) {
  std::uint64_t bytes = 0;
  for (const auto& each : page.entries)
    bytes += each.payload.size();
  return bytes;
}

void add_to(read_page& page, read_page more) {
  page.entries.insert(page.entries.end(), more.entries.begin(),
                      more.entries.end());
  std::move(more.buffers.begin(), more.buffers.end(),
            std::back_inserter(page.buffers));
  page.next_from = more.next_from;
  page.next = more.next;
  page.closed = more.closed;
  page.joint = more.joint;
}

/// A page may end where a fork leaves its source: there is more to read.
void fill(stream_door& door, read_page page, stream_store::read_done then) {
  const auto bytes = payload_bytes(page);
  if (!page.joint || at_tail(page) || bytes >= door.options.read_bytes_max
      || page.entries.size() >= page_entries_max)
    return then(std::move(page));
  auto request = request_for(door, {},
                             {stream_offset::place::at, page.next_from});
  request->stream = page.stream;
  request->options.bytes_max -= bytes;
  const auto so_far = std::make_shared<read_page>(std::move(page));
  door.store.read(std::move(request), [&door, so_far, then = std::move(then)](
                                        result<read_page> more) mutable {
    so_far->joint = false;
    if (more)
      add_to(*so_far, std::move(*more));
    fill(door, std::move(*so_far), std::move(then));
  });
}

/// Reads a page and what belongs to it.
void read_filled(stream_door& door, std::unique_ptr<read_request> request,
                 stream_store::read_done then) {
  door.store.read(std::move(request), [&door, then = std::move(then)](
                                        result<read_page> page) mutable {
    if (!page)
      return then(std::move(page));
    fill(door, std::move(*page), std::move(then));
  });
}

std::string time_text(std::int64_t unix_ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(unix_ms / 1000),
                     unix_ms % 1000);
}

void set_lifetime(http_response& in, const retention_policy& keeps) {
  if (keeps.ttl_ms != 0 && keeps.ttl_ms != retention_policy::unlimited)
    set_field(in, field::ttl, keeps.ttl_ms / 1000);
  if (keeps.expires_ms > 0)
    set_field(in, field::expires_at, time_text(keeps.expires_ms));
}

std::string_view cache_control(const read_page& page, const page_wish& wish) {
  // What is not there yet may be there in a moment.
  if (page.entries.empty())
    return "no-cache";
  return wish.secret ? "private, max-age=60, stale-while-revalidate=300"
                     : "public, max-age=60, stale-while-revalidate=300";
}

} // namespace

page_wish::page_wish(const http_request& request)
  : entries(
    request[http::field::accept]
    == boost::beast::string_view{entries_type.data(), entries_type.size()}),
    secret(request.count(http::field::authorization) > 0) {}

void read_page_of(stream_door& door, std::string stream,
                  const stream_offset& from,
                  std::function<void(result<read_page>)> then) {
  auto request = request_for(door, stream, from);
  read_filled(door, std::move(request),
              [&door, stream = std::move(stream), from,
               then = std::move(then)](result<read_page> page) mutable {
                if (page || page.error().code != errc::out_of_range)
                  return then(std::move(page));
                explain_range(door, stream, from.at, std::move(then));
              });
}

void read_page_on(stream_door& door, stream_id stream, sequence from,
                  std::function<void(result<read_page>)> then) {
  auto request = request_for(door, {}, {stream_offset::place::at, from});
  request->stream = stream;
  read_filled(door, std::move(request), std::move(then));
}

http_response page_head(const read_page& page, const page_wish& wish,
                        std::optional<std::uint64_t> cursor) {
  auto made = answer(http::status::ok);
  const auto type = wish.entries ? entries_type : type_of(page);
  set_field(made, "Content-Type", type);
  set_place(made, page.next_from, at_end(page));
  if (at_tail(page))
    set_field(made, field::up_to_date, "true");
  if (cursor)
    set_field(made, field::cursor, *cursor);
  set_field(made, "Cache-Control", cache_control(page, wish));
  set_field(made, "ETag", etag_of(page, wish.entries));
  set_field(made, "Vary", "Accept, Authorization");
  // Whatever writers have put there, it is no page of this server's.
  set_field(made, "Content-Security-Policy", "sandbox");
  return made;
}

void forbid_caching(http_response& answer) {
  set_field(answer, "Cache-Control", "no-store");
  answer.erase(http::field::etag);
}

void read_stream(stream_door& door, http_exchange& exchange,
                 std::string_view stream, const stream_query& query) {
  read_page_of(
    door, std::string{stream}, query.offset,
    [&exchange, stream = std::string{stream},
     now = query.offset.where
           == stream_offset::place::now](const result<read_page>& page) {
      if (!page)
        return exchange.respond(failure_answer(page.error(), stream));
      const auto& request = exchange.request();
      const page_wish wish{request};
      auto made = page_head(*page, wish, std::nullopt);
      if (now) {
        forbid_caching(made);
      } else if (matches(request[http::field::if_none_match],
                         made[http::field::etag])) {
        made.result(http::status::not_modified);
        made.erase(http::field::content_type);
        return exchange.respond(std::move(made));
      }
      made.body() = share(body_of(*page, wish.entries));
      exchange.respond(std::move(made));
    });
}

void describe_stream(stream_door& door, http_exchange& exchange,
                     std::string_view stream) {
  door.store.info(
    std::string{stream},
    [&exchange, stream = std::string{stream}](const result<stream_info>& info) {
      if (!info)
        return exchange.respond(failure_answer(info.error(), stream));
      auto made = answer(http::status::ok);
      set_field(made, "Content-Type",
                info->content_type.empty()
                  ? default_type
                  : std::string_view{info->content_type});
      set_place(made, info->next, info->closed);
      set_lifetime(made, info->keeps);
      set_field(made, "Cache-Control", "no-store");
      exchange.respond(std::move(made));
    });
}

} // namespace torpor
