// SPDX-License-Identifier: Apache-2.0
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
  from.known = entry.ec == std::errc{} && entry.ptr != end
               && *entry.ptr == '/';
  return from;
}

} // namespace

std::uint64_t history::sent(write_request added) {
  requests_.push_back(std::move(added));
  return requests_.size() - 1;
}

void history::answered(std::uint64_t tag, const write_outcome& outcome) {
  auto& request = requests_[tag];
  if (outcome.code != errc{}) {
    // These two say that the store does not know either.
    const auto open = outcome.code == errc::io_failed
                      || outcome.code == errc::shut_down;
    request.known = open ? fate::unknown : fate::refused;
    if (open && request.kind == write_kind::remove)
      for (const auto& other : requests_)
        if (other.stream == request.stream && other.id != stream_id{})
          maybe_removed_.insert(other.id);
    return;
  }
  request.id = outcome.stream;
  request.first = outcome.first;
  const auto durable = request.kind != write_kind::append
                       || request.ack == ack::durable;
  request.known = durable ? fate::durable : fate::buffered;
  if (!durable)
    return;
  if (request.kind == write_kind::append)
    durable_[outcome.stream].push_back(tag);
  if (request.kind == write_kind::remove)
    removed_.insert(outcome.stream);
  else
    created_.insert(outcome.stream);
  if (request.kind == write_kind::close)
    closed_.insert(outcome.stream);
}

void history::synced(const std::vector<std::uint64_t>& tags) {
  for (const auto tag : tags) {
    auto& request = requests_[tag];
    if (request.known != fate::buffered)
      continue;
    request.known = fate::durable;
    durable_[request.id].push_back(tag);
    created_.insert(request.id);
  }
}

void history::seen(stream_id id, const std::vector<std::string>& payloads) {
  auto& known = seen_[id];
  if (payloads.size() > known.size())
    known = payloads;
}

void history::crashed() {
  for (auto& request : requests_) {
    if (request.known == fate::buffered)
      request.known = fate::unknown;
    // A remove without an answer may have happened.
    if (request.kind == write_kind::remove && request.known == fate::unknown)
      for (const auto& other : requests_)
        if (other.stream == request.stream && other.id != stream_id{})
          maybe_removed_.insert(other.id);
  }
}

std::set<stream_id> history::alive() const {
  auto alive = created_;
  for (const auto id : removed_)
    alive.erase(id);
  for (const auto id : maybe_removed_)
    alive.erase(id);
  return alive;
}

std::string history::judge(stream_id id, const std::string& name,
                           const std::vector<std::string>& found) const {
  const auto wrong = [&](std::size_t at, std::string_view what) {
    return fmt::format("stream '{}' ({}) entry {} of {}: {}", name, raw(id),
                       at, found.size(), what);
  };
  if (const auto seen = seen_.find(id); seen != seen_.end())
    for (std::size_t i = 0; i < seen->second.size(); ++i)
      if (i >= found.size() || found[i] != seen->second[i])
        return wrong(i, "a reader had seen another entry here");
  std::optional<std::uint64_t> last;
  std::set<std::uint64_t> whole;
  for (std::size_t i = 0; i < found.size();) {
    const auto from = origin_of(found[i]);
    if (!from.known || from.tag >= requests_.size())
      return wrong(i, "nobody ever appended this");
    const auto& request = requests_[from.tag];
    if (request.stream != name || request.known == fate::refused)
      return wrong(i, fmt::format("request {} was {}", from.tag,
                                  request.stream != name
                                    ? "for another stream"
                                    : "refused"));
    // An idempotent request may have been sent again, later.
    const auto in_order = request.by || !last || from.tag > *last;
    if (!in_order || !whole.insert(from.tag).second)
      return wrong(i, fmt::format("request {} comes after {}", from.tag,
                                  last.value_or(from.tag)));
    if (!request.by)
      last = from.tag;
    for (const auto& payload : request.payloads) {
      if (i >= found.size() || found[i] != payload)
        return wrong(i, fmt::format("request {} is not whole", from.tag));
      ++i;
    }
  }
  const auto promised = durable_.find(id);
  if (promised == durable_.end())
    return {};
  for (const auto tag : promised->second) {
    const auto& request = requests_[tag];
    const auto first = static_cast<std::size_t>(raw(request.first));
    if (first + request.payloads.size() > found.size())
      return wrong(first, fmt::format("acknowledged request {} is missing",
                                      tag));
    if (!std::equal(request.payloads.begin(), request.payloads.end(),
                    found.begin() + static_cast<std::ptrdiff_t>(first)))
      return wrong(first, fmt::format("acknowledged request {} is elsewhere",
                                      tag));
  }
  return {};
}

} // namespace torpor::test
