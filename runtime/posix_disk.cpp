// SPDX-License-Identifier: Apache-2.0
#include "runtime/posix_disk.hpp"

#include "runtime/safety_step.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace torpor {

namespace {

/// Repeats a call that a signal interrupted. Never for a sync: a failed sync
/// must not be repeated, whatever its errno.
template <class Call>
auto uninterrupted(Call call) {
  for (;;) {
    const auto outcome = call();
    if (outcome >= 0 || errno != EINTR)
      return outcome;
  }
}

result<descriptor> open_descriptor(const std::string& path, int flags) {
  const auto number = uninterrupted(
    [&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0644); });
  if (number < 0)
    return fail_io("open", path, errno);
  return descriptor{number};
}

bool same_file(const descriptor& left, const descriptor& right) noexcept {
  struct ::stat a {};
  struct ::stat b {};
  return ::fstat(left.get(), &a) == 0 && ::fstat(right.get(), &b) == 0
         && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// A second descriptor of `open` that bypasses the page cache. None where the
/// file system refuses, or where the path means another file by now.
descriptor open_direct(const std::string& path, const descriptor& open) {
  auto direct = open_descriptor(path, O_RDWR | O_DIRECT);
  if (!direct || !same_file(*direct, open))
    return {};
  return std::move(*direct);
}

bool suits_direct(std::uint64_t offset, bytes_view bytes) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
  return bytes.size() >= direct_bytes_min
         && (offset | bytes.size() | address) % direct_alignment == 0;
}

/// A file of `posix_disk`. The direct descriptor has the same inode, and
/// `fdatasync` is a matter of the inode: one on either covers the writes of
/// both, with the drive's cache and the file's size.
class posix_file final : public file {
public:
  posix_file(std::string path, descriptor buffered, descriptor direct)
    : path_{std::move(path)},
      buffered_{std::move(buffered)},
      direct_{std::move(direct)} {}

  result<void> write(std::uint64_t offset, bytes_view bytes) override {
    if (failed_)
      return refuse("pwrite");
    if (direct_ && suits_direct(offset, bytes)) {
      const auto written = write_direct(offset, bytes);
      if (!written)
        return tl::unexpected{written.error()};
      offset += *written;
      bytes = bytes.subspan(*written);
    }
    return write_buffered(offset, bytes);
  }

  result<void> sync() override {
    if (failed_)
      return refuse("fdatasync");
    if (does(safety_step::file_sync) && ::fdatasync(buffered_.get()) != 0)
      return end("fdatasync", errno);
    return {};
  }

  result<std::size_t> read(std::uint64_t offset,
                           std::span<std::byte> into) const override {
    std::size_t done = 0;
    while (done < into.size()) {
      const auto got = uninterrupted([&] {
        return ::pread(buffered_.get(), into.data() + done, into.size() - done,
                       static_cast<off_t>(offset + done));
      });
      if (got < 0)
        return fail_io("pread", path_, errno);
      if (got == 0)
        break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  result<std::uint64_t> size() const override {
    struct ::stat status {};
    if (::fstat(buffered_.get(), &status) != 0)
      return fail_io("fstat", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  result<void> truncate(std::uint64_t bytes) override {
    if (failed_)
      return refuse("ftruncate");
    const auto cut = uninterrupted(
      [&] { return ::ftruncate(buffered_.get(), static_cast<off_t>(bytes)); });
    if (cut != 0)
      return fail_io("ftruncate", path_, errno);
    return {};
  }

  const std::string& path() const noexcept override { return path_; }

private:
  /// Tries once. What it leaves goes through the page cache: the rest of a
  /// short write, which need not be aligned, or everything if this device
  /// wants more than our alignment.
  result<std::size_t> write_direct(std::uint64_t offset, bytes_view bytes) {
    const auto written = uninterrupted([&] {
      return ::pwrite(direct_.get(), bytes.data(), bytes.size(),
                      static_cast<off_t>(offset));
    });
    if (written >= 0)
      return static_cast<std::size_t>(written);
    if (errno != EINVAL)
      return end("pwrite", errno);
    direct_.close();
    return 0;
  }

  result<void> write_buffered(std::uint64_t offset, bytes_view bytes) {
    while (!bytes.empty()) {
      const auto written = uninterrupted([&] {
        return ::pwrite(buffered_.get(), bytes.data(), bytes.size(),
                        static_cast<off_t>(offset));
      });
      if (written <= 0)
        return end("pwrite", written < 0 ? errno : EIO);
      offset += static_cast<std::uint64_t>(written);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
  }

  /// The first failed write or sync ends the file.
  tl::unexpected<error> end(std::string_view call, int number) {
    failed_ = does(safety_step::failed_file);
    return fail_io(call, path_, number);
  }

  tl::unexpected<error> refuse(std::string_view call) const {
    return fail(errc::io_failed,
                fmt::format("{} '{}': refused, an earlier write or sync of "
                            "this file failed",
                            call, path_));
  }

  std::string path_;
  descriptor buffered_;
  descriptor direct_;   ///< Closed where the file system refuses it.
  bool failed_ = false; ///< Only the owner touches it.
};

int flags_of(open_mode mode) noexcept {
  switch (mode) {
    case open_mode::read: return O_RDONLY;
    case open_mode::write: return O_RDWR;
    case open_mode::create: return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

std::string parent_of(const std::string& path) {
  auto plain = std::filesystem::path{path}.lexically_normal();
  if (!plain.has_filename()) // "a/b/" is "a/b".
    plain = plain.parent_path();
  const auto parent = plain.parent_path().string();
  return parent.empty() ? "." : parent;
}

std::optional<pid_t> holder_of(const descriptor& lock) {
  std::array<char, 32> text{};
  const auto got = ::pread(lock.get(), text.data(), text.size(), 0);
  pid_t holder = 0;
  const auto* end = text.data() + std::max<ssize_t>(got, 0);
  const auto parsed = std::from_chars(text.data(), end, holder);
  if (parsed.ec != std::errc{} || holder <= 0)
    return std::nullopt;
  return holder;
}

/// Nothing depends on it, and a full disk must not keep a store from opening:
/// failures are left alone.
void write_holder(const descriptor& lock, std::string_view text) noexcept {
  if (::ftruncate(lock.get(), 0) != 0
      || ::pwrite(lock.get(), text.data(), text.size(), 0) < 0)
    errno = 0;
}

result<descriptor> lock_file(const std::string& path, int flags,
                             int operation) {
  auto lock = open_descriptor(path, flags);
  if (!lock)
    return lock;
  const auto locked = uninterrupted(
    [&] { return ::flock(lock->get(), operation | LOCK_NB); });
  if (locked == 0)
    return lock;
  if (errno != EWOULDBLOCK)
    return fail_io("flock", path, errno);
  const auto holder = holder_of(*lock);
  return fail(errc::locked,
              fmt::format("'{}' is locked by another opener{}: close that "
                          "one first",
                          path,
                          holder ? fmt::format(" (process {})", *holder) : ""));
}

} // namespace

void descriptor::close() noexcept {
  if (number_ >= 0)
    ::close(std::exchange(number_, -1));
}

result<std::unique_ptr<file>> posix_disk::open(const std::string& path,
                                               open_mode mode) {
  auto buffered = open_descriptor(path, flags_of(mode));
  if (!buffered)
    return tl::unexpected{buffered.error()};
  auto direct = mode == open_mode::read ? descriptor{}
                                        : open_direct(path, *buffered);
  return std::make_unique<posix_file>(path, std::move(*buffered),
                                      std::move(direct));
}

result<void> posix_disk::rename(const std::string& from,
                                const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    return fail_io("rename", fmt::format("{}' to '{}", from, to), errno);
  return {};
}

result<void> posix_disk::unlink(const std::string& path) {
  if (::unlink(path.c_str()) != 0)
    return fail_io("unlink", path, errno);
  return {};
}

result<void> posix_disk::sync_directory(const std::string& path) {
  const auto directory = open_descriptor(path, O_RDONLY | O_DIRECTORY);
  if (!directory)
    return tl::unexpected{directory.error()};
  if (does(safety_step::name_sync) && ::fsync(directory->get()) != 0)
    return fail_io("fsync", path, errno);
  return {};
}

result<void> posix_disk::make_directory(const std::string& path) {
  const auto made = ::mkdir(path.c_str(), 0755) == 0;
  if (!made) {
    const auto number = errno;
    std::error_code ignored;
    if (number != EEXIST)
      return fail_io("mkdir", path, number);
    if (!std::filesystem::is_directory(path, ignored))
      return fail_io("mkdir", path, ENOTDIR);
  }
  // Even if it was there: whoever made it may have died before this sync.
  auto named = sync_directory(parent_of(path));
  if (!named && made) // The name may be lost in a power cut: only a new one counts.
    ::rmdir(path.c_str());
  return named;
}

result<std::vector<std::string>> posix_disk::list(const std::string& path) {
  std::vector<std::string> names;
  std::error_code failure;
  std::filesystem::directory_iterator at{path, failure};
  for (; !failure && at != std::filesystem::directory_iterator{};
       at.increment(failure)) {
    std::error_code unknown; // Then it is listed: nothing may be hidden.
    if (!at->is_directory(unknown))
      names.push_back(at->path().filename().string());
  }
  if (failure) {
    auto failed = fail_io("readdir", path, failure.value());
    if (failure.value() == ENOENT)
      failed.value().code = errc::not_found;
    return failed;
  }
  std::sort(names.begin(), names.end());
  return names;
}

store_lock::store_lock(descriptor lock, bool exclusive) noexcept
  : lock_{std::move(lock)},
    exclusive_{exclusive},
    process_{::getpid()} {}

store_lock& store_lock::operator=(store_lock&& other) noexcept {
  store_lock released{std::move(other)};
  std::swap(lock_, released.lock_);
  std::swap(exclusive_, released.exclusive_);
  std::swap(process_, released.process_);
  return *this;
}

store_lock::~store_lock() {
  if (!lock_ || process_ != ::getpid())
    return;
  if (exclusive_)
    write_holder(lock_, "");
  ::flock(lock_.get(), LOCK_UN); // A forked child may hold the file open.
}

result<store_lock> store_lock::acquire(const std::string& path) {
  auto lock = lock_file(path, O_RDWR | O_CREAT, LOCK_EX);
  if (!lock)
    return tl::unexpected{lock.error()};
  write_holder(*lock, fmt::format("{}\n", ::getpid()));
  return store_lock{std::move(*lock), true};
}

result<store_lock> store_lock::acquire_shared(const std::string& path) {
  auto lock = lock_file(path, O_RDONLY, LOCK_SH);
  if (!lock && ::access(path.c_str(), F_OK) != 0 && errno == ENOENT)
    return fail(errc::io_failed,
                fmt::format("'{}' is missing; make an empty one ('touch'), as "
                            "openers lock each other out by it",
                            path));
  if (!lock)
    return tl::unexpected{lock.error()};
  return store_lock{std::move(*lock), false};
}

} // namespace torpor
