// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/types.hpp"
#include "torpor/write_batch.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace torpor {

/// What and how much to read of a stream.
struct read_options {
  /// In place of `from`: the oldest entry there is.
  static constexpr sequence oldest{~std::uint64_t{0}};

  sequence from{};                       ///< First entry wanted.
  std::optional<std::int64_t> from_time; ///< Instead: first entry at or after, ms since 1970.
  std::uint32_t count_max = 1000;        ///< 1 to 1,000,000 entries.
  std::uint64_t bytes_max = 1u << 20;    ///< 1 to 1 GiB of payload; one entry comes in any case.
  bool tail = false; ///< Instead: what comes from now on.
  /// True: a read at the tail is answered when an entry comes, the stream is
  /// closed or removed, or the read is cancelled.
  bool wait = false;
};

/// Durable entries of one stream, in order. Owns the bytes they point to.
/// Threads: one owner, which changes with the message that carries it.
struct read_page {
  stream_id stream{};
  std::vector<entry_view> entries;
  sequence next_from{};  ///< Where the next read goes on.
  sequence next{};       ///< The stream's next sequence: it is at the tail when both are equal.
  bool closed = false;   ///< No entry will come after `next`.
  bool joint = false;    ///< Ends where a fork leaves its source, not for its size.
  std::string content_type; ///< What the entries are; empty: unknown.
  std::vector<std::unique_ptr<std::byte[]>> buffers;

  read_page() = default;
  read_page(read_page&&) noexcept = default;
  read_page& operator=(read_page&&) noexcept = default;
};

/// Takes the answer of a read. Called on a pool thread: be short, never block.
class read_sink {
public:
  virtual ~read_sink() = default;
  virtual void done(result<read_page> page) = 0;
};

/// The engine's own: whom entries are read for that another stream has.
struct heir {
  stream_id stream{};
  sequence until{}; ///< Its own entries begin there.
  sequence next{};  ///< What its page will say.
  bool closed = false;
  std::string content_type;
};

/// A read on its way.
struct read_request {
  stream_id stream{};   ///< 0: by name.
  std::string name;
  read_options options;
  std::uint64_t ticket = 0; ///< The caller's own, to cancel it by; 0: never.
  std::unique_ptr<read_sink> sink;
  bool repeated = false; ///< The engine's own: it was tried before.
  sequence joint{};        ///< The engine's own: before it there is nothing for it.
  std::unique_ptr<torpor::heir> heir; ///< The engine's own: null for most.
};

/// What is known of a stream.
struct stream_info {
  std::string name;
  stream_id id{};
  sequence first{};         ///< Oldest entry that a reader can have.
  sequence next{};          ///< Durable entries end before it.
  std::int64_t last_ms = 0; ///< Time of the newest durable entry; 0: none yet.
  std::uint64_t bytes = 0;  ///< Of its own entries, as stored; about that after a truncation.
  bool closed = false;
  std::string content_type; ///< Empty: unknown.
  fork_origin origin;       ///< Source 0: not forked.
  std::uint32_t forks = 0;  ///< Living streams forked from it.
  bool awake = false;       ///< Something is buffered or being synced.
  sync_policy policy;
  retention_policy retention; ///< Its own.
  retention_policy keeps;     ///< What holds, with the store's rules; 0: no bound.
  std::uint32_t producers = 0;

  /// How many of its entries are those of the stream it was forked from.
  [[nodiscard]] std::uint64_t inherited() const noexcept {
    return raw(origin.at) > raw(first) ? raw(origin.at) - raw(first) : 0;
  }
};

} // namespace torpor
