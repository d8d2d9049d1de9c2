// SPDX-License-Identifier: Apache-2.0
#include "tests/daemon/daemon_store.hpp"

#include "cli/entry_frames.hpp"
#include "cli/stream_offset_text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace torpor::test {

namespace {

/// What a status says, as far as a reader asks.
errc code_of(unsigned status) {
  switch (status) {
    case 404:
    case 410: return errc::not_found; // Deleted, but forks of it live.
    case 400: return errc::out_of_range;
    case 503: return errc::shut_down;
    default: return errc::corrupt;
  }
}

/// An ETag begins with the stream's id: "257:0:42".
stream_id id_in(std::string_view etag) {
  std::uint64_t id = 0;
  if (!etag.empty())
    std::from_chars(etag.data() + 1, etag.data() + etag.size(), id);
  return stream_id{id};
}

/// Sequences end where the answer says that a reader goes on.
result<read_page> page_of(const http_answer& answer) {
  const auto next = read_offset(answer.field("Stream-Next-Offset"));
  read_page page;
  const auto bytes = answer.body.size();
  auto& buffer = page.buffers.emplace_back(new std::byte[bytes]);
  std::memcpy(buffer.get(), answer.body.data(), bytes);
  auto entries = read_entry_frames({buffer.get(), bytes});
  if (!next || !entries || entries->size() > raw(*next))
    return fail(errc::corrupt, "the page makes no sense");
  page.stream = id_in(answer.field("ETag"));
  page.entries = std::move(*entries);
  page.next_from = *next;
  // Else there is more, and nobody says how much.
  page.next = answer.flag("Stream-Up-To-Date") ? *next : sequence{~0ull};
  page.closed = answer.flag("Stream-Closed");
  auto seq = sequence{raw(*next) - page.entries.size()};
  for (auto& each : page.entries) {
    each.seq = seq;
    seq = seq + 1;
  }
  return page;
}

} // namespace

result<read_page> read_page_once(http_client& from, const std::string& stream,
                                 const read_options& wanted) {
  http_call call;
  call.target = fmt::format("{}?offset={}{}", from.place().url.stream(stream),
                            offset_text(wanted.from),
                            wanted.wait ? "&live=long-poll" : "");
  call.fields.emplace_back("Accept", entry_frames_type);
  const auto answer = from.send(call);
  if (!answer)
    return tl::unexpected{answer.error()};
  if (answer->status >= 400)
    return fail(code_of(answer->status), answer->body);
  return page_of(*answer);
}

std::vector<stream_info> daemon_store::streams() {
  found_.clear();
  const auto names = streams_.list("", "", 100'000);
  if (!names)
    throw std::runtime_error{to_string(names.error())};
  std::vector<stream_info> all;
  for (const auto& [name, id] : *names) {
    auto info = streams_.info({id, name});
    if (!info)
      throw std::runtime_error{to_string(info.error())};
    if (const auto fork = sources_.find(name); fork != sources_.end())
      info->origin.source = fork->second;
    found_[info->id] = *info;
    all.push_back(std::move(*info));
  }
  return all;
}

result<read_page> daemon_store::read(stream_ref stream,
                                     const read_options& wanted) {
  const auto& info = found_.at(stream.id);
  auto page = read_page_once(client_, info.name, wanted);
  // A read that begins at the end says nothing of whose page it is.
  if (page && !page->entries.empty() && page->stream != stream.id)
    return fail(errc::corrupt, "the page is another stream's");
  return page;
}

} // namespace torpor::test
