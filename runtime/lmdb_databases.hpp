// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/catalog_values.hpp"
#include "runtime/lmdb_transaction.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace torpor {

/// The catalog's databases in an open environment (docs/catalog-format.md).
/// A handle: cheap to copy. Threads: any.
struct lmdb_databases {
  static constexpr std::string_view state_key = "state";

  /// Makes a new, empty catalog in a directory that has none.
  [[nodiscard]] static result<void> create(const std::string& directory);

  /// Errors: incompatible when it is not a catalog or a newer one, corrupt,
  /// io_failed.
  [[nodiscard]] static result<lmdb_databases> open(const std::string& directory,
                                                   lmdb_access access);

  std::shared_ptr<lmdb_environment> environment;
  MDB_dbi meta = 0;    ///< Text -> format version, state.
  MDB_dbi records = 0; ///< Stream id, u64 -> record.
  MDB_dbi names = 0;   ///< The first 511 bytes of a name -> targets.
  MDB_dbi numbers = 0; ///< Slot, u32 -> largest number of its ids.
  MDB_dbi reviews = 0; ///< Time and stream id -> nothing, sealed. 0: not there.
};

/// The bytes of a fixed-size key.
template <class T>
[[nodiscard]] bytes_view as_key(const T& key) noexcept {
  return std::as_bytes(std::span{&key, 1});
}

/// "catalog 'x': `what` is damaged", and what to do.
[[nodiscard]] tl::unexpected<error>
fail_damaged(const lmdb_transaction& transaction, std::string_view what);

/// The body of a sealed value, or nullopt when there is none. Errors: corrupt,
/// naming what `describe` returns.
template <class Describe>
[[nodiscard]] result<std::optional<bytes_view>>
get_sealed(const lmdb_transaction& transaction, MDB_dbi database,
           bytes_view key, Describe describe) {
  const auto value = transaction.get(database, key);
  if (!value || !*value)
    return value;
  const auto body = unseal(key, **value);
  if (!body)
    return fail_damaged(transaction, describe());
  return body;
}

} // namespace torpor
