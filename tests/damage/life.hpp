// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/damage/recorded_catalog.hpp"
#include "tests/damage/store_image.hpp"
#include "tests/engine/simulated_store.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace torpor::test {

/// What was acknowledged of a stream.
struct told_stream {
  std::uint64_t first = 0;           ///< What comes before was truncated.
  std::vector<std::string> payloads; ///< From sequence 0 on.
  bool closed = false;
};

/// A store that has lived: what it was told, and what it was at some moments.
struct lived_store {
  struct moment {
    std::string what;
    store_image files;       ///< As after a power cut, but for a clean end.
    std::size_t updates = 0; ///< Of the catalog, until then.
  };

  options config;
  std::map<std::string, told_stream> told;
  std::set<std::string> removed;
  std::vector<moment> moments; ///< The last one is its end.
  std::shared_ptr<recorded_catalog> records;

  [[nodiscard]] const moment& end() const { return moments.back(); }
  /// A catalog in memory as it was at a moment.
  [[nodiscard]] std::shared_ptr<catalog> records_at(const moment& when) const;
};

/// A whole engine that lives on a simulated disk as it is told to. Throws when
/// something is not acknowledged: nothing goes wrong here.
class life {
public:
  explicit life(std::uint64_t seed);
  ~life();

  void open();
  /// The store is closed as it should be.
  void close();
  /// The power fails after all that was acknowledged.
  void crash();
  /// Marks the journal's end, as after a moment of silence.
  void idle();
  /// Notes what the store is now, as a power cut would leave it.
  void note(std::string what);

  /// Appends entries of these sizes, in one request.
  void append(const std::string& name, const std::vector<std::size_t>& sizes,
              std::optional<producer> by = {});
  /// The requests within become one commit, if they are of many streams.
  void at_once(const std::function<void()>& requests);
  void truncate(const std::string& name, std::uint64_t before);
  void close(const std::string& name);
  void remove(const std::string& name);
  void fork(const std::string& name, const std::string& source,
            std::uint64_t at);
  /// Merges all segments into one.
  void compact();

  [[nodiscard]] simulated_store& engine() { return store_; }
  /// The store, when its life is over.
  [[nodiscard]] lived_store take();

private:
  class answer;

  void submit(const std::string& name, std::unique_ptr<write_batch> batch);
  void settle();

  std::shared_ptr<recorded_catalog> records_;
  simulated_store store_;
  lived_store lived_;
  std::vector<std::unique_ptr<answer>> answers_;
  bool together_ = false;
};

} // namespace torpor::test
