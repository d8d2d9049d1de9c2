// SPDX-License-Identifier: Apache-2.0
#include "cli/counting_disk.hpp"

namespace torpor {

namespace {

class counted_file final : public file {
public:
  counted_file(std::unique_ptr<file> below, std::shared_ptr<read_counts> counts)
    : below_{std::move(below)},
      counts_{std::move(counts)},
      segment_{below_->path().ends_with(".segment")} {}

  result<void> write(std::uint64_t offset, bytes_view bytes) override {
    return below_->write(offset, bytes);
  }
  result<void> sync() override { return below_->sync(); }
  result<std::size_t> read(std::uint64_t offset,
                           std::span<std::byte> into) const override {
    counts_->note(segment_, last_round_);
    return below_->read(offset, into);
  }
  result<std::uint64_t> size() const override { return below_->size(); }
  result<void> truncate(std::uint64_t bytes) override {
    return below_->truncate(bytes);
  }
  const std::string& path() const noexcept override { return below_->path(); }

private:
  std::unique_ptr<file> below_;
  std::shared_ptr<read_counts> counts_;
  bool segment_;
  mutable std::atomic<std::uint64_t> last_round_{0};
};

} // namespace

counting_disk::counting_disk(std::shared_ptr<disk> below,
                             std::shared_ptr<read_counts> counts)
  : below_{std::move(below)},
    counts_{std::move(counts)} {}

/// Files that are written stay as they are.
result<std::unique_ptr<file>> counting_disk::open(const std::string& path,
                                                  open_mode mode) {
  auto opened = below_->open(path, mode);
  if (!opened || mode != open_mode::read)
    return opened;
  return std::make_unique<counted_file>(std::move(*opened), counts_);
}

result<void> counting_disk::rename(const std::string& from,
                                   const std::string& to) {
  return below_->rename(from, to);
}

result<void> counting_disk::unlink(const std::string& path) {
  return below_->unlink(path);
}

result<void> counting_disk::sync_directory(const std::string& path) {
  return below_->sync_directory(path);
}

result<void> counting_disk::make_directory(const std::string& path) {
  return below_->make_directory(path);
}

result<std::vector<std::string>> counting_disk::list(const std::string& path) {
  return below_->list(path);
}

} // namespace torpor
