// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/http_load.hpp"
#include "cli/http_url.hpp"
#include "cli/load_generator.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace torpor {

/// The streams of a bench over HTTP and what was acknowledged of each. Stream i
/// belongs to connection i % connections, so it has one writer.
/// Threads: each element that of its connection.
struct http_bench_streams {
  struct kept {
    std::string begin;       ///< The offset behind what was there before.
    std::uint64_t acked = 0; ///< Entries.
    std::uint64_t found = 0; ///< Bytes read back from `begin` on.
  };

  http_bench_streams(http_url to, const std::string& token,
                     std::uint64_t count, std::uint32_t writers);

  /// How many streams a connection has.
  [[nodiscard]] std::uint64_t share(std::uint32_t connection) const {
    return (streams.size() - connection + connections - 1) / connections;
  }
  /// The n-th of them.
  [[nodiscard]] std::uint64_t pick(std::uint32_t connection,
                                   std::uint64_t n) const {
    return connection + n * connections;
  }

  http_url url;
  std::string common; ///< Header lines of every request.
  std::uint32_t connections;
  std::vector<kept> streams;
};

/// Makes all streams; those that are there are kept. `all` must outlive it.
[[nodiscard]] std::unique_ptr<http_load_source>
http_stream_maker(http_bench_streams& all);

struct http_append_options {
  std::uint32_t entry_bytes = 256;
  /// Each stream has a producer of this epoch, so that an append that is sent
  /// again is written once; 0: none.
  std::uint64_t epoch = 0;
  std::uint64_t seed = 1;
};

/// One entry after another, cut out of `pool`, each for one of the
/// connection's streams chosen at random, evenly.
[[nodiscard]] std::unique_ptr<http_load_source>
http_appends(http_bench_streams& all, const http_append_options& how,
             const std::string& pool);

/// Reads back what came since the streams were made.
[[nodiscard]] std::unique_ptr<http_load_source>
http_read_back(http_bench_streams& all);

} // namespace torpor
