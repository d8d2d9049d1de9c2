// SPDX-License-Identifier: Apache-2.0
// The part of history that takes answers and judges them.
#include "tests/engine/history.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor::test {

void history::answered(std::uint64_t tag, const write_outcome& outcome) {
  auto& request = requests_[tag];
  request.answered_at = size();
  if (outcome.code != errc{}) {
    if (wrong_.empty() && !can_fail(request, tag, outcome.code))
      wrong_ = fmt::format("request {} to '{}' must not fail with {}", tag,
                           request.stream, to_string(outcome.code));
    return refuse(tag, outcome.code);
  }
  if (wrong_.empty())
    if (auto wrong = judge_success(request, tag, outcome); !wrong.empty())
      wrong_ = fmt::format("request {} to '{}' ({}): {}", tag, request.stream,
                           raw(outcome.stream), wrong);
  accept(tag, outcome);
}

void history::refuse(std::uint64_t tag, errc code) {
  auto& request = requests_[tag];
  if (request.known == fate::durable)
    return; // It was sent again, though it was known to be there.
  // Two say that the store does not know either. That a repetition is refused
  // says nothing of what came before, unless its number is why.
  const auto open = code == errc::io_failed || code == errc::shut_down
                    || (request.repeated && code != errc::conflict
                        && code != errc::fenced);
  request.known = open ? fate::unknown : fate::refused;
  if (open && request.kind == write_kind::remove)
    note_maybe_removed(request.stream);
}

void history::accept(std::uint64_t tag, const write_outcome& outcome) {
  auto& request = requests_[tag];
  const auto known_before = request.known == fate::durable
                            && request.id == outcome.stream;
  if (known_before)
    return;
  request.id = outcome.stream;
  names_[outcome.stream] = request.stream;
  request.first = outcome.first;
  const auto durable = request.kind != write_kind::append
                       || request.ack == ack::durable;
  request.known = durable ? fate::durable : fate::buffered;
  if (!durable)
    return;
  request.over_at = size();
  if (!request.payloads.empty() || !request.order.empty())
    durable_[outcome.stream].push_back(tag);
  const auto creates = request.kind == write_kind::create;
  if (!request.content_type.empty() && (creates || !request.payloads.empty()))
    types_[outcome.stream] = request.content_type;
  if (request.kind == write_kind::truncate) {
    // Up to where a fork begins it changes nothing, and nobody may know yet
    // whether the stream is one.
    const auto fork = origins_.find(outcome.stream);
    if (fork == origins_.end() ? names_behind(request.stream).size() == 1
                               : request.before > fork->second.at)
      truncated_[outcome.stream] = std::max(truncated_[outcome.stream],
                                            request.before);
  }
  if (request.kind == write_kind::remove)
    removed_.emplace(outcome.stream, size());
  else
    created_.emplace(outcome.stream, size());
  if (request.kind == write_kind::close || request.closes)
    closed_.emplace(outcome.stream, size());
}

/// What a success cannot say.
std::string history::judge_success(const write_request& request,
                                   std::uint64_t tag,
                                   const write_outcome& outcome) const {
  if (request.wrong)
    return "it has to be refused";
  if (outcome.duplicate && (!request.by || !request.repeated))
    return "nobody sent it before";
  if (request.known == fate::durable && request.id == outcome.stream
      && !(outcome.duplicate && outcome.first == request.first))
    return fmt::format("it is not known as the one at {}", raw(request.first));
  const auto before = [&](const durations& all) {
    const auto known = all.find(outcome.stream);
    return known != all.end() && known->second <= tag;
  };
  if (before(removed_) && !outcome.duplicate)
    return "the stream was deleted before";
  if (before(closed_) && !outcome.duplicate && !request.payloads.empty())
    return "the stream was closed before";
  // To end a stream that has ended changes nothing, whatever is said of it.
  if (request.expected && !outcome.duplicate && !request.payloads.empty()
      && outcome.first != *request.expected)
    return fmt::format("it expected {} and got {}", raw(*request.expected),
                       raw(outcome.first));
  if (const auto type = types_.find(outcome.stream);
      type != types_.end() && !request.content_type.empty()
      && !request.payloads.empty() && type->second != request.content_type)
    return fmt::format("the content type is '{}'", type->second);
  return {};
}

/// Whether a request can have been refused like that.
bool history::can_fail(const write_request& request, std::uint64_t tag,
                       errc code) const {
  const auto& name = request.stream;
  const auto is = [&](write_kind kind) { return request.kind == kind; };
  const auto forks = !request.source.empty();
  const auto there = std::any_of(
    created_.begin(), created_.end(), [&](const auto& each) {
      const auto& [id, since] = each;
      return since <= tag && names_.at(id) == name && !removed_.contains(id)
             && !maybe_removed_.contains(id) && !may_expire(name)
             && !may_be(write_kind::remove, name);
    });
  switch (code) {
    case errc::io_failed:
    case errc::shut_down:
    case errc::overloaded: return true;
    case errc::not_found: return forks || (!is(write_kind::create) && !there);
    case errc::already_exists: return is(write_kind::create);
    case errc::gone:
      return forks || may_be(write_kind::remove, name) || may_expire(name);
    case errc::closed: return is(write_kind::append) && may_be_closed(name);
    case errc::conflict:
      return request.expected || request.by || !request.order.empty();
    case errc::fenced: return request.by.has_value();
    case errc::mismatch: return !request.content_type.empty();
    case errc::out_of_range: return forks || is(write_kind::truncate);
    case errc::too_large: return request.payloads.size() > 3;
    default: return false;
  }
}

} // namespace torpor::test
