// SPDX-License-Identifier: Apache-2.0
// A machine that is slow or confused, for programs as they are: loaded with
// LD_PRELOAD, it stands in front of libc. It also says on standard error when a
// file of the journal or a segment is synced whose sync had failed.
//
//   BENT_SYNC_MS=50        each fdatasync and fsync takes so long, one at a time
//   BENT_CLOCK_FILE=FILE   the wall clock is off by so many seconds, 16 bytes of
//                          text at the beginning of FILE; to be changed at will
//
// The machine's own clock is not touched.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <set>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

constexpr std::size_t offset_bytes = 16;

/// The text of BENT_CLOCK_FILE, shared with who changes it.
const char* offset_text() {
  static const char* const text = [] {
    const auto* const path = std::getenv("BENT_CLOCK_FILE");
    const auto file = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
      return static_cast<const char*>(nullptr);
    auto* const mapped = ::mmap(nullptr, offset_bytes, PROT_READ, MAP_SHARED,
                                file, 0);
    ::close(file);
    return mapped == MAP_FAILED ? nullptr : static_cast<const char*>(mapped);
  }();
  return text;
}

time_t offset_seconds() {
  const auto* const text = offset_text();
  if (text == nullptr)
    return 0;
  char copy[offset_bytes + 1]{};
  std::copy_n(text, offset_bytes, copy);
  return static_cast<time_t>(std::strtoll(copy, nullptr, 10));
}

/// As a disk that does one flush after another.
void take_time() {
  static const auto ms = [] {
    const auto* const text = std::getenv("BENT_SYNC_MS");
    return text == nullptr ? 0L : std::strtol(text, nullptr, 10);
  }();
  static std::mutex one_at_a_time;
  if (ms == 0)
    return;
  const std::lock_guard guard{one_at_a_time};
  const timespec span{ms / 1000, ms % 1000 * 1'000'000};
  ::nanosleep(&span, nullptr);
}

/// LMDB's file is another matter: a failed transaction is part of no later one.
bool is_ruled(const std::string& path) {
  return path.ends_with(".journal") || path.ends_with(".tmp")
         || path.ends_with(".segment");
}

/// Syncs, slowly, and watches over the rule: never again after a failure.
int sync_file(long call, int descriptor) {
  // Inodes are used again; with when they were made they are files.
  using made_file = std::array<std::uint64_t, 3>;
  static std::mutex mutex;
  static std::set<made_file> failed; // Guarded by mutex.
  take_time();
  char path[512]{};
  const auto link = "/proc/self/fd/" + std::to_string(descriptor);
  struct statx status {};
  if (::readlink(link.c_str(), path, sizeof path - 1) < 0 || !is_ruled(path)
      || ::statx(descriptor, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME,
                 &status)
           != 0)
    return static_cast<int>(::syscall(call, descriptor));
  const made_file file{status.stx_ino,
                       static_cast<std::uint64_t>(status.stx_btime.tv_sec),
                       status.stx_btime.tv_nsec};
  const std::lock_guard guard{mutex};
  if (failed.contains(file))
    std::fprintf(stderr, "bent-machine: synced again after a failure: %s\n",
                 path);
  const auto done = static_cast<int>(::syscall(call, descriptor));
  const auto number = errno;
  if (done != 0) {
    std::fprintf(stderr, "bent-machine: sync failed: %s\n", path);
    failed.insert(file);
  }
  errno = number;
  return done;
}

} // namespace

extern "C" {

int fdatasync(int descriptor) {
  return sync_file(SYS_fdatasync, descriptor);
}

int fsync(int descriptor) {
  return sync_file(SYS_fsync, descriptor);
}

int clock_gettime(clockid_t which, timespec* into) noexcept {
  const auto done = static_cast<int>(::syscall(SYS_clock_gettime, which, into));
  if (done == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
    into->tv_sec += offset_seconds();
  return done;
}

int gettimeofday(timeval* into, void*) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  *into = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* into) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (into != nullptr)
    *into = now.tv_sec;
  return now.tv_sec;
}

} // extern "C"
