// SPDX-License-Identifier: Apache-2.0
// The part of history that judges all entries of a stream.
#include "tests/engine/history.hpp"
#include "tests/engine/request_batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace torpor::test {

namespace {

std::string wrong_at(const found_stream& found, std::uint64_t at,
                     std::string_view what) {
  return fmt::format("stream '{}' ({}) entry {} of {} to {}: {}", found.name,
                     raw(found.id), at, raw(found.first),
                     raw(found.first) + found.payloads.size(), what);
}

} // namespace

std::string history::judge(const found_stream& found) const {
  auto wrong = judge_state(found);
  if (wrong.empty())
    wrong = judge_first(found);
  if (wrong.empty())
    wrong = judge_seen(found);
  if (wrong.empty())
    wrong = judge_order(found);
  if (wrong.empty())
    wrong = judge_part(found, found.id, ~std::uint64_t{0});
  if (wrong.empty())
    wrong = judge_inherited(found);
  return wrong;
}

std::string history::judge_state(const found_stream& found) const {
  if (removed_.contains(found.id))
    return fmt::format("stream '{}' ({}) was deleted and is back", found.name,
                       raw(found.id));
  if (closed_.contains(found.id) && !found.closed)
    return fmt::format("stream '{}' was closed and is open again", found.name);
  if (found.closed && !may_be_closed(found))
    return fmt::format("stream '{}' is closed, and nobody closed it", found.name);
  const auto type = types_.find(found.id);
  if (type != types_.end() && type->second != found.content_type)
    return fmt::format("stream '{}' had the content type '{}' and has '{}'",
                       found.name, type->second, found.content_type);
  return {};
}

/// By a request for this stream, or one of which nobody knows where it went.
bool history::may_be_closed(const found_stream& found) const {
  return std::any_of(
    requests_.begin(), requests_.end(), [&](const auto& request) {
      return may_concern(request, found.name, found.id)
             && (request.closes || request.kind == write_kind::close);
    });
}

/// Where a stream begins as far as that is known for good.
sequence history::least(stream_id id) const {
  const auto known = truncated_.find(id);
  if (known != truncated_.end())
    return known->second;
  const auto fork = origins_.find(id);
  return fork == origins_.end()
           ? sequence{}
           : std::min(fork->second.at, least(fork->second.source));
}

/// Entries that are gone for good do not come back, and no others go.
std::string history::judge_first(const found_stream& found) const {
  const auto least = this->least(found.id);
  if (found.first == least || (found.first > least && is_retained(found)))
    return {};
  // What its source loses a fork loses, too.
  const auto& origin = found.origin;
  if (origin.source != stream_id{} && found.first > least
      && found.first <= origin.at
      && (found.first == std::min(origin.at, this->least(origin.source))
          || may_lose(names_.at(origin.source), found.first, origin.source)))
    return {};
  const auto next = found.first + found.payloads.size();
  for (const auto& request : requests_)
    if (request.kind == write_kind::truncate
        && may_concern(request, found.name, found.id) && found.first > least
        && found.first == std::min(request.before, next))
      return {};
  return wrong_at(found, raw(found.first),
                  fmt::format("it begins here and not at {}", raw(least)));
}

std::string history::judge_seen(const found_stream& found) const {
  // The clock may be behind what a fork has inherited.
  const auto own = std::max(found.first, found.origin.at);
  for (auto i = raw(own) - raw(found.first) + 1; i < found.times.size(); ++i)
    if (found.times[i] < found.times[i - 1])
      return wrong_at(found, raw(found.first) + i,
                      "it is older than the one before");
  return judge_seen(found, found.id, ~std::uint64_t{0});
}

/// What a reader saw before `end` stays as it was; `of` as for `judge_part`.
std::string history::judge_seen(const found_stream& found, stream_id of,
                                std::uint64_t end) const {
  const auto seen = seen_.find(of);
  if (seen == seen_.end())
    return {};
  const auto& entries = seen->second;
  for (auto each = entries.lower_bound(raw(found.first));
       each != entries.end() && each->first < end; ++each) {
    const auto at = each->first - raw(found.first);
    const auto& [payload, time_ms] = each->second;
    if (at >= found.payloads.size() || found.payloads[at] != payload)
      return wrong_at(found, each->first,
                      "a reader had seen another entry here");
    if (!found.times.empty() && time_ms && found.times[at] != *time_ms)
      return wrong_at(found, each->first,
                      "a reader had seen another time here");
  }
  return {};
}

std::string history::judge_order(const found_stream& found) const {
  const auto& payloads = found.payloads;
  std::map<std::string, std::uint64_t> last; // By producer; "": without one.
  std::set<std::uint64_t> whole;
  std::string order;
  auto ended = false;
  const auto own = std::max(found.first, found.origin.at);
  for (std::size_t i = raw(own) - raw(found.first); i < payloads.size();) {
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
    // Sent again it may go to another stream that has the name since.
    if (request.id != stream_id{} && request.id != found.id
        && !request.repeated)
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
      return wrong(
        fmt::format("the order '{}' comes after '{}'", request.order, order));
    order = std::max(order, request.order);
    if (std::exchange(ended, request.closes))
      return wrong("it comes behind the end of the stream");
    // A truncation may have taken its first entries.
    const auto begin = i == 0 && found.first > found.origin.at ? from.entry : 0;
    for (auto entry = begin; entry < request.payloads.size(); ++entry, ++i)
      if (i >= payloads.size() || payloads[i] != request.payloads[entry])
        return wrong(fmt::format("request {} is not whole", from.tag));
  }
  return {};
}

/// What was acknowledged for a stream before `end` is found; `of` is that one
/// or one that it was forked from.
std::string history::judge_part(const found_stream& found, stream_id of,
                                std::uint64_t end) const {
  const auto promised = durable_.find(of);
  if (promised == durable_.end())
    return {};
  const auto first = raw(found.first);
  for (const auto tag : promised->second) {
    const auto& request = requests_[tag];
    for (std::size_t i = 0; i < request.payloads.size(); ++i) {
      const auto at = raw(request.first) + i;
      if (at < first || at >= end)
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

/// What comes before a fork's own entries is what its source had there.
std::string history::judge_inherited(const found_stream& found) const {
  auto end = found.origin.at;
  if (found.origin.source != stream_id{}
      && found.first + found.payloads.size() < end)
    return wrong_at(found, raw(end), "it was forked here");
  for (auto of = found.origin.source; of != stream_id{};) {
    if (auto wrong = judge_part(found, of, raw(end)); !wrong.empty())
      return wrong;
    if (auto wrong = judge_seen(found, of, raw(end)); !wrong.empty())
      return wrong;
    const auto next = origins_.find(of);
    if (next == origins_.end())
      return {};
    of = next->second.source;
    end = std::min(end, next->second.at);
  }
  return {};
}

} // namespace torpor::test
