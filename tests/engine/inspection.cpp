// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/inspection.hpp"

#include "runtime/safety_step.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

namespace torpor::test {

namespace {

/// Every sequence from the first to the next one, each once.
result<found_stream> read_all(inspected& store, const history& promised,
                              const stream_info& info) {
  found_stream all{info.id,     info.name,   info.first,       {},
                   info.origin, info.closed, info.content_type};
  read_options wanted;
  wanted.count_max = 7;
  for (wanted.from = info.first;;) {
    const auto part = store.read({info.id, {}}, wanted);
    if (!part)
      return tl::unexpected{part.error()};
    for (const auto& entry : part->entries) {
      if (entry.seq != info.first + all.payloads.size())
        return fail(errc::corrupt,
                    fmt::format("entry {} is in the place of {}",
                                raw(entry.seq),
                                raw(info.first) + all.payloads.size()));
      if (const auto wrong = promised.judge_bytes(info.name, entry);
          !wrong.empty())
        return fail(errc::corrupt, wrong);
      all.payloads.emplace_back(as_text(entry.payload));
      all.times.push_back(entry.time_ms);
    }
    wanted.from = part->next_from;
    // It may have grown: what waited for room is written when there is some.
    if (wanted.from == part->next && raw(wanted.from) >= raw(info.next))
      return all;
    if (part->entries.empty())
      return fail(errc::corrupt, fmt::format("it ends at {}, not at {}",
                                             raw(wanted.from), raw(info.next)));
  }
}

/// To be read is a use, at which bounds may take what was there before.
result<found_stream> read_used(inspected& store, const history& promised,
                               const stream_info& info) {
  auto found = read_all(store, promised, info);
  if (found || found.error().code != errc::out_of_range)
    return found;
  for (const auto& now : store.streams())
    if (now.id == info.id)
      return read_all(store, promised, now);
  return found;
}

/// What was truncated is out of range, and not to be had.
std::string inspect_before(inspected& store, const found_stream& info) {
  if (info.first == sequence{})
    return {};
  read_options wanted;
  wanted.from = sequence{raw(info.first) - 1};
  const auto refused = store.read({info.id, {}}, wanted);
  if (!refused && refused.error().code == errc::out_of_range)
    return {};
  return fmt::format("stream '{}' begins at {} and gives an entry before",
                     info.name, raw(info.first));
}

std::string inspect_stream(inspected& store, history& promised,
                           const stream_info& info) {
  const auto found = read_used(store, promised, info);
  if (!found)
    return fmt::format("stream '{}': {}", info.name, to_string(found.error()));
  auto wrong = promised.judge(*found);
  promised.seen(*found);
  return wrong.empty() ? inspect_before(store, *found) : wrong;
}

} // namespace

std::string inspect(inspected& store, history& promised) {
  if (!does(safety_step::oracle))
    return {};
  if (!promised.wrong().empty())
    return promised.wrong();
  std::map<stream_id, stream_info> all;
  for (auto& info : store.streams())
    all.emplace(info.id, std::move(info));
  for (const auto& [id, info] : all)
    promised.seen(id, info.origin);
  for (const auto id : promised.alive())
    if (!all.contains(id))
      return fmt::format("stream {} is gone", raw(id));
  for (const auto& [id, info] : all)
    if (auto wrong = inspect_stream(store, promised, info); !wrong.empty())
      return wrong;
  std::set<stream_id> there;
  for (const auto& [id, info] : all)
    there.insert(id);
  promised.settle(there);
  return {};
}

std::string inspect_excess(inspected& store, const history& promised,
                           std::int64_t used_ms) {
  const auto bounded = promised.bounded();
  for (const auto& info : store.streams()) {
    const auto keep = bounded.find(info.id);
    if (keep == bounded.end())
      continue;
    const auto found = read_used(store, promised, info);
    if (!found)
      return fmt::format("stream '{}': {}", info.name,
                         to_string(found.error()));
    if (auto wrong = promised.judge_excess(*found, keep->second, used_ms);
        !wrong.empty())
      return wrong;
  }
  return {};
}

} // namespace torpor::test
