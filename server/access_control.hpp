// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/access_list.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace torpor {

/// Reads a token file: a regular file of at most 16 MiB, which others can
/// neither read nor write, nor its group write. Errors: invalid_argument,
/// io_failed, naming file, line and remedy; never with a token in the text.
[[nodiscard]] result<access_list> load_access(const std::string& path);

/// The token file that is in force, and can be read again while requests are
/// judged. Threads: any; guarded by mutex_.
class access_control {
public:
  access_control(std::string path, access_list list)
    : path_(std::move(path)),
      list_(std::make_shared<const access_list>(std::move(list))) {}

  /// Reads the file again. What is wrong with it changes nothing: the old list
  /// stays. Errors: as load_access.
  [[nodiscard]] result<void> reload();

  /// Rises with every reload.
  [[nodiscard]] std::uint64_t version() const noexcept {
    return version_.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::shared_ptr<const access_list> list() const;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
  std::atomic<std::uint64_t> version_{0};
  mutable std::mutex mutex_;
  std::shared_ptr<const access_list> list_;
};

/// One loop's look at the list, which takes no lock unless it has changed.
/// Threads: one owner.
class access_view {
public:
  explicit access_view(const access_control& control)
    : control_(control), version_(control.version()), list_(control.list()) {}

  [[nodiscard]] const access_list& list();

private:
  const access_control& control_;
  std::uint64_t version_;
  std::shared_ptr<const access_list> list_;
};

} // namespace torpor
