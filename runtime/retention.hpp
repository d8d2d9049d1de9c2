// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/block.hpp"
#include "runtime/stream_record.hpp"
#include "torpor/options.hpp"
#include "torpor/types.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace torpor {

/// The store's rules for what stays of which streams. Threads: any, to read.
class retention_rules {
public:
  retention_rules() = default;
  /// The rules have been validated.
  explicit retention_rules(const std::map<std::string, retention_rule>& rules);

  /// By prefix.
  [[nodiscard]] const std::map<std::string, retention_policy, std::less<>>&
  all() const noexcept {
    return rules_;
  }

  /// What holds for a new stream of that name; 0: no bound.
  [[nodiscard]] retention_policy of(std::string_view name) const;

  /// The same for a stream with a policy of its own: each number of that, or
  /// else of the rule.
  [[nodiscard]] retention_policy of(std::string_view name,
                                    const retention_policy& own) const;
  [[nodiscard]] retention_policy of(const stream_record& record) const;

private:
  std::map<std::string, retention_policy, std::less<>> rules_;
};

/// The record's settings, made when it has none.
stream_settings& settings_of(stream_record& record);

/// Counts entries that have been added behind `next`, whose newest older entry
/// has that time. Without a bound on age or bytes nothing is counted,
/// and what was is forgotten.
void count_entries(stream_record& record, const retention_policy& keep,
                   const block_view& block, std::int64_t before_ms);

/// Forgets what was counted of entries before the record's first.
void forget_entries(stream_record& record);

/// What is about to be added to a record.
struct ahead {
  sequence next{};
  std::uint64_t bytes = 0; ///< Of the entries, as stored.
};

/// The first entry that stays, if that is not the record's first already. Runs
/// of entries are kept or go as a whole (`retained_run`), so up to a 16th of age
/// stays longer and of bytes goes early; the number of entries is exact. The
/// newest entry goes by age only. Entries that nobody counted, because there
/// was no such bound then, are as old as the newest of them and equally large.
[[nodiscard]] std::optional<sequence>
cut(const stream_record& record, const retention_policy& keep,
    std::int64_t now_ms, const ahead& coming);

/// Whether the whole stream has to go.
[[nodiscard]] bool expired(const stream_record& record,
                           const retention_policy& keep, std::int64_t now_ms);

/// When something of the stream will have to go though nothing comes: ms since
/// 1970; 0: never.
[[nodiscard]] std::int64_t next_review(const stream_record& record,
                                       const retention_policy& keep);

} // namespace torpor
