// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/engine/history.hpp"

#include <cstdint>
#include <mutex>
#include <string>

namespace torpor::test {

/// What a process asked of a store and was answered, in a file that outlives
/// its death: a line is written before a request is sent, another one when the
/// answer is there. Padding stands for payloads (request_batch.hpp).
/// Threads: any.
class request_log {
public:
  /// Goes on in the file, which is made if it is not there.
  explicit request_log(const std::string& path);
  request_log(const request_log&) = delete;
  request_log& operator=(const request_log&) = delete;
  ~request_log();

  /// A process begins; what an earlier one had buffered promises nothing now.
  void opened();
  void sent(std::uint64_t tag, const history::write_request& request);
  /// It is sent once more.
  void again(std::uint64_t tag);
  void answered(std::uint64_t tag, const write_outcome& outcome);
  /// A sync of all shards was answered; these had been answered before it.
  void synced(const std::vector<std::uint64_t>& tags);

  /// What is known of a store whose last process has ended.
  [[nodiscard]] static history read(const std::string& path);

private:
  void write(const std::string& line);

  std::mutex mutex_;
  int descriptor_;
};

} // namespace torpor::test
