// SPDX-License-Identifier: Apache-2.0
#include "tests/engine/inspection.hpp"

#include "runtime/safety_step.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>

namespace torpor::test {

namespace {

/// Every sequence from the first to the next one, each once. `damage`: what the
/// store itself says.
result<found_stream> read_all(inspected& store, const stream_info& info,
                              std::optional<error>& damage) {
  found_stream all{info.id, info.name, info.first, {}};
  read_options wanted;
  wanted.count_max = 7;
  for (wanted.from = info.first;;) {
    auto part = store.read({info.id, {}}, wanted);
    if (!part)
      return tl::unexpected{damage.emplace(part.error())};
    for (const auto& entry : part->entries) {
      if (entry.seq != info.first + all.payloads.size())
        return fail(errc::corrupt,
                    fmt::format("entry {} is in the place of {}",
                                raw(entry.seq),
                                raw(info.first) + all.payloads.size()));
      all.payloads.emplace_back(as_text(entry.payload));
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

/// What was truncated is out of range, and not to be had.
std::string inspect_before(inspected& store, const stream_info& info) {
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

/// One look at everything.
struct inspection {
  inspected& store;
  history& promised;
  std::vector<found_stream> found;
  std::set<stream_id> named; ///< Damaged, as the store says itself.

  std::string look();
  std::string look(const stream_info& info);
};

std::string inspection::look(const stream_info& info) {
  if (promised.removed().contains(info.id))
    return fmt::format("stream '{}' ({}) was deleted and is back", info.name,
                       raw(info.id));
  if (promised.must_be_closed(info.id) && !info.closed)
    return fmt::format("stream '{}' was closed and is open again", info.name);
  std::optional<error> damage;
  const auto all = read_all(store, info, damage);
  if (!all && damage && promised.distrusts() && names_damage(*damage)) {
    named.insert(info.id);
    return {};
  }
  if (!all)
    return fmt::format("stream '{}': {}", info.name, to_string(all.error()));
  auto wrong = promised.judge(*all);
  promised.seen(*all);
  found.push_back(*all);
  return wrong.empty() ? inspect_before(store, info) : wrong;
}

std::string inspection::look() {
  std::map<stream_id, stream_info> all;
  for (auto& info : store.streams())
    all.emplace(info.id, std::move(info));
  for (const auto id : promised.alive())
    if (!all.contains(id))
      return fmt::format("stream {} is gone", raw(id));
  for (const auto& [id, info] : all)
    if (auto wrong = look(info); !wrong.empty())
      return wrong;
  auto wrong = promised.judge_end(found, named);
  if (named.empty())
    promised.settle();
  return wrong;
}

} // namespace

bool names_damage(const error& why) {
  // A file that is missing cannot be opened.
  const auto known = why.code == errc::corrupt || why.code == errc::io_failed;
  return known && why.context.find('\'') != std::string::npos;
}

std::string inspect(inspected& store, history& promised) {
  if (!does(safety_step::oracle))
    return {};
  return inspection{store, promised, {}, {}}.look();
}

} // namespace torpor::test
