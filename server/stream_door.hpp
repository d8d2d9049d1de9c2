// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/io_loop.hpp"
#include "server/live_feed.hpp"
#include "server/stream_cursor.hpp"
#include "server/stream_store.hpp"
#include "server/write_collector.hpp"

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// How the protocol is spoken (docs/configuration.md).
struct stream_options {
  std::uint64_t
    read_bytes_max = 1u << 20; ///< Of one answer; one entry comes in any case.
  std::uint32_t long_poll_ms = 20'000;    ///< How long it waits.
  std::uint32_t sse_lifetime_ms = 60'000; ///< Then the client connects again.
  std::vector<std::string>
    buffered; ///< Prefixes of streams whose appends are acknowledged at once.
  bool tls = false; ///< Clients come by https.
};

/// What all requests to streams on one loop share.
struct stream_door {
  stream_door(io_loop& on, stream_store& of, stream_options given)
    : loop(on),
      store(of),
      options(std::move(given)),
      writes(on, of),
      feeds(of, options.read_bytes_max) {}

  /// Whether appends to the stream are acknowledged before they are durable.
  [[nodiscard]] bool buffers(std::string_view stream) const {
    for (const auto& prefix : options.buffered)
      if (stream.starts_with(prefix))
        return true;
    return false;
  }

  /// The cursor of a live answer to a client that sent that one.
  [[nodiscard]] std::uint64_t cursor(std::optional<std::uint64_t> client) {
    return cursor_after(cursor_at(loop.time().wall_ms()), client,
                        static_cast<std::uint32_t>(random()));
  }

  io_loop& loop;
  stream_store& store;
  stream_options options;
  write_collector writes;
  live_feeds feeds;
  std::minstd_rand random{std::random_device{}()};
};

} // namespace torpor
