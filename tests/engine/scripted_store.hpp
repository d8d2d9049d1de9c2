// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/engine/simulated_store.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace torpor::test {

/// A simulated store that is driven step by step, without chance, and knows
/// what it was promised. Its segments are not compressed, so that bytes can be
/// reckoned with.
class scripted_store : public simulated_store {
public:
  scripted_store();
  ~scripted_store();

  /// Opens the store, or ends the test.
  void must_open();

  /// Appends entries of so many bytes at once, durable; true when that was
  /// acknowledged.
  bool append(const std::string& stream, std::size_t bytes,
              std::size_t count = 1);

  /// Appends entries of 6,000 bytes to some streams until the condition holds;
  /// false when it never does, or the disk fails for good.
  bool append_until(const std::function<bool()>& reached);
  /// The same until so many segments were begun since the store was made and
  /// the sealer rests.
  bool append_until_sealed(std::uint64_t segments);

  /// Deletes entries or a stream; true when that was acknowledged.
  bool truncate(const std::string& stream, std::uint64_t before);
  bool remove(const std::string& stream);

  /// All that was acknowledged is there, nothing that was deleted is, and what
  /// was refused is there at most once. Empty, or what is wrong.
  [[nodiscard]] std::string check_entries();

  /// As after an opening: segment files are those that the catalog lists, and
  /// of sealed journal files none is left but the newest. Empty, or what is
  /// wrong.
  [[nodiscard]] std::string check_files();

  /// It takes appends until it seals again. Empty, or what is wrong.
  [[nodiscard]] std::string check_works_on();

  /// All of that, now and after another opening.
  [[nodiscard]] std::string check_all();

  /// Bytes of all journal and segment files.
  [[nodiscard]] std::uint64_t bytes_on_disk();

  /// Payload bytes of all entries that were acknowledged and not deleted.
  [[nodiscard]] std::uint64_t bytes_alive() const;

  [[nodiscard]] std::uint64_t next(const std::string& stream) {
    return known_[stream].first + known_[stream].kept.size();
  }

private:
  class answer;

  struct known_stream {
    std::uint64_t first = 0;
    std::vector<std::string> kept; ///< Acknowledged, from `first` on.
    std::set<std::string> unknown; ///< Refused with io_failed or shut_down.
  };

  [[nodiscard]] errc write(std::unique_ptr<write_batch> batch,
                           const std::string& stream);
  [[nodiscard]] std::string check_stream(const std::string& name,
                                         const known_stream& known);

  std::map<std::string, known_stream> known_;
  std::set<std::string> removed_;
  std::vector<std::unique_ptr<answer>> answers_;
  std::uint64_t appended_ = 0;
};

} // namespace torpor::test
