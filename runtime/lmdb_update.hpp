// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/catalog.hpp"
#include "runtime/lmdb_databases.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace torpor {

/// One update of the catalog, inside a transaction that its caller begins and
/// commits. Ends before the transaction. Threads: one owner.
class lmdb_update {
public:
  lmdb_update(const lmdb_databases& databases, lmdb_transaction& transaction)
    : databases_{databases},
      transaction_{transaction},
      records_{transaction} {}

  /// Applies changes that are sorted by id. Errors: io_failed, corrupt.
  [[nodiscard]] result<void> apply(const std::vector<catalog_change>& changes);

  [[nodiscard]] result<void> set_state(const catalog_state& state);

private:
  result<void> find_last();
  result<void> put(stream_id id, const stream_record& record);
  result<void> remove(stream_id id);
  result<void> write(stream_id id, const stream_record& record, unsigned flags);
  result<void> put_numbers();
  /// Moves a record's review from one time to another; 0: none.
  result<void> move_review(stream_id id, std::int64_t from_ms,
                           std::int64_t to_ms);

  /// Lets a name lead to `id`, unless it leads to a later stream.
  result<void> lead(std::string_view name, stream_id id);
  /// Removes a name that still leads to `id`.
  result<void> forget(std::string_view name, stream_id id);
  result<void> set_name(std::string_view name, bytes_view body,
                        std::optional<stream_id> id);

  const lmdb_databases& databases_;
  lmdb_transaction& transaction_;
  lmdb_cursor records_;
  std::uint64_t last_ = 0;                   ///< Largest id of `records`.
  std::array<std::uint64_t, 256> numbers_{}; ///< Largest seen, per slot.
  catalog_value scratch_;
};

} // namespace torpor
