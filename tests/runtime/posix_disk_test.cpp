// SPDX-License-Identifier: Apache-2.0
#include "runtime/posix_disk.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace torpor;

namespace {

namespace fs = std::filesystem;

/// An empty directory that goes away with its content.
class scratch {
public:
  scratch() {
    auto name = (fs::temp_directory_path() / "torpor-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = fs::canonical(name).string();
  }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const {
    return path_ + "/" + name;
  }
  const std::string& path() const { return path_; }

private:
  std::string path_;
};

/// Bytes whose address suits direct writes.
class aligned_bytes {
public:
  explicit aligned_bytes(std::size_t size, unsigned char fill = 0)
    : size_{size},
      room_(size + direct_alignment, std::byte{fill}) {
    void* start = room_.data();
    auto room = room_.size();
    start_ = static_cast<std::byte*>(
      std::align(direct_alignment, size, start, room));
  }
  std::span<std::byte> bytes() { return {start_, size_}; }

private:
  std::size_t size_;
  std::vector<std::byte> room_;
  std::byte* start_;
};

/// How many descriptors of this process write `path` past the page cache.
int direct_descriptors(const std::string& path) {
  int found = 0;
  for (const auto& entry : fs::directory_iterator{"/proc/self/fd"}) {
    const auto number = std::stoi(entry.path().filename().string());
    std::error_code gone;
    if (fs::read_symlink(entry.path(), gone) == path
        && (::fcntl(number, F_GETFL) & O_DIRECT) != 0)
      ++found;
  }
  return found;
}

/// While it lives no file of this process grows beyond `bytes`: a write that
/// would is short, the next one fails.
class size_limit {
public:
  explicit size_limit(rlim_t bytes) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit now{bytes, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &now) == 0);
  }
  size_limit(const size_limit&) = delete;
  size_limit& operator=(const size_limit&) = delete;
  ~size_limit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

std::unique_ptr<file> open(const std::string& path, open_mode mode) {
  auto opened = posix_disk{}.open(path, mode);
  REQUIRE_MESSAGE(opened, path);
  return std::move(*opened);
}

std::string text_of(const file& from) {
  std::vector<std::byte> bytes(from.size().value());
  REQUIRE(from.read(0, bytes).value() == bytes.size());
  return std::string{as_text(bytes)};
}

template <class T>
void check_io_failed(const result<T>& outcome, const std::string& context) {
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == errc::io_failed);
  CHECK(outcome.error().context == context);
}

} // namespace

TEST_SUITE("posix_disk") {
  TEST_CASE("what was written is read back, and less only at the end") {
    scratch directory;
    const auto path = directory / "file";
    const auto written = open(path, open_mode::create);
    REQUIRE(written->write(3, as_bytes("some bytes")));
    REQUIRE(written->sync());
    CHECK(written->path() == path);
    CHECK(written->size().value() == 13);
    const auto read = open(path, open_mode::read);
    std::vector<std::byte> bytes(32);
    CHECK(read->read(8, bytes).value() == 5);
    CHECK(as_text(bytes).substr(0, 5) == "bytes");
    CHECK(read->read(13, bytes).value() == 0);
    CHECK(read->read(100, bytes).value() == 0);
  }

  TEST_CASE("direct and buffered writes of one file read back the same") {
    scratch directory;
    const auto file = open(directory / "file", open_mode::create);
    std::mt19937 random{7};
    std::vector<std::byte> expected;
    for (unsigned n = 1; n <= 60; ++n) {
      const auto direct = random() % 2 == 0;
      const auto unit = direct ? direct_alignment : 1;
      const std::size_t offset = random() % (1u << 20) / unit * unit;
      const auto size = direct ? direct_bytes_min * (1 + random() % 3)
                               : 1 + random() % 9000;
      aligned_bytes source{size, static_cast<unsigned char>(n)};
      REQUIRE(file->write(offset, source.bytes()));
      expected.resize(std::max(expected.size(), offset + size));
      std::copy_n(source.bytes().begin(), size, expected.begin() + offset);
      std::vector<std::byte> got(expected.size() + 1);
      REQUIRE(file->read(0, got).value() == expected.size());
      got.pop_back();
      REQUIRE(got == expected);
    }
    REQUIRE(file->sync());
  }

  TEST_CASE("large aligned writes go past the page cache where possible") {
    scratch directory;
    const auto path = directory / "file";
    const auto file = open(path, open_mode::create);
    const auto probe = ::open(path.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC);
    if (probe < 0) {
      MESSAGE("skipped: no direct writes on this file system");
      return;
    }
    ::close(probe);
    CHECK(direct_descriptors(path) == 1);
    aligned_bytes bytes{2 * direct_bytes_min};
    REQUIRE(file->write(0, bytes.bytes()));
    REQUIRE(file->write(1, bytes.bytes()));
    REQUIRE(file->write(0, bytes.bytes().subspan(1, direct_bytes_min)));
    REQUIRE(file->write(0, bytes.bytes().first(direct_bytes_min + 1)));
    CHECK(direct_descriptors(path) == 1); // None of them was refused.
  }

  TEST_CASE("a short write goes on where it stopped") {
    scratch directory;
    for (bool direct : {false, true}) {
      const auto path = directory / (direct ? "direct" : "buffered");
      const auto file = open(path, open_mode::create);
      aligned_bytes source{2 * direct_bytes_min};
      for (std::size_t n = 0; n < source.bytes().size(); ++n)
        source.bytes()[n] = static_cast<std::byte>(n / direct_alignment);
      const auto limit = direct_bytes_min + direct_alignment;
      const auto bytes = source.bytes().subspan(direct ? 0 : 1);
      {
        size_limit limited{limit};
        check_io_failed(file->write(0, bytes),
                        "pwrite '" + path + "': File too large (ulimit -f)");
      }
      std::vector<std::byte> got(limit + 1);
      REQUIRE(file->read(0, got).value() == limit);
      CHECK(std::equal(got.begin(), got.end() - 1, bytes.begin()));
    }
  }

  TEST_CASE("a file that refuses direct writes is written buffered") {
    const auto null = open("/dev/null", open_mode::write);
    aligned_bytes bytes{direct_bytes_min};
    CHECK(null->write(0, bytes.bytes()));
  }

  TEST_CASE("no descriptor survives an exec") {
    scratch directory;
    const auto file = open(directory / "file", open_mode::create);
    const auto lock = store_lock::acquire(directory / "lock");
    int seen = 0;
    for (const auto& entry : fs::directory_iterator{"/proc/self/fd"}) {
      std::error_code gone;
      const auto target = fs::read_symlink(entry.path(), gone).string();
      if (target.rfind(directory.path(), 0) != 0)
        continue;
      const auto number = std::stoi(entry.path().filename().string());
      CHECK((::fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
      ++seen;
    }
    CHECK(seen >= 2);
  }

  TEST_CASE("truncation cuts and grows a file") {
    scratch directory;
    const auto file = open(directory / "file", open_mode::create);
    REQUIRE(file->write(0, as_bytes("0123456789")));
    REQUIRE(file->truncate(4));
    CHECK(text_of(*file) == "0123");
    REQUIRE(file->truncate(6));
    CHECK(text_of(*file) == std::string{"0123\0\0", 6});
  }

  TEST_CASE("a full disk is an error that names the call and the path") {
    const auto full = open("/dev/full", open_mode::write);
    check_io_failed(full->write(0, as_bytes("x")),
                    "pwrite '/dev/full': No space left on device");
  }

  TEST_CASE("after a failed write a file can only be read") {
    const auto full = open("/dev/full", open_mode::write);
    REQUIRE_FALSE(full->write(0, as_bytes("x")));
    const std::string refused = " '/dev/full': refused, an earlier write or "
                                "sync of this file failed";
    check_io_failed(full->write(0, as_bytes("x")), "pwrite" + refused);
    check_io_failed(full->sync(), "fdatasync" + refused);
    check_io_failed(full->truncate(0), "ftruncate" + refused);
    std::vector<std::byte> bytes(8);
    CHECK(full->read(0, bytes).value() == 8);
  }

  TEST_CASE("a failed sync is not repeated, and ends the file") {
    const auto null = open("/dev/null", open_mode::write);
    check_io_failed(null->sync(), "fdatasync '/dev/null': Invalid argument");
    check_io_failed(null->sync(),
                    "fdatasync '/dev/null': refused, an earlier write or sync "
                    "of this file failed");
    CHECK_FALSE(null->write(0, as_bytes("x")));
  }

  TEST_CASE("opening demands that a file exists, creating that it does not") {
    scratch directory;
    posix_disk disk;
    const auto path = directory / "file";
    for (auto mode : {open_mode::read, open_mode::write})
      check_io_failed(disk.open(path, mode),
                      "open '" + path + "': No such file or directory");
    REQUIRE(disk.open(path, open_mode::create));
    check_io_failed(disk.open(path, open_mode::create),
                    "open '" + path + "': File exists");
  }

  TEST_CASE("a file opened for reading cannot be written") {
    scratch directory;
    const auto path = directory / "file";
    open(path, open_mode::create);
    check_io_failed(open(path, open_mode::read)->write(0, as_bytes("x")),
                    "pwrite '" + path + "': Bad file descriptor");
  }

  TEST_CASE("a rename replaces the file that had the name") {
    scratch directory;
    posix_disk disk;
    REQUIRE(open(directory / "a", open_mode::create)->write(0, as_bytes("a")));
    REQUIRE(open(directory / "b", open_mode::create)->write(0, as_bytes("b")));
    REQUIRE(disk.rename(directory / "a", directory / "b"));
    REQUIRE(disk.sync_directory(directory.path()));
    CHECK(disk.list(directory.path()).value() == std::vector<std::string>{"b"});
    CHECK(text_of(*open(directory / "b", open_mode::read)) == "a");
  }

  TEST_CASE("a list names the files, sorted, and no directories") {
    scratch directory;
    posix_disk disk;
    for (auto name : {"c", "a", "b"})
      open(directory / name, open_mode::create);
    REQUIRE(disk.make_directory(directory / "d"));
    REQUIRE(disk.unlink(directory / "b"));
    CHECK(disk.list(directory.path()).value()
          == std::vector<std::string>{"a", "c"});
  }

  TEST_CASE("making a directory that is there is no error") {
    scratch directory;
    posix_disk disk;
    CHECK(disk.make_directory(directory / "d"));
    CHECK(disk.make_directory(directory / "d"));
    CHECK(disk.make_directory(directory / "d/"));
    open(directory / "file", open_mode::create);
    const auto path = directory / "file";
    check_io_failed(disk.make_directory(path),
                    "mkdir '" + path + "': Not a directory");
  }

  TEST_CASE("calls on names that are not there name the call and the path") {
    scratch directory;
    posix_disk disk;
    const auto path = directory / "no/file";
    const auto missing = "'" + path + "': No such file or directory";
    check_io_failed(disk.unlink(path), "unlink " + missing);
    const auto listed = disk.list(path);
    REQUIRE_FALSE(listed);
    CHECK(listed.error().code == errc::not_found);
    CHECK(listed.error().context == "readdir " + missing);
    check_io_failed(disk.make_directory(path), "mkdir " + missing);
    check_io_failed(disk.sync_directory(path), "open " + missing);
    check_io_failed(disk.rename("/no/a", "/no/b"),
                    "rename '/no/a' to '/no/b': No such file or directory");
  }
}

TEST_SUITE("store_lock") {
  TEST_CASE("a second lock is refused with the holder's process id") {
    scratch directory;
    const auto path = directory / "lock";
    const auto first = store_lock::acquire(path);
    REQUIRE(first);
    for (auto acquire : {&store_lock::acquire, &store_lock::acquire_shared}) {
      const auto second = acquire(path);
      REQUIRE_FALSE(second);
      CHECK(second.error().code == errc::locked);
      CHECK(second.error().context
            == "'" + path + "' is locked by another opener (process "
                 + std::to_string(::getpid()) + "): close that one first");
    }
  }

  TEST_CASE("a lock is free again when it is destroyed") {
    scratch directory;
    const auto path = directory / "lock";
    std::optional<store_lock> lock{store_lock::acquire(path).value()};
    REQUIRE_FALSE(store_lock::acquire(path));
    lock.reset();
    CHECK(store_lock::acquire(path));
  }

  TEST_CASE("a moved lock stays locked, an overwritten one is released") {
    scratch directory;
    auto one = store_lock::acquire(directory / "one").value();
    auto two = store_lock::acquire(directory / "two").value();
    two = std::move(one);
    CHECK_FALSE(store_lock::acquire(directory / "one"));
    CHECK(store_lock::acquire(directory / "two"));
  }

  TEST_CASE("a lock file left behind by a dead process is no obstacle") {
    scratch directory;
    const auto path = directory / "lock";
    std::ofstream{path} << "999999999\n";
    CHECK(store_lock::acquire(path));
  }

  TEST_CASE("inspectors share a lock and keep owners out") {
    scratch directory;
    const auto path = directory / "lock";
    const auto missing = store_lock::acquire_shared(path);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == errc::io_failed);
    CHECK(missing.error().context.starts_with("'" + path
                                              + "' is missing; make an empty"));
    REQUIRE(store_lock::acquire(path));
    const auto one = store_lock::acquire_shared(path);
    const auto two = store_lock::acquire_shared(path);
    CHECK(one);
    CHECK(two);
    const auto owner = store_lock::acquire(path);
    REQUIRE_FALSE(owner);
    CHECK(owner.error().code == errc::locked);
    CHECK(owner.error().context
          == "'" + path
               + "' is locked by another opener: close that one first");
  }

  TEST_CASE("a forked child that destroys its copy does not unlock") {
    scratch directory;
    const auto path = directory / "lock";
    std::optional<store_lock> lock{store_lock::acquire(path).value()};
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      lock.reset();
      ::_exit(0);
    }
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    const auto second = store_lock::acquire(path);
    REQUIRE_FALSE(second);
    CHECK(second.error().context.find(std::to_string(::getpid()))
          != std::string::npos);
  }

  TEST_CASE("a forked child does not keep a lock that its parent released") {
    scratch directory;
    const auto path = directory / "lock";
    std::optional<store_lock> lock{store_lock::acquire(path).value()};
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) { // Lives until the parent closes the pipe.
      char byte;
      ::close(pipe[1]);
      ::_exit(::read(pipe[0], &byte, 1) == 0 ? 0 : 1);
    }
    lock.reset();
    CHECK(store_lock::acquire(path));
    ::close(pipe[0]);
    ::close(pipe[1]);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
  }
}
