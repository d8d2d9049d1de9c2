// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/shared_text.hpp"
#include "server/stream_store.hpp"
#include "torpor/read.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace torpor {

/// A page that came for all who waited at one place, with what was made of it
/// once for all of them. Threads: those of its loop.
class live_page {
public:
  explicit live_page(result<read_page> page) : page_(std::move(page)) {}

  [[nodiscard]] const result<read_page>& page() const noexcept { return page_; }
  /// The body that brings its entries, with their boundaries or without.
  [[nodiscard]] shared_text body(bool boundaries);
  /// The event with its entries; empty if there are none.
  [[nodiscard]] shared_text event();

private:
  result<read_page> page_;
  std::array<shared_text, 2> bodies_; ///< By `boundaries`; null: nobody asked.
  shared_text event_;                 ///< Null: nobody asked.
};

class live_feed;

/// One who waits at the end of a stream.
class live_reader {
public:
  virtual ~live_reader() = default;
  /// What came, or why nothing will. It does not wait any more.
  virtual void deliver(live_page& page) = 0;

private:
  friend class live_feeds;
  live_feed* feed_ = nullptr; ///< Null: it does not wait.
  std::size_t place_ = 0;     ///< In the feed.
};

/// Lets all who wait at one place of one stream share one read of the engine,
/// which is cancelled when the last of them leaves. Threads: those of its loop.
class live_feeds {
public:
  /// `read_bytes_max` of a page.
  live_feeds(stream_store& store, std::uint64_t read_bytes_max);
  ~live_feeds();

  /// Waits for what comes at that place.
  void join(std::shared_ptr<live_reader> reader, stream_id stream,
            sequence from);
  /// Ends the waiting, if it waits.
  void leave(live_reader& reader);

  /// Reads of the engine that are waiting.
  [[nodiscard]] std::size_t size() const noexcept { return feeds_.size(); }

private:
  using key = std::pair<stream_id, sequence>;

  void open(const key& at, live_feed& feed);
  void arrive(const key& at, std::uint64_t ticket, result<read_page> page);

  stream_store& store_;
  std::uint64_t read_bytes_max_;
  std::map<key, std::unique_ptr<live_feed>> feeds_;
};

} // namespace torpor
