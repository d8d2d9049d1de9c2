// SPDX-License-Identifier: Apache-2.0
// The catalog is cut off, older, another store's, or has flipped bits.
#include "runtime/posix_disk.hpp"
#include "tests/damage/attempt.hpp"
#include "tests/damage/kinds.hpp"
#include "tests/damage/old_store.hpp"
#include "tests/damage/real_store.hpp"
#include "tests/damage/tally.hpp"
#include "tests/system/child.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <stdexcept>

namespace torpor::test {

namespace {

const std::string catalog_file = "catalog/data.mdb";
constexpr std::size_t page_bytes = 4096;

/// A store whose catalog is replaced by another one.
class catalog_case {
public:
  catalog_case(const lived_store& lived, std::string directory)
    : lived_(lived),
      directory_(std::move(directory)),
      files_(real_image(lived, lived.end(), lived.end().updates, directory_)),
      truth_(must_read(lived.config, lived.records_at(lived.end()),
                       lived.end().files)) {
    if (auto wrong = compare(lived, truth_); !wrong.empty())
      throw std::runtime_error{wrong};
  }

  [[nodiscard]] const std::string& catalog() const {
    return files_.at(catalog_file);
  }

  /// The catalog as it was after some of its updates.
  [[nodiscard]] std::string older(std::size_t updates) const {
    return real_image(lived_, lived_.end(), updates, directory_)
      .at(catalog_file);
  }

  [[nodiscard]] real_end try_with(std::string catalog) const {
    auto files = files_;
    files.at(catalog_file) = std::move(catalog);
    return try_real(lived_.config, files, truth_, directory_);
  }

  [[nodiscard]] std::string flip(std::uint64_t bit, tally& ends) const;
  /// Whether reading all of a catalog shows that it is damaged.
  [[nodiscard]] bool is_seen(const std::string& catalog) const;

private:
  const lived_store& lived_;
  std::string directory_;
  store_image files_;
  store_reading truth_;
};

/// LMDB's pages have no checksums: what damage to the tree does is not
/// promised, but for two things: no wrong byte of an entry, and what makes a stream
/// go is seen by who reads all.
std::string catalog_case::flip(std::uint64_t bit, tally& ends) const {
  auto damaged = catalog();
  damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
  const auto end = try_with(damaged);
  ends.add(end.how);
  if (end.text.find("wrong bytes") != std::string::npos)
    return end.text;
  if (end.how != real_end::wrong)
    return {};
  fmt::print("catalog, bit {}: {}\n", bit, end.text);
  return is_seen(damaged) ? std::string{} : end.text + ", and nothing tells";
}

bool catalog_case::is_seen(const std::string& catalog) const {
  posix_disk disk;
  put_image({{catalog_file, catalog}}, disk, directory_);
  const auto child = in_child([&]() -> std::string {
    const auto opened = open_lmdb_catalog(catalog_directory(directory_),
                                          catalog_access::read);
    return opened && (*opened)->verify() ? "" : "damaged";
  });
  std::filesystem::remove_all(directory_);
  return child.complaint == "damaged"; // And did not die of it.
}

/// It is as if nothing was, or the error says what.
std::string judge(const real_end& end) {
  if (end.how == real_end::wrong || end.how == real_end::died)
    return end.text;
  if (end.how == real_end::refused && !end.changed.empty())
    return "refused, but " + end.changed;
  return {};
}

} // namespace

bool damage_catalog(const effort& how) {
  const scratch place;
  const auto lived = live_long(3, false);
  const auto foreign = live_long(4, false);
  const catalog_case one{lived, place.path() + "/store"};
  const catalog_case other{foreign, place.path() + "/other"};
  if (one.is_seen(one.catalog()))
    throw std::runtime_error{"a sound catalog is called damaged"};
  const auto pages = one.catalog().size() / page_bytes;
  fmt::print("catalog: {} pages, {} updates\n", pages, lived.records->updates());
  tally cuts;
  tally olds;
  tally flips;
  const auto noted = [](tally& into, const real_end& end) {
    into.add(end.how);
    return judge(end);
  };
  auto alone = how;
  alone.jobs = 1; // It forks.
  auto each = alone;
  each.stride = 1;
  const case_series cut{"catalog, cuts", pages, [&](auto at) {
                       return noted(cuts, one.try_with(one.catalog().substr(
                                            0, at * page_bytes)));
                     }, {}};
  const case_series old{"catalog, older", lived.end().updates, [&](auto at) {
                       return noted(olds, one.try_with(one.older(at)));
                     }, {}};
  const case_series strange{"catalog, another store's", 1, [&](auto) {
                           return noted(olds, one.try_with(other.catalog()));
                         }, {}};
  const case_series flip{"catalog, bits", one.catalog().size() * 8,
                      [&](auto bit) { return one.flip(bit, flips); }, {}};
  if (!run(cut, each) || !run(old, each) || !run(strange, each)
      || !run(flip, alone))
    return false;
  cuts.print("catalog, cuts");
  olds.print("catalog, older and another store's");
  flips.print("catalog, bits");
  return true;
}

} // namespace torpor::test
