// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/counting_disk.hpp"
#include "torpor/options.hpp"
#include "torpor/stream.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace torpor {

class engine;

/// An open store whose reads from files are counted. Closes at its end.
/// Threads: one owner.
class read_bench_store {
public:
  /// Opens it; returns when nothing is left to merge and every segment is open.
  /// Errors: as `runtime::open`, and shut_down when interrupted.
  [[nodiscard]] static result<read_bench_store> open(const options& how);

  read_bench_store(read_bench_store&&) noexcept = default;
  read_bench_store& operator=(read_bench_store&&) = delete;
  ~read_bench_store();

  /// Returns when nothing is left to merge. Errors: as `open`.
  [[nodiscard]] result<void> settle() const;

  [[nodiscard]] torpor::engine& engine() const noexcept { return *engine_; }
  [[nodiscard]] torpor::stream stream(std::string name) const {
    return {engine_, std::move(name)};
  }
  [[nodiscard]] read_counts& counts() const noexcept { return *counts_; }

private:
  read_bench_store(std::shared_ptr<torpor::engine> started,
                   std::shared_ptr<read_counts> counts)
    : engine_{std::move(started)},
      counts_{std::move(counts)} {}

  [[nodiscard]] result<void> open_segments() const;

  std::shared_ptr<torpor::engine> engine_;
  std::shared_ptr<read_counts> counts_;
};

/// Has the kernel forget what it keeps of a store's journal, segments and
/// catalog in its page cache. What is mapped or not on the disk yet stays.
void drop_page_cache(const std::string& data_dir);

} // namespace torpor
