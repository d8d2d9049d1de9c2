// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "torpor/error.hpp"
#include "torpor/read.hpp"
#include "torpor/types.hpp"
#include "torpor/write_batch.hpp"

#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace torpor {

class engine;

/// One entry of an append with its properties.
struct new_entry {
  bytes_view payload;
  std::vector<property> properties;
};

/// What an acknowledged append was given.
struct append_result {
  sequence first{};        ///< Of its first entry; the others follow.
  std::uint32_t count = 0; ///< Entries.
  bool duplicate = false;  ///< A producer's retry: the first answer again.
};

/// A handle to one stream, cheap to copy. It stays with the stream that it met
/// first: when that one is deleted, calls fail with not_found, also when a new
/// stream has the name; ask the runtime for a new handle then.
/// Futures become ready on pool threads. Threads: any.
class stream {
public:
  stream(std::shared_ptr<torpor::engine> engine, std::string name);

  [[nodiscard]] const std::string& name() const noexcept;
  /// 0 until an append, create or info was answered.
  [[nodiscard]] stream_id id() const noexcept;

  /// Appends one entry (0 to 16 MiB), or several, all or none. The stream is
  /// made when it does not exist, unless that is switched off. Errors:
  /// invalid_argument, too_large, closed, not_found, conflict, fenced,
  /// overloaded (nothing changed, retry), io_failed, shut_down.
  [[nodiscard]] std::future<result<append_result>>
  append(bytes_view payload, const append_options& how = {}) const;
  [[nodiscard]] std::future<result<append_result>>
  append(const std::vector<new_entry>& entries,
         const append_options& how = {}) const;

  /// Makes everything durable that was appended before. Errors: not_found.
  [[nodiscard]] std::future<result<void>> sync() const;
  /// Ends the stream: no more entries, reads go on. Again: no error.
  [[nodiscard]] std::future<result<void>> close() const;
  /// Deletes the stream and all its entries, durably.
  [[nodiscard]] std::future<result<void>> remove() const;
  /// Deletes the entries before a sequence, durably: readers miss them at once,
  /// the disk with a later merge. What is deleted already: no error.
  /// Errors: not_found, out_of_range (beyond the next sequence).
  [[nodiscard]] std::future<result<void>> truncate(sequence before) const;
  /// Replaces the stream's own policy; it is stored in its record.
  [[nodiscard]] std::future<result<void>>
  set_policy(const sync_policy& policy) const;

  /// Replaces what stays of the stream; it is stored in its record, and what is
  /// too much goes at once. Its time to live begins anew.
  /// Errors: not_found, invalid_argument.
  [[nodiscard]] std::future<result<void>>
  set_retention(const retention_policy& keep) const;

  [[nodiscard]] std::future<result<stream_info>> info() const;

  /// Reads durable entries. Errors: not_found, out_of_range (before the first
  /// or beyond the next sequence), corrupt (names stream and range).
  [[nodiscard]] std::future<result<read_page>>
  read(const read_options& options = {}) const;

private:
  friend class follower;
  friend class appender;

  struct shared {
    std::shared_ptr<torpor::engine> engine;
    std::string name;
    std::atomic<std::uint64_t> id{0};
  };

  [[nodiscard]] stream_ref ref() const noexcept;
  template <class T, class Fill, class Map>
  [[nodiscard]] std::future<result<T>> write(Fill fill, Map map) const;

  std::shared_ptr<shared> shared_;
};

/// Reads a stream from a place on and stays at its tail: catches up first,
/// then gets entries as they become durable. Holds at most one page, and
/// nothing at all in the store while it is behind. Threads: one owner;
/// `cancel` any.
class follower {
public:
  /// `options.wait` is taken as true.
  follower(torpor::stream source, const read_options& options);

  /// The next page; ready when at least one entry is there. An empty page says
  /// that the stream is closed and read to its end, or `cancel` was called.
  [[nodiscard]] std::future<result<read_page>> next();

  /// States how far the last page was read.
  void advance(const read_page& page);

  /// Ends a `next` that waits.
  void cancel();

private:
  torpor::stream source_;
  read_options options_;
  std::uint64_t ticket_;
};

} // namespace torpor
