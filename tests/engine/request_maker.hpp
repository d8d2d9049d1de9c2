// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/engine/history.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace torpor::test {

/// Makes random requests to a dozen streams, and numbers those of idempotent
/// producers: one a stream, with one request at a time. Threads: one at a time.
class request_maker {
public:
  /// So many appends of a hundred have entries of up to 9,000 bytes, the others
  /// of 300.
  request_maker(std::mt19937_64& random, unsigned large_percent)
    : random_(random),
      large_percent_(large_percent) {}

  [[nodiscard]] std::string name();

  /// An append that will have this tag.
  [[nodiscard]] history::write_request append(std::uint64_t tag);
  /// Before a place that is there, as a rule.
  [[nodiscard]] history::write_request truncate(const history& known);

  // -- what is not asked of real stores --------------------------------------

  /// From now on there are streams that only forks make, and, if wanted, those
  /// below "t1/" get bounds.
  void widen(bool bounds) {
    forks_ = true;
    bounds_ = bounds;
  }
  /// What an append can have besides its entries.
  void vary(history::write_request& append, const history& known);
  /// With entries, bounds and a content type, or without.
  [[nodiscard]] history::write_request create(std::uint64_t tag,
                                              std::int64_t now_ms);
  /// Of a place that is there, as a rule.
  [[nodiscard]] history::write_request fork(std::uint64_t tag,
                                            const history& known);
  /// None when no stream has bounds.
  [[nodiscard]] std::optional<history::write_request>
  retention(std::int64_t now_ms);
  /// A producer's append that is known to be there.
  [[nodiscard]] std::optional<std::uint64_t> settled(const history& known);

  /// A request was answered, as the history knows.
  void answered(std::uint64_t tag, const history::write_request& request);

  /// The requests of producers that nobody knows the fate of: to be sent again.
  [[nodiscard]] std::vector<std::uint64_t> open() const;

private:
  /// A stream's producer and its last append.
  struct producing {
    producer next{"p", 0, 0};
    std::uint64_t tag = 0;
    bool open = false; ///< `tag` has no answer that settles it.
  };

  [[nodiscard]] std::uint64_t pick(std::uint64_t below) {
    return random_() % below;
  }
  [[nodiscard]] bool chance(unsigned percent) { return pick(100) < percent; }
  [[nodiscard]] std::string fork_name();
  void add_entries(history::write_request& to, std::uint64_t tag,
                   std::uint64_t count);
  [[nodiscard]] retention_policy keep(std::int64_t now_ms);

  std::mt19937_64& random_;
  unsigned large_percent_;
  bool forks_ = false;
  bool bounds_ = false;
  std::uint64_t orders_ = 0;
  std::map<std::string, producing> producers_;
};

} // namespace torpor::test
