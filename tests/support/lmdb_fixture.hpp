// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/catalog.hpp"
#include "tests/support/scratch_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace torpor::test {

/// A place for a catalog on disk, which goes away with its content.
class catalog_place {
public:
  [[nodiscard]] const std::string& root() const { return directory_.path(); }
  [[nodiscard]] std::string catalog() const { return root() + "/catalog"; }
  [[nodiscard]] std::string data() const { return catalog() + "/data.mdb"; }

private:
  scratch_directory directory_;
};

constexpr stream_id make_id(std::uint64_t number) {
  return stream_id{number << 8};
}

inline catalog_change put(std::uint64_t number, std::string name,
                          std::uint64_t next = 0) {
  stream_record record;
  record.name = std::move(name);
  record.next = sequence{next};
  return {make_id(number), std::move(record)};
}

/// Streams `from` to `to` with names of 500 bytes: about 1 KB each.
inline std::vector<catalog_change> large(std::uint64_t from, std::uint64_t to) {
  std::vector<catalog_change> changes;
  for (auto number = from; number < to; ++number) {
    auto name = std::to_string(number) + '/';
    changes.push_back(put(number, name.append(500 - name.size(), 'n')));
  }
  return changes;
}

inline std::unique_ptr<catalog> reopen(const catalog_place& at,
                                       catalog_access how
                                       = catalog_access::create) {
  auto opened = open_lmdb_catalog(at.catalog(), how);
  REQUIRE_MESSAGE(opened, (opened ? "" : to_string(opened.error())));
  return std::move(*opened);
}

inline void update(catalog& into, catalog_change change) {
  std::vector<catalog_change> list;
  list.push_back(std::move(change));
  REQUIRE(into.update(list, std::nullopt));
}

/// Creates the catalog with one stream, 1, of that name.
inline void create(const catalog_place& at, const std::string& name) {
  update(*reopen(at), put(1, name));
}

inline error refused(const catalog_place& at,
                     catalog_access how = catalog_access::create) {
  auto opened = open_lmdb_catalog(at.catalog(), how);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().context.find(at.catalog()) != std::string::npos);
  return opened.error();
}

inline std::string slurp(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator{in}, {}};
}

inline void spill(const std::string& path, std::string_view content) {
  std::ofstream{path, std::ios::binary}.write(
    content.data(), static_cast<std::streamsize>(content.size()));
}

} // namespace torpor::test
