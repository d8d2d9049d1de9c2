// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/engine/history.hpp"
#include "tests/engine/inspection.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace torpor::test {

/// Judges the answer of a store that does not open, for a disk of which syncs
/// lied of these files and directories: it names one whose damage they explain.
/// Empty when all is well, else what is wrong.
[[nodiscard]] std::string judge_refusal(const error& why,
                                        const std::set<std::string>& lied_of);

/// Judges a store whose disk lied and then lost its power. What was
/// acknowledged before the lies is there, or a read names it as damaged. What
/// came later may be missing without a word, but only as the end of everything:
/// when an entry is missing, so is each one that was sent after its
/// acknowledgement. Nothing excuses an entry that is there twice. Threads: one
/// owner.
class lie_judge {
public:
  /// The disk lied from the `before`th request on.
  lie_judge(inspected& store, const history& promised, std::uint64_t before)
    : store_(store),
      promised_(promised),
      before_(before) {}

  /// Somebody was told already that the journal is damaged: anything that was
  /// acknowledged after the lies had begun may be missing.
  void know_damage() { knows_damage_ = true; }

  /// Empty when all is well, else what is wrong.
  [[nodiscard]] std::string judge();

  /// Entries that reads named as damaged, and those that are missing.
  [[nodiscard]] std::uint64_t named() const { return named_; }
  [[nodiscard]] std::uint64_t silent() const { return silent_; }

private:
  struct stream {
    stream_info info;
    std::map<std::uint64_t, std::string> entries;
    std::set<std::string> payloads; ///< Theirs: no two are the same.
    std::set<std::uint64_t> named;
  };

  [[nodiscard]] std::string look(stream& found);
  [[nodiscard]] std::string take(stream& found, sequence wanted_from,
                                 const read_page& page);
  [[nodiscard]] std::string judge(std::uint64_t tag);
  [[nodiscard]] std::string miss(std::uint64_t tag, std::string_view what);

  inspected& store_;
  const history& promised_;
  std::uint64_t before_;
  bool knows_damage_ = false;
  std::map<stream_id, stream> found_;
  std::uint64_t named_ = 0;
  std::uint64_t silent_ = 0;
  std::uint64_t missing_from_ = ~std::uint64_t{
    0};                       ///< Tags from here on are missing.
  std::uint64_t missing_ = 0; ///< The request that says so.
};

} // namespace torpor::test
