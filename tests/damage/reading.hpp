// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/inspected_store.hpp"
#include "tests/damage/life.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace torpor::test {

/// A stream as a reader finds it.
struct read_stream {
  std::string name;
  std::string facts; ///< What else is told of it, in words.
  sequence first{};
  std::vector<std::string> entries; ///< Times and payloads, from `first` on.
  std::string by_time; ///< Where a read by time begins; empty: refused.
  std::optional<error> refused; ///< What ended the reading.
};

/// All that a reader gets of a store.
struct store_reading {
  std::map<stream_id, read_stream> streams;
  std::set<stream_id> buried;             ///< Deleted, there for forks.
  std::optional<error> incomplete;        ///< As `inspected_store::whole` says.
  std::optional<error> unlisted;          ///< What ended the list of streams.
  std::vector<journal_damage> damages;    ///< What the opening has told.
};

/// Reads everything in small pages.
[[nodiscard]] store_reading read_all(inspected_store& from);

/// Whether what was acknowledged is there. Empty, or what is wrong.
[[nodiscard]] std::string compare(const lived_store& told,
                                  const store_reading& found);

/// What a damaged store gives, held against what it was.
struct comparison {
  std::string wrong;             ///< Empty: no wrong byte, no silent gap.
  std::set<stream_id> refused;   ///< Streams that gave an error.
};

/// Each stream is as it was, or gives an error that names it and the range and
/// before that nothing but what was there. Those in `shortened` may also lack
/// entries or be missing, because somebody was told of that already.
[[nodiscard]] comparison compare(const store_reading& truth,
                                 const store_reading& found,
                                 const std::set<stream_id>& shortened = {});

/// `what` and all streams that have entries from one of them.
[[nodiscard]] std::set<stream_id> with_forks(const store_reading& truth,
                                             std::set<stream_id> what);

} // namespace torpor::test
