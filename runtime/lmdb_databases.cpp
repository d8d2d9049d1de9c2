// SPDX-License-Identifier: Apache-2.0
#include "runtime/lmdb_databases.hpp"

#include <fmt/format.h>

namespace torpor {

namespace {

constexpr std::uint64_t format_version = 1;
constexpr std::string_view format_key = "format";

result<void> put_sealed(lmdb_transaction& transaction, MDB_dbi database,
                        std::string_view key, catalog_value body) {
  seal(as_bytes(key), body);
  return transaction.put(database, as_bytes(key), body);
}

/// Opens one database after the other; the first error stands.
class opener {
public:
  opener(lmdb_transaction& transaction, unsigned flags)
    : transaction_{transaction},
      flags_{flags} {}

  void operator()(const char* name, unsigned flags, MDB_dbi& into) {
    if (!opened)
      return;
    const auto database = transaction_.open_database(name, flags | flags_);
    if (database)
      into = *database;
    else
      opened = tl::unexpected{database.error()};
  }

  result<void> opened;

private:
  lmdb_transaction& transaction_;
  unsigned flags_;
};

/// `flags`: 0 or MDB_CREATE.
result<void> open_all(lmdb_transaction& transaction, unsigned flags,
                      lmdb_databases& into) {
  opener open{transaction, flags};
  open("meta", 0, into.meta);
  open("records", MDB_INTEGERKEY, into.records);
  open("names", 0, into.names);
  open("numbers", MDB_INTEGERKEY, into.numbers);
  // Later than the others: who only reads may find a catalog without it.
  const auto reviews = transaction.open_database("reviews", flags);
  if (reviews)
    into.reviews = *reviews;
  else if (flags != 0 || reviews.error().code != errc::incompatible)
    return tl::unexpected{reviews.error()};
  return open.opened;
}

tl::unexpected<error> fail_foreign(const std::string& directory) {
  return fail(errc::incompatible,
              fmt::format("catalog '{}': data.mdb is an LMDB file, but not of "
                          "Torpor; choose another directory or move the file "
                          "away",
                          directory));
}

result<void> check_format(const lmdb_transaction& transaction, MDB_dbi meta) {
  const auto body = get_sealed(transaction, meta, as_bytes(format_key),
                               [] { return "its format version"; });
  if (!body)
    return tl::unexpected{body.error()};
  if (!*body)
    return fail_foreign(transaction.directory());
  const auto version = decode_number(**body);
  if (!version)
    return fail_damaged(transaction, "its format version");
  if (*version != format_version)
    return fail(errc::incompatible,
                fmt::format("catalog '{}' has format {}, this build reads {}; "
                            "open it with the version of Torpor that wrote it",
                            transaction.directory(), *version, format_version));
  return {};
}

result<void> fill(lmdb_environment& environment) {
  // The environment belongs to the caller, who outlives this function.
  lmdb_transaction transaction{
    std::shared_ptr<lmdb_environment>{&environment, [](auto*) {}}};
  lmdb_databases databases;
  catalog_value format;
  catalog_value state;
  encode_number(format_version, format);
  encode(catalog_state{}, state);
  return transaction.begin_write()
    .and_then([&] { return open_all(transaction, MDB_CREATE, databases); })
    .and_then([&] {
      return put_sealed(transaction, databases.meta, format_key, format);
    })
    .and_then([&] {
      return put_sealed(transaction, databases.meta, lmdb_databases::state_key,
                        state);
    })
    .and_then([&] { return transaction.commit(); });
}

} // namespace

result<void> lmdb_databases::create(const std::string& directory) {
  return lmdb_environment::create(directory, fill);
}

result<lmdb_databases> lmdb_databases::open(const std::string& directory,
                                            lmdb_access access) {
  auto environment = lmdb_environment::open(directory, access);
  if (!environment)
    return tl::unexpected{environment.error()};
  lmdb_transaction transaction{*environment};
  if (const int rc = transaction.begin_read(); rc != 0)
    return transaction.failed("begin", rc);
  // The version decides which databases there must be: it is read first.
  auto meta = transaction.open_database("meta", 0);
  if (!meta) {
    if (meta.error().code == errc::incompatible)
      return fail_foreign(directory);
    return tl::unexpected{meta.error()};
  }
  const auto writes = access == lmdb_access::write;
  lmdb_databases databases{.environment = *environment};
  return check_format(transaction, *meta)
    .and_then([&]() -> result<void> {
      // A database that older versions do not have is made.
      return writes ? transaction.commit().and_then(
               [&] { return transaction.begin_write(); })
                    : result<void>{};
    })
    .and_then([&] {
      return open_all(transaction, writes ? MDB_CREATE : 0, databases);
    })
    .and_then([&] { return transaction.commit(); }) // Keeps the handles.
    .map([&] { return databases; });
}

tl::unexpected<error> fail_damaged(const lmdb_transaction& transaction,
                                   std::string_view what) {
  return fail(errc::corrupt, fmt::format("catalog '{}': {} is damaged; "
                                         "restore data.mdb from a copy",
                                         transaction.directory(), what));
}

} // namespace torpor
