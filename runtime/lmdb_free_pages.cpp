// SPDX-License-Identifier: Apache-2.0
#include "runtime/lmdb_free_pages.hpp"

#include "runtime/lmdb_databases.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <vector>

#include <fmt/format.h>

namespace torpor {

namespace {

using page_numbers = std::vector<std::uint64_t>;

constexpr MDB_dbi free_pages = 0;       // LMDB's handle of its own.
constexpr std::uint64_t first_page = 2; // Those before are LMDB's roots.

/// Appends the pages of one value; false when they are no such list.
bool append(bytes_view value, std::uint64_t end, page_numbers& into) {
  page_numbers words(value.size() / sizeof(std::uint64_t));
  if (words.empty())
    return false;
  std::memcpy(words.data(), value.data(), words.size() * sizeof words[0]);
  if (words[0] > words.size() - 1)
    return false;
  const auto first = words.begin() + 1;
  const auto last = first + static_cast<std::ptrdiff_t>(words[0]);
  if (!std::is_sorted(first, last, std::greater{}))
    return false;
  if (first != last && (*first >= end || *(last - 1) < first_page))
    return false;
  into.insert(into.end(), first, last);
  return true;
}

} // namespace

result<void> check_free_pages(const lmdb_transaction& transaction) {
  lmdb_cursor cursor{transaction};
  if (auto opened = cursor.open(free_pages); !opened)
    return opened;
  const auto end = transaction.environment().pages();
  page_numbers all;
  auto found = cursor.move(MDB_FIRST);
  auto sound = true;
  for (; sound && found && *found; found = cursor.move(MDB_NEXT))
    sound = append(cursor.value(), end, all);
  if (!found)
    return tl::unexpected{found.error()};
  std::sort(all.begin(), all.end());
  if (!sound || std::adjacent_find(all.begin(), all.end()) != all.end())
    return fail_damaged(transaction, "its list of free pages");
  const auto missing = transaction.environment().missing_from();
  const auto cut = std::lower_bound(all.begin(), all.end(), missing);
  if (missing < end
      && static_cast<std::uint64_t>(all.end() - cut) != end - missing)
    return fail(errc::corrupt,
                fmt::format("catalog '{}': data.mdb ends at page {} of {}; "
                            "restore it from a copy",
                            transaction.directory(), missing, end));
  return {};
}

} // namespace torpor
