// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulated_file.hpp"

#include <cerrno>
#include <mutex>
#include <utility>

#include <fmt/format.h>

namespace torpor::test {

simulated_file::simulated_file(simulated_disk& disk,
                               std::shared_ptr<simulated_inode> inode,
                               std::string path, bool writable)
  : disk_{disk},
    inode_{std::move(inode)},
    path_{std::move(path)},
    writable_{writable},
    process_{disk.process_} {
  ++inode_->handles;
}

simulated_file::~simulated_file() {
  const std::lock_guard guard{disk_.mutex_};
  if (process_ == disk_.process_)
    --inode_->handles;
}

result<void> simulated_file::write(std::uint64_t offset, bytes_view bytes) {
  const std::lock_guard guard{disk_.mutex_};
  const auto put = [&](std::size_t count) {
    return writable_ ? disk_.write(*inode_, offset, bytes.first(count)) : EBADF;
  };
  return ask_ending(
    "write", {disk_call::write, path_, offset, bytes.size()},
    [&] { return put(bytes.size()); },
    [&] {
      const auto count = disk_.chance_.below(bytes.size() + 1);
      if (count > 0 && count < bytes.size())
        disk_.chance_.note(happening::short_write);
      return put(count);
    });
}

result<void> simulated_file::sync() {
  const std::lock_guard guard{disk_.mutex_};
  const auto whole = [&] {
    if (disk_.lies_of(path_)) {
      inode_->sync_falsely(disk_.chance_);
      return 0;
    }
    inode_->sync();
    if (failed_.empty() && inode_->lost_unseen())
      disk_.note_violation("sync after failed sync", path_);
    return 0;
  };
  const auto broken = [&] {
    inode_->fail_sync(disk_.chance_);
    return 0;
  };
  return ask_ending("sync", {disk_call::sync, path_}, whole, broken);
}

result<std::size_t> simulated_file::read(std::uint64_t offset,
                                         std::span<std::byte> into) const {
  const std::lock_guard guard{disk_.mutex_};
  std::size_t got = 0;
  const auto whole = [&] {
    got = inode_->read(offset, into);
    return 0;
  };
  return ask({disk_call::read, path_, offset, into.size(), false}, whole)
    .map([&] { return got; });
}

result<std::uint64_t> simulated_file::size() const {
  const std::lock_guard guard{disk_.mutex_};
  if (!alive())
    return fail_io("fstat", path_, EIO);
  return inode_->size();
}

result<void> simulated_file::truncate(std::uint64_t bytes) {
  const std::lock_guard guard{disk_.mutex_};
  return ask({disk_call::truncate, path_, bytes}, [&] {
    if (!writable_)
      return EINVAL;
    inode_->truncate(bytes);
    return 0;
  });
}

bool simulated_file::alive() const {
  return !disk_.dead_ && process_ == disk_.process_;
}

result<void> simulated_file::ask(const request& asked, const effect& whole,
                                 const effect& broken) const {
  if (process_ != disk_.process_)
    return disk_.dead(asked);
  return disk_.perform(asked, whole, broken);
}

/// After the first failure of such a call every other one breaks a rule.
result<void> simulated_file::ask_ending(std::string_view what,
                                        const request& asked,
                                        const effect& whole,
                                        const effect& broken) {
  if (alive() && !failed_.empty())
    disk_.note_violation(fmt::format("{} after failed {}", what, failed_),
                         path_);
  auto outcome = ask(asked, whole, broken);
  if (!outcome && alive() && failed_.empty())
    failed_ = what;
  return outcome;
}

} // namespace torpor::test
