// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/disk.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace torpor {

/// What was read since `begin`. Threads: any; `begin` while nothing is read.
class read_counts {
public:
  void begin() {
    ++round_;
    reads_ = 0;
    segments_ = 0;
  }
  /// One read; `last_round` is the file's own mark.
  void note(bool segment, std::atomic<std::uint64_t>& last_round) {
    ++reads_;
    if (segment && last_round.exchange(round_) != round_)
      ++segments_;
  }

  /// Calls of `pread`.
  [[nodiscard]] std::uint64_t reads() const noexcept { return reads_; }
  /// Segments that any of them looked into.
  [[nodiscard]] std::uint64_t segments() const noexcept { return segments_; }

private:
  std::atomic<std::uint64_t> round_{0};
  std::atomic<std::uint64_t> reads_{0};
  std::atomic<std::uint64_t> segments_{0};
};

/// Another disk, whose reads are counted. Threads: any.
class counting_disk final : public disk {
public:
  counting_disk(std::shared_ptr<disk> below,
                std::shared_ptr<read_counts> counts);

  result<std::unique_ptr<file>> open(const std::string& path,
                                     open_mode mode) override;
  result<void> rename(const std::string& from, const std::string& to) override;
  result<void> unlink(const std::string& path) override;
  result<void> sync_directory(const std::string& path) override;
  result<void> make_directory(const std::string& path) override;
  result<std::vector<std::string>> list(const std::string& path) override;

private:
  std::shared_ptr<disk> below_;
  std::shared_ptr<read_counts> counts_;
};

} // namespace torpor
