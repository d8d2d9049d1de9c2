// SPDX-License-Identifier: Apache-2.0
#include "server/live_feed.hpp"

#include "server/page_body.hpp"

#include <atomic>

namespace torpor {

/// Those who wait at one place.
class live_feed {
public:
  std::pair<stream_id, sequence> at;
  std::uint64_t ticket = 0; ///< Of the engine's read.
  std::vector<std::shared_ptr<live_reader>> readers;
};

namespace {

/// A shard has the reads of all loops.
std::uint64_t next_ticket() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

} // namespace

shared_text live_page::body(bool boundaries) {
  auto& text = bodies_[boundaries ? 1 : 0];
  if (!text)
    text = share(body_of(*page_, boundaries));
  return text;
}

shared_text live_page::event() {
  if (!event_)
    event_ = share(event_of(*page_));
  return event_;
}

live_feeds::live_feeds(stream_store& store, std::uint64_t read_bytes_max)
  : store_(store),
    read_bytes_max_(read_bytes_max) {}

live_feeds::~live_feeds() = default;

void live_feeds::join(std::shared_ptr<live_reader> reader, stream_id stream,
                      sequence from) {
  const key at{stream, from};
  auto& feed = feeds_[at];
  if (!feed) {
    feed = std::make_unique<live_feed>();
    open(at, *feed);
  }
  reader->feed_ = feed.get();
  reader->place_ = feed->readers.size();
  feed->readers.push_back(std::move(reader));
}

void live_feeds::open(const key& at, live_feed& feed) {
  feed.at = at;
  feed.ticket = next_ticket();
  auto request = std::make_unique<read_request>();
  request->stream = at.first;
  request->options.from = at.second;
  request->options.bytes_max = read_bytes_max_;
  request->options.wait = true;
  request->ticket = feed.ticket;
  store_.read(std::move(request),
              [this, at, ticket = feed.ticket](result<read_page> page) {
                arrive(at, ticket, std::move(page));
              });
}

void live_feeds::arrive(const key& at, std::uint64_t ticket,
                        result<read_page> page) {
  const auto found = feeds_.find(at);
  if (found == feeds_.end() || found->second->ticket != ticket)
    return; // All have left; others may have come.
  const auto feed = std::move(found->second);
  feeds_.erase(found);
  live_page shared{std::move(page)};
  for (const auto& reader : feed->readers)
    reader->feed_ = nullptr;
  for (const auto& reader : feed->readers)
    reader->deliver(shared);
}

void live_feeds::leave(live_reader& reader) {
  auto* const feed = std::exchange(reader.feed_, nullptr);
  if (feed == nullptr)
    return;
  auto& readers = feed->readers;
  readers.back()->place_ = reader.place_;
  std::swap(readers[reader.place_], readers.back());
  const auto last = std::move(
    readers.back()); // It may be the last that knows it.
  readers.pop_back();
  if (!readers.empty())
    return;
  store_.cancel(feed->at.first, feed->ticket);
  feeds_.erase(feed->at);
}

} // namespace torpor
