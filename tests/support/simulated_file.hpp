// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/simulated_disk.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace torpor::test {

/// An open file of a simulated disk. It lets the caller break the rules of
/// `file`, as the kernel does, and reports that to the disk.
/// Threads: any; guarded by the disk's mutex.
class simulated_file final : public file {
public:
  simulated_file(simulated_disk& disk, std::shared_ptr<simulated_inode> inode,
                 std::string path, bool writable);
  simulated_file(const simulated_file&) = delete;
  simulated_file& operator=(const simulated_file&) = delete;
  ~simulated_file() override;

  result<void> write(std::uint64_t offset, bytes_view bytes) override;
  result<void> sync() override;
  result<std::size_t> read(std::uint64_t offset,
                           std::span<std::byte> into) const override;
  result<std::uint64_t> size() const override;
  result<void> truncate(std::uint64_t bytes) override;
  const std::string& path() const noexcept override { return path_; }

private:
  using request = simulated_disk::request;
  using effect = simulated_disk::effect;

  bool alive() const;
  result<void> ask(const request& asked, const effect& whole,
                   const effect& broken = {}) const;
  result<void> ask_ending(std::string_view what, const request& asked,
                          const effect& whole, const effect& broken);

  simulated_disk& disk_;
  std::shared_ptr<simulated_inode> inode_;
  std::string path_;
  bool writable_;
  std::uint64_t process_;
  std::string_view failed_; ///< "write" or "sync"; empty while all is well.
};

} // namespace torpor::test
