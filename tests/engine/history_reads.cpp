// SPDX-License-Identifier: Apache-2.0
// The part of history that judges reads beside the work.
#include "runtime/safety_step.hpp"
#include "tests/engine/history.hpp"
#include "tests/engine/request_batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace torpor::test {

std::string history::judge(const std::string& name, const read_options& asked,
                           const result<read_page>& page, bool faulty,
                           std::uint64_t sent_before) {
  if (!does(safety_step::oracle))
    return {};
  if (!page)
    return judge_refusal(name, asked, page.error(), faulty);
  const auto wrong = [&](std::string_view what) {
    return fmt::format("a read of '{}' ({}) from {}: {}", name,
                       raw(page->stream), raw(asked.from), what);
  };
  names_[page->stream] = name;
  created_.emplace(page->stream, size());
  const auto begin = page->entries.empty() ? page->next_from
                                           : page->entries.front().seq;
  const auto anywhere = asked.from_time || asked.tail
                        || asked.from == read_options::oldest;
  if (!anywhere && begin != asked.from)
    return wrong(fmt::format("it begins at {}", raw(begin)));
  if (page->entries.empty() && page->next_from != page->next)
    return wrong("it is empty and not at the end");
  if (const auto least = end(page->stream, sent_before); page->next < least)
    return wrong(fmt::format("it ends at {}, and what was acknowledged before at "
                             "{}",
                             raw(page->next), raw(least)));
  auto expected = begin;
  auto time_ms = std::numeric_limits<std::int64_t>::min();
  for (const auto& entry : page->entries) {
    if (entry.seq != expected)
      return wrong(
        fmt::format("{} comes for {}", raw(entry.seq), raw(expected)));
    auto other = judge_bytes(name, entry);
    if (other.empty())
      other = saw(name, page->stream, entry.seq,
                  std::string{as_text(entry.payload)});
    if (!other.empty())
      return wrong(other);
    auto& known_ms = seen_[page->stream][raw(entry.seq)].time_ms;
    if (known_ms.value_or(entry.time_ms) != entry.time_ms)
      return wrong(fmt::format("the time of {} has changed", raw(entry.seq)));
    known_ms = entry.time_ms;
    if (entry.time_ms < std::exchange(time_ms, entry.time_ms))
      return wrong(
        fmt::format("{} is older than the one before", raw(entry.seq)));
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
  const auto first = least(page->stream);
  for (const auto& [seq, entry] : seen_[page->stream])
    if (seq < raw(begin) && entry.time_ms && *entry.time_ms >= *asked.from_time
        && seq >= raw(first) && !may_lose(name, sequence{seq + 1}, page->stream))
      return wrong(fmt::format("entry {} is passed over", seq));
  return {};
}

/// Where what was acknowledged for a stream ended, surely, when so many requests
/// had been sent.
sequence history::end(stream_id id, std::uint64_t sent) const {
  sequence end{};
  if (const auto all = durable_.find(id); all != durable_.end())
    for (const auto tag : all->second)
      if (requests_[tag].answered_at < sent)
        end = std::max(end, requests_[tag].first
                              + requests_[tag].payloads.size());
  return end;
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
  const auto behind = names_behind(name);
  return std::any_of(
    truncated_.begin(), truncated_.end(), [&](const auto& each) {
      const auto known = names_.find(each.first);
      return known != names_.end() && behind.contains(known->second)
             && at < each.second;
    });
}

std::string history::judge_refusal(const std::string& name,
                                   const read_options& asked, const error& why,
                                   bool faulty) const {
  const auto gone = may_be(write_kind::remove, name) || may_expire(name);
  auto good = why.code == errc::shut_down
              || (faulty && why.code == errc::io_failed);
  if (why.code == errc::out_of_range)
    good = gone || may_lose(name, asked.from + 1)
           || is_truncated(name, asked.from) || !has_durable(name, asked.from);
  if (why.code == errc::not_found) {
    const auto known = std::find_if(
      names_.begin(), names_.end(), [&](const auto& each) {
        return each.second == name && created_.contains(each.first);
      });
    good = gone || known == names_.end();
  }
  if (why.code == errc::gone)
    good = gone;
  return good ? std::string{}
              : fmt::format("a read of '{}' from {}: {}", name, raw(asked.from),
                            to_string(why));
}

std::string history::judge_payload(const std::string& name, sequence at,
                                   const std::string& payload) const {
  const auto from = origin_of(payload);
  if (!from.known || from.tag >= requests_.size())
    return fmt::format("nobody ever appended entry {}", raw(at));
  const auto& request = requests_[from.tag];
  if (request.known == fate::refused
      || (request.stream != name
          && !names_behind(name).contains(request.stream))
      || from.entry >= request.payloads.size()
      || request.payloads[from.entry] != payload)
    return fmt::format("entry {} is not what request {} said", raw(at),
                       from.tag);
  return {};
}

std::string history::judge_bytes(const std::string& name,
                                 const entry_view& entry) const {
  const std::string payload{as_text(entry.payload)};
  auto wrong = judge_payload(name, entry.seq, payload);
  if (!wrong.empty())
    return wrong;
  const auto from = origin_of(payload);
  const auto own = requests_[from.tag].bare
                     ? std::vector<property>{}
                     : properties_of(from.tag, from.entry);
  return entry.properties() == own
           ? std::string{}
           : fmt::format("entry {} has other properties", raw(entry.seq));
}

std::string history::saw(const std::string& name, stream_id id, sequence at,
                         const std::string& payload) {
  if (auto wrong = judge_payload(name, at, payload); !wrong.empty())
    return wrong;
  auto& known = seen_[id][raw(at)].payload;
  if (!known.empty() && known != payload)
    return fmt::format("entry {} has changed", raw(at));
  known = payload;
  return {};
}

} // namespace torpor::test
