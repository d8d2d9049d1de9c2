// SPDX-License-Identifier: Apache-2.0
#include "tests/daemon/client_notes.hpp"

#include "tests/engine/inspection.hpp"

#include <iterator>

namespace torpor::test {

std::uint64_t client_notes::sent(
  const std::function<history::write_request(std::uint64_t)>& make) {
  const std::lock_guard guard{mutex_};
  auto request = make(history_.size());
  request.bare = true;
  const auto tag = history_.sent(std::move(request));
  log_.sent(tag, history_.at(tag));
  return tag;
}

void client_notes::again(std::uint64_t tag) {
  const std::lock_guard guard{mutex_};
  log_.again(tag);
  history_.again(tag);
}

void client_notes::succeeded(std::uint64_t tag, stream_id stream,
                             sequence first) {
  const std::lock_guard guard{mutex_};
  write_outcome outcome;
  outcome.stream = stream;
  outcome.first = first;
  log_.answered(tag, outcome);
  history_.answered(tag, outcome);
  const auto& request = history_.at(tag);
  if (request.kind == write_kind::create && !forks_.contains(request.stream))
    alive_[stream] = request.stream;
  if (request.kind == write_kind::remove)
    alive_.erase(stream);
}

void client_notes::refused(std::uint64_t tag, errc code) {
  const std::lock_guard guard{mutex_};
  write_outcome outcome;
  outcome.code = code;
  log_.answered(tag, outcome);
  history_.answered(tag, outcome);
}

void client_notes::forking(const std::string& fork, stream_id source) {
  const std::lock_guard guard{mutex_};
  forks_[fork] = source;
}

void client_notes::wrong(const std::string& what) {
  const std::lock_guard guard{mutex_};
  if (wrong_.empty())
    wrong_ = what;
}

std::string client_notes::first_wrong() const {
  const std::lock_guard guard{mutex_};
  return wrong_;
}

std::uint64_t client_notes::requests() const {
  const std::lock_guard guard{mutex_};
  return history_.size();
}

void client_notes::read(const std::string& name, const read_options& asked,
                        const result<read_page>& page,
                        std::uint64_t sent_before) {
  const std::lock_guard guard{mutex_};
  const auto found = history_.judge(name, asked, page, false,
                                    sent_before);
  if (wrong_.empty())
    wrong_ = found;
}

void client_notes::saw(const known_stream& stream, sequence at,
                       const std::string& payload) {
  const std::lock_guard guard{mutex_};
  const auto found = history_.saw(stream.name, stream.id, at, payload);
  if (wrong_.empty() && !found.empty())
    wrong_ = "a reader of '" + stream.name + "': " + found;
}

std::optional<client_notes::known_stream>
client_notes::any_stream(std::size_t choice) const {
  const std::lock_guard guard{mutex_};
  if (alive_.empty())
    return {};
  const auto& [id, name] = *std::next(
    alive_.begin(), static_cast<std::ptrdiff_t>(choice % alive_.size()));
  return known_stream{name, id};
}

bool client_notes::promises(const known_stream& stream, sequence at) const {
  const std::lock_guard guard{mutex_};
  return history_.has_durable(stream.name, at);
}

void client_notes::killed() {
  const std::lock_guard guard{mutex_};
  log_.opened();
  history_.crashed();
}

void client_notes::stopped() {
  const std::lock_guard guard{mutex_};
  std::vector<std::uint64_t> buffered;
  for (std::uint64_t tag = 0; tag < history_.size(); ++tag)
    if (history_.at(tag).known == history::fate::buffered)
      buffered.push_back(tag);
  log_.synced(buffered);
  history_.synced(buffered);
  history_.crashed(); // What had no answer has none.
}

void client_notes::inspect(daemon_store& store) {
  const std::lock_guard guard{mutex_};
  for (const auto& [fork, source] : forks_)
    store.forked(fork, source);
  const auto found = test::inspect(store, history_);
  if (wrong_.empty())
    wrong_ = found;
}

} // namespace torpor::test
