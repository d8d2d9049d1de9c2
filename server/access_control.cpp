// SPDX-License-Identifier: Apache-2.0
#include "server/access_control.hpp"

#include <fmt/format.h>

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace torpor {

namespace {

constexpr std::size_t bytes_max = 16u << 20;

/// Closes what it holds. Threads: one owner.
class descriptor {
public:
  explicit descriptor(int number) noexcept : number_(number) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (number_ >= 0)
      ::close(number_);
  }
  [[nodiscard]] int number() const noexcept { return number_; }

private:
  int number_;
};

tl::unexpected<error> refuse(const std::string& path, std::string_view why) {
  return fail(errc::invalid_argument,
              fmt::format("token file '{}' {}", path, why));
}

/// Of the file that is open, not of one that may take its place.
result<void> check_kind(const std::string& path, const struct stat& found) {
  if (!S_ISREG(found.st_mode))
    return refuse(path, "is no regular file");
  if ((found.st_mode & (S_IRWXO | S_IWGRP)) != 0)
    return refuse(path, fmt::format("has mode {:04o}: others could read or "
                                    "change it; chmod 600 '{}'",
                                    found.st_mode & 07777u, path));
  if (static_cast<std::size_t>(found.st_size) > bytes_max)
    return refuse(path, "has more than 16 MiB");
  return {};
}

result<std::string> read_all(int from, const std::string& path) {
  std::string text;
  char part[16'384];
  while (text.size() <= bytes_max) {
    const auto got = ::read(from, part, sizeof part);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return fail_io("read", path, errno);
    if (got == 0)
      return text;
    text.append(part, static_cast<std::size_t>(got));
  }
  return refuse(path, "has more than 16 MiB");
}

} // namespace

result<access_list> load_access(const std::string& path) {
  // A FIFO must not hold the daemon up.
  const descriptor file{
    ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.number() < 0)
    return fail_io("open", path, errno);
  struct stat found {};
  if (::fstat(file.number(), &found) != 0)
    return fail_io("stat", path, errno);
  if (const auto fit = check_kind(path, found); !fit)
    return tl::unexpected{fit.error()};
  return read_all(file.number(), path).and_then([&](const std::string& text) {
    return access_list::parse(text).map_error([&](const error& why) {
      return error{why.code, fmt::format("{}:{}", path, why.context)};
    });
  });
}

result<void> access_control::reload() {
  auto read = load_access(path_);
  if (!read)
    return tl::unexpected{read.error()};
  auto list = std::make_shared<const access_list>(std::move(*read));
  const std::lock_guard guard{mutex_};
  list_ = std::move(list);
  version_.fetch_add(1, std::memory_order_release);
  return {};
}

std::shared_ptr<const access_list> access_control::list() const {
  const std::lock_guard guard{mutex_};
  return list_;
}

const access_list& access_view::list() {
  if (const auto now = control_.version(); now != version_) {
    list_ = control_.list();
    version_ = now;
  }
  return *list_;
}

} // namespace torpor
