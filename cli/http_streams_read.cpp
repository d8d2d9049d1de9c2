// SPDX-License-Identifier: Apache-2.0
// What http_streams reads; what it changes is in http_streams.cpp.
#include "cli/entry_frames.hpp"
#include "cli/http_streams.hpp"
#include "cli/http_failure.hpp"
#include "cli/interrupt.hpp"
#include "cli/stream_info_json.hpp"
#include "cli/stream_offset_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace torpor {

namespace {

tl::unexpected<error> foreign_offset() {
  return fail(errc::incompatible,
              "the server's offsets are not Torpor's; is it torpord?");
}

/// What an answer tells about the stream's end.
result<read_page> place_of(const http_answer& answer) {
  const auto next = read_offset(answer.field("Stream-Next-Offset"));
  if (!next)
    return foreign_offset();
  read_page page;
  page.next_from = *next;
  // How much further it goes is not said.
  page.next = answer.flag("Stream-Up-To-Date") ? *next : *next + 1;
  page.closed = answer.flag("Stream-Closed");
  page.content_type = answer.field("Content-Type");
  return page;
}

/// The page with the answer's entries, which get their sequences.
result<read_page> with_entries(read_page page, const http_answer& answer) {
  const auto bytes = answer.body.size();
  auto& buffer = page.buffers.emplace_back(new std::byte[bytes]);
  if (bytes > 0)
    std::memcpy(buffer.get(), answer.body.data(), bytes);
  auto entries = read_entry_frames({buffer.get(), bytes});
  if (!entries)
    return tl::unexpected{entries.error()};
  if (entries->size() > raw(page.next_from))
    return foreign_offset();
  auto seq = sequence{raw(page.next_from) - entries->size()};
  for (auto& each : *entries) {
    each.seq = seq;
    seq = seq + 1;
  }
  page.entries = std::move(*entries);
  return page;
}

/// The server decides how much a page has; what is too much goes.
void cut(read_page& page, const read_options& wanted) {
  std::uint64_t bytes = 0;
  std::size_t kept = 0;
  while (kept < page.entries.size() && kept < wanted.count_max) {
    bytes += page.entries[kept].payload.size();
    if (kept > 0 && bytes > wanted.bytes_max)
      break;
    ++kept;
  }
  if (kept == page.entries.size())
    return;
  page.next_from = page.entries[kept].seq;
  page.entries.resize(kept);
}

/// Drops what is older. False when nothing is left.
bool drop_before(read_page& page, std::int64_t time_ms) {
  const auto first = std::find_if(
    page.entries.begin(), page.entries.end(),
    [&](const entry_view& each) { return each.time_ms >= time_ms; });
  page.entries.erase(page.entries.begin(), first);
  return !page.entries.empty();
}

} // namespace

result<http_answer> http_streams::expect(const http_call& call,
                                         std::string_view tried) {
  auto answer = client_.send(call);
  if (answer && answer->status >= 400)
    return tl::unexpected{http_failure(tried, answer->status, answer->body)};
  return answer;
}

result<std::vector<std::pair<std::string, stream_id>>>
http_streams::list(std::string_view prefix, std::string_view after,
                   std::size_t count_max) {
  constexpr std::size_t page_max = 1000;
  std::vector<std::pair<std::string, stream_id>> all;
  std::string behind{after};
  for (bool more = true; more && all.size() < count_max;) {
    http_call call;
    call.target = fmt::format(
      "{}/v1/streams?prefix={}&after={}&limit={}", client_.place().url.base,
      percent_encoded(prefix, false), percent_encoded(behind, false),
      std::min(page_max, count_max - all.size()));
    call.repeatable = true;
    const auto answer = expect(call, "list streams");
    if (!answer)
      return tl::unexpected{answer.error()};
    auto page = read_stream_list(answer->body);
    if (!page)
      return tl::unexpected{page.error()};
    more = page->more && !page->streams.empty();
    for (auto& each : page->streams)
      all.push_back(std::move(each));
    if (more)
      behind = all.back().first;
  }
  return all;
}

result<stream_info> http_streams::info(stream_ref stream) {
  http_call call;
  call.target = fmt::format("{}/v1/streams/{}", client_.place().url.base,
                            percent_encoded(stream.name));
  call.repeatable = true;
  return expect(call, fmt::format("info of '{}'", stream.name))
    .and_then([](const http_answer& answer) {
      return read_stream_info(answer.body);
    });
}

result<read_page> http_streams::tail(const std::string& stream) {
  http_call call{http_method::head, client_.place().url.stream(stream), {}, {}};
  call.repeatable = true;
  return expect(call, fmt::format("find '{}'", stream)).and_then(place_of);
}

result<read_page> http_streams::read_once(const std::string& stream,
                                          const read_options& options) {
  http_call call;
  call.target = fmt::format("{}?offset={}{}",
                            client_.place().url.stream(stream),
                            offset_text(options.from),
                            options.wait ? "&live=long-poll" : "");
  call.fields.emplace_back("Accept", entry_frames_type);
  call.repeatable = true;
  call.waits = options.wait;
  const auto answer = expect(call, fmt::format("read '{}'", stream));
  if (!answer)
    return tl::unexpected{answer.error()};
  auto page = place_of(*answer);
  if (!page || answer->status == 204)
    return page;
  if (page->content_type != entry_frames_type)
    return fail(errc::incompatible,
                fmt::format("read '{}': the server does not tell where entries "
                            "end ({}); is it torpord?",
                            stream, entry_frames_type));
  return with_entries(std::move(*page), *answer);
}

result<read_page> http_streams::read(stream_ref stream,
                                     const read_options& options) {
  auto wanted = options;
  for (;;) {
    auto page = read_once(std::string{stream.name}, wanted);
    if (!page && interrupted() && options.wait)
      return read_page{};
    if (!page)
      return page;
    const auto at_tail = page->next_from == page->next;
    const auto found = !options.from_time
                       || drop_before(*page, *options.from_time);
    // A long poll that ends without entries is only renewed.
    const auto go_on = options.wait ? page->entries.empty() && !page->closed
                                    : !found && !at_tail;
    if (!go_on || interrupted()) {
      cut(*page, options);
      return page;
    }
    wanted.from = page->next_from;
  }
}

} // namespace torpor
