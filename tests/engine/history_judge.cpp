// SPDX-License-Identifier: Apache-2.0
// The part of history that judges what readers find.
#include "runtime/safety_step.hpp"
#include "tests/engine/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace torpor::test {

namespace {

/// Payloads begin with "<tag>/<entry>/".
struct origin {
  std::uint64_t tag = 0;
  std::size_t entry = 0;
  bool known = false;
};

origin origin_of(const std::string& payload) {
  origin from;
  const auto* end = payload.data() + payload.size();
  const auto tag = std::from_chars(payload.data(), end, from.tag);
  if (tag.ec != std::errc{} || tag.ptr == end || *tag.ptr != '/')
    return from;
  const auto entry = std::from_chars(tag.ptr + 1, end, from.entry);
  from.known = entry.ec == std::errc{} && entry.ptr != end && *entry.ptr == '/';
  return from;
}

std::string wrong_at(const found_stream& found, std::uint64_t at,
                     std::string_view what) {
  return fmt::format("stream '{}' ({}) entry {} of {} to {}: {}", found.name,
                     raw(found.id), at, raw(found.first),
                     raw(found.first) + found.payloads.size(), what);
}

} // namespace

// -- all of a stream ----------------------------------------------------------

std::string history::judge(const found_stream& found) const {
  auto wrong = judge_first(found);
  if (wrong.empty())
    wrong = judge_seen(found);
  if (wrong.empty())
    wrong = judge_order(found);
  if (wrong.empty())
    wrong = judge_promised(found);
  return wrong;
}

sequence history::begin_of(const found_stream& found) const {
  if (const auto known = truncated_.find(found.id); known != truncated_.end())
    return known->second;
  const auto fork = forks_.find(found.name);
  return fork == forks_.end() ? sequence{} : fork->second;
}

/// Entries that are gone for good do not come back, and no others go.
std::string history::judge_first(const found_stream& found) const {
  const auto least = begin_of(found);
  if (found.first == least)
    return {};
  const auto next = found.first + found.payloads.size();
  for (const auto& request : requests_)
    if (request.kind == write_kind::truncate && request.stream == found.name
        && request.known == fate::unknown && found.first > least
        && found.first == std::min(request.before, next))
      return {};
  return wrong_at(found, raw(found.first),
                  fmt::format("it begins here and not at {}", raw(least)));
}

std::string history::judge_seen(const found_stream& found) const {
  const auto seen = seen_.find(found.id);
  if (seen == seen_.end())
    return {};
  const auto& entries = seen->second;
  for (auto each = entries.lower_bound(raw(found.first)); each != entries.end();
       ++each) {
    const auto at = each->first - raw(found.first);
    if (at >= found.payloads.size()
        || found.payloads[at] != each->second.payload)
      return wrong_at(found, each->first,
                      "a reader had seen another entry here");
  }
  return {};
}

std::string history::judge_order(const found_stream& found) const {
  const auto& payloads = found.payloads;
  std::string order;
  std::map<std::string, std::uint64_t> last; // By producer; "": without one.
  std::set<std::uint64_t> whole;
  for (std::size_t i = 0; i < payloads.size();) {
    const auto wrong = [&](std::string_view what) {
      return wrong_at(found, raw(found.first) + i, what);
    };
    const auto from = origin_of(payloads[i]);
    if (!from.known || from.tag >= requests_.size())
      return wrong("nobody ever appended this");
    const auto& request = requests_[from.tag];
    if (request.stream != found.name || request.known == fate::refused)
      return wrong(fmt::format(
        "request {} was {}", from.tag,
        request.stream != found.name ? "for another stream" : "refused"));
    if (request.id != stream_id{} && request.id != found.id)
      return wrong(fmt::format("request {} was for stream {}", from.tag,
                               raw(request.id)));
    // What a producer sends again keeps its number, and so its place among its
    // own; others may have written before.
    const auto [before, is_first]
      = last.try_emplace(request.by ? request.by->id : std::string{}, from.tag);
    if ((!is_first && from.tag <= before->second)
        || !whole.insert(from.tag).second)
      return wrong(fmt::format("request {} comes after {}", from.tag,
                               before->second));
    before->second = from.tag;
    if (!request.order.empty() && request.order <= order)
      return wrong(fmt::format("order {} comes after {}", request.order, order));
    order = std::max(order, request.order);
    // A truncation may have taken its first entries.
    const auto begin = i == 0 && found.first != sequence{} ? from.entry : 0;
    for (auto entry = begin; entry < request.payloads.size(); ++entry, ++i)
      if (i >= payloads.size() || payloads[i] != request.payloads[entry])
        return wrong(fmt::format("request {} is not whole", from.tag));
  }
  return {};
}

std::string history::judge_promised(const found_stream& found) const {
  const auto promised = durable_.find(found.id);
  if (promised == durable_.end())
    return {};
  const auto first = raw(found.first);
  for (const auto tag : promised->second) {
    const auto& request = requests_[tag];
    for (std::size_t i = 0; i < request.payloads.size(); ++i) {
      const auto at = raw(request.first) + i;
      if (at < first)
        continue;
      if (at - first >= found.payloads.size())
        return wrong_at(found, at,
                        fmt::format("acknowledged request {} is missing", tag));
      if (found.payloads[at - first] != request.payloads[i])
        return wrong_at(
          found, at, fmt::format("acknowledged request {} is elsewhere", tag));
    }
  }
  return {};
}

// -- after a disk that lied ---------------------------------------------------

/// What became of an acknowledged append.
history::whereabouts
history::look_for(const write_request& request,
                  const std::vector<found_stream>& found) const {
  const auto stream = std::find_if(
    found.begin(), found.end(),
    [&](const auto& each) { return each.id == request.id; });
  if (stream == found.end())
    return may_be(write_kind::remove, request.stream)
             ? whereabouts::gone_as_asked
             : whereabouts::lost;
  if (request.first < stream->first)
    return whereabouts::gone_as_asked;
  const auto at = raw(request.first) - raw(stream->first);
  const auto there = at < stream->payloads.size()
                     && stream->payloads[at] == request.payloads.front();
  return there ? whereabouts::there : whereabouts::lost;
}

std::string history::judge_end(const std::vector<found_stream>& found,
                               const std::set<stream_id>& named) const {
  const auto has_become = [&](std::uint64_t tag, whereabouts what) {
    const auto& request = requests_[tag];
    return request.doubted && request.kind == write_kind::append
           && request.ack == ack::durable && !named.contains(request.id)
           && look_for(request, found) == what;
  };
  std::optional<std::uint64_t> lost;
  for (std::uint64_t tag = 0; tag < size(); ++tag)
    if (has_become(tag, whereabouts::lost)
        && (!lost
            || requests_[tag].answered_at < requests_[*lost].answered_at))
      lost = tag;
  if (!lost)
    return {};
  for (auto tag = requests_[*lost].answered_at; tag < size(); ++tag)
    if (has_become(tag, whereabouts::there))
      return fmt::format("request {} of '{}' is missing in silence, and {} of "
                         "'{}', which was sent later, is there",
                         *lost, requests_[*lost].stream, tag,
                         requests_[tag].stream);
  return {};
}

// -- reads beside the work ----------------------------------------------------

std::string history::judge(const std::string& name, const read_options& asked,
                           const result<read_page>& page, bool faulty) {
  if (!does(safety_step::oracle))
    return {};
  if (!page)
    return judge_refusal(name, asked, page.error(), faulty);
  const auto wrong = [&](std::string_view what) {
    return fmt::format("a read of '{}' ({}) from {}: {}", name,
                       raw(page->stream), raw(asked.from), what);
  };
  names_[page->stream] = name;
  created_.insert(page->stream);
  if (!may_be(write_kind::append, name) && !page->entries.empty())
    return wrong("nobody appended anything");
  const auto begin = page->entries.empty() ? page->next_from
                                           : page->entries.front().seq;
  if (!asked.from_time && begin != asked.from)
    return wrong(fmt::format("it begins at {}", raw(begin)));
  if (page->entries.empty() && page->next_from != page->next)
    return wrong("it is empty and not at the end");
  auto expected = begin;
  for (const auto& entry : page->entries) {
    if (entry.seq != expected)
      return wrong(
        fmt::format("{} comes for {}", raw(entry.seq), raw(expected)));
    if (auto other = saw(name, page->stream, entry.seq,
                         std::string{as_text(entry.payload)}, entry.time_ms);
        !other.empty())
      return wrong(other);
    expected = expected + 1;
  }
  if (page->next_from != expected)
    return wrong(fmt::format("it goes on at {} and not at {}",
                             raw(page->next_from), raw(expected)));
  if (!asked.from_time)
    return {};
  if (!page->entries.empty()
      && page->entries.front().time_ms < *asked.from_time)
    return wrong("its first entry is too old");
  const auto first = truncated_[page->stream];
  for (const auto& [seq, entry] : seen_[page->stream])
    if (seq < raw(begin) && entry.time_ms && *entry.time_ms >= *asked.from_time
        && seq >= raw(first)
        && !may_be(write_kind::truncate, name, sequence{seq + 1}))
      return wrong(fmt::format("entry {} is passed over", seq));
  return {};
}

bool history::has_durable(const std::string& name, sequence at) const {
  return std::any_of(
    requests_.begin(), requests_.end(), [&](const auto& request) {
      return request.stream == name && request.kind == write_kind::append
             && request.known == fate::durable && request.first <= at
             && at < request.first + request.payloads.size();
    });
}

bool history::is_truncated(const std::string& name, sequence at) const {
  return std::any_of(
    truncated_.begin(), truncated_.end(), [&](const auto& each) {
      const auto known = names_.find(each.first);
      return known != names_.end() && known->second == name && at < each.second;
    });
}

std::string history::judge_refusal(const std::string& name,
                                   const read_options& asked, const error& why,
                                   bool faulty) const {
  const auto gone = may_be(write_kind::remove, name);
  auto good = why.code == errc::shut_down
              || (faulty && why.code == errc::io_failed);
  if (why.code == errc::out_of_range)
    good = gone || may_be(write_kind::truncate, name, asked.from + 1)
           || is_truncated(name, asked.from) || !has_durable(name, asked.from);
  if (why.code == errc::not_found) {
    const auto known = std::find_if(
      names_.begin(), names_.end(), [&](const auto& each) {
        return each.second == name && created_.contains(each.first);
      });
    good = gone || known == names_.end();
  }
  return good ? std::string{}
              : fmt::format("a read of '{}' from {}: {}", name, raw(asked.from),
                            to_string(why));
}

std::string history::saw(const std::string& name, stream_id id, sequence at,
                         const std::string& payload,
                         std::optional<std::int64_t> time_ms) {
  const auto from = origin_of(payload);
  if (!from.known || from.tag >= requests_.size())
    return fmt::format("nobody ever appended entry {}", raw(at));
  const auto& request = requests_[from.tag];
  if (request.stream != name || request.known == fate::refused
      || from.entry >= request.payloads.size()
      || request.payloads[from.entry] != payload)
    return fmt::format("entry {} is not what request {} said", raw(at),
                       from.tag);
  auto& known = seen_[id][raw(at)];
  if ((!known.payload.empty() && known.payload != payload)
      || (known.time_ms && time_ms && *known.time_ms != *time_ms))
    return fmt::format("entry {} has changed", raw(at));
  known.payload = payload;
  if (time_ms)
    known.time_ms = time_ms;
  return {};
}

} // namespace torpor::test
