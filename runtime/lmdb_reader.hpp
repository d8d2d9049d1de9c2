// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/catalog.hpp"
#include "runtime/lmdb_databases.hpp"

#include <memory>
#include <mutex>
#include <optional>

namespace torpor {

/// What the readers of one catalog read. When LMDB fails for good because it
/// could not write, readers go on with what is durable.
/// Threads: any; guarded by mutex_.
class lmdb_source {
public:
  explicit lmdb_source(lmdb_databases databases)
    : databases_{std::move(databases)} {}

  [[nodiscard]] lmdb_databases databases();

  /// Opens anew, to read only, what failed with `failed`, unless somebody did.
  [[nodiscard]] result<lmdb_databases> reopen(const lmdb_databases& failed);

private:
  std::mutex mutex_;
  lmdb_databases databases_;
};

/// Looks up one thing at a time. Between lookups it keeps a slot of the lock
/// table and no page. Threads: one owner.
class lmdb_reader final : public catalog_reader {
public:
  explicit lmdb_reader(std::shared_ptr<lmdb_source> source);

  result<std::optional<stream_record>> find(stream_id id) override;
  result<std::optional<stream_id>> find(std::string_view name) override;
  result<std::vector<std::pair<std::string, stream_id>>>
  list(std::string_view prefix, std::string_view after, std::size_t count_max,
       std::uint32_t shard, std::uint32_t shards) override;
  result<std::vector<stream_review>>
  reviews(stream_review after, stream_review until, std::size_t count_max,
          std::uint32_t shard, std::uint32_t shards) override;

  [[nodiscard]] result<catalog_state> state();
  [[nodiscard]] result<std::uint64_t> count();
  [[nodiscard]] result<std::vector<std::uint64_t>> numbers();
  [[nodiscard]] result<void> verify();

private:
  result<void> begin();

  /// Runs `look` in a transaction of its own.
  template <class Look>
  auto lookup(Look look) -> decltype(look()) {
    if (auto begun = begin(); !begun)
      return tl::unexpected{std::move(begun.error())};
    auto found = look();
    transaction_->end_read();
    return found;
  }

  std::shared_ptr<lmdb_source> source_;
  lmdb_databases databases_;
  std::optional<lmdb_transaction> transaction_;
};

} // namespace torpor
