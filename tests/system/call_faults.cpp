// SPDX-License-Identifier: Apache-2.0
#include "tests/system/call_faults.hpp"

#include "tests/system/sync_rules.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace torpor::test {

namespace {

constexpr std::size_t descriptors_max = 4096;
constexpr std::size_t path_bytes = 256;

/// Plain data only: it is used before main and in the middle of libc's calls.
struct watch {
  char directory[path_bytes];
  std::size_t directory_bytes;
  call_plan plan;
  std::atomic<bool> armed;
  std::atomic<std::uint64_t> calls;
  std::atomic<std::uint64_t> by_kind[system_calls];
  std::atomic<bool>* met;
  std::atomic<bool> watched[descriptors_max]; ///< Below the directory.
  std::atomic<bool> is_directory[descriptors_max];
  std::atomic<bool> syncs_itself[descriptors_max]; ///< Every write of it.
  char paths[descriptors_max][path_bytes];
} all;

sync_rules rules;

bool is_watched(const char* path) noexcept {
  return all.directory_bytes > 0
         && std::strncmp(path, all.directory, all.directory_bytes) == 0;
}

bool is_watched(int descriptor) noexcept {
  return descriptor >= 0
         && static_cast<std::size_t>(descriptor) < descriptors_max
         && all.watched[descriptor];
}

void end_process() noexcept {
  ::kill(::getpid(), SIGKILL);
  for (;;)
    ::pause();
}

/// Counts the call; what shall happen in it, if anything.
std::optional<mishap> count(system_call kind) noexcept {
  const auto of_kind = ++all.by_kind[static_cast<std::size_t>(kind)];
  const auto of_all = ++all.calls;
  if (!all.armed || all.plan.nth == 0)
    return {};
  if (all.plan.only && *all.plan.only != kind)
    return {};
  const auto at = all.plan.only ? of_kind : of_all;
  const auto always = all.plan.what == mishap::fail_always;
  if (at < all.plan.nth || (at > all.plan.nth && !always))
    return {};
  if (all.met != nullptr)
    *all.met = true;
  return all.plan.what;
}

/// Makes a call, or lets it come to grief. `half` is what is done of a write
/// that is torn; of other calls nothing is.
template <class Whole, class Half>
long perform(system_call kind, Whole whole, Half half) {
  const auto fate = count(kind);
  if (!fate)
    return whole();
  switch (*fate) {
    case mishap::kill_before: end_process(); break;
    case mishap::kill_within:
      half();
      end_process();
      break;
    case mishap::kill_after:
      whole();
      end_process();
      break;
    case mishap::cut_short: return kind == system_call::write ? half() : whole();
    case mishap::fail:
    case mishap::fail_always:
      if (kind == system_call::write)
        half();
      errno = all.plan.number;
      return -1;
  }
  return -1;
}

template <class Whole>
long perform(system_call kind, Whole whole) {
  return perform(kind, whole, whole);
}

/// Watches over a write or a sync of a file.
template <class Call>
long on_file(const char* name, int descriptor, Call call) {
  const std::string path{all.paths[descriptor]};
  rules.begin(name, path);
  const auto outcome = call();
  const auto number = errno;
  if (outcome < 0 && number != EINTR)
    rules.failed(path);
  errno = number;
  return outcome;
}

/// The same for a write; one through a descriptor that syncs by itself needs
/// no other sync.
template <class Call>
long on_write(const char* name, int descriptor, Call call) {
  const auto outcome = on_file(name, descriptor, call);
  if (outcome > 0 && !all.syncs_itself[descriptor])
    rules.written(all.paths[descriptor]);
  return outcome;
}

int open_file(const char* path, int flags, mode_t mode) {
  const auto open = [&] {
    return ::syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  };
  if (!is_watched(path))
    return static_cast<int>(open());
  // Opening what is there changes nothing, but may fail.
  const auto got = static_cast<int>(perform(system_call::open, open));
  if (got >= 0 && static_cast<std::size_t>(got) < descriptors_max) {
    // Also what a sanitizer sees of it: who closed the number before is through
    // with its path.
    all.watched[got].exchange(false);
    std::strncpy(all.paths[got], path, path_bytes - 1);
    all.is_directory[got] = (flags & O_DIRECTORY) != 0;
    all.syncs_itself[got] = (flags & O_DSYNC) != 0;
    all.watched[got] = true;
    if ((flags & O_EXCL) != 0)
      rules.named(path);
  }
  return got;
}

ssize_t write_at(int descriptor, const void* bytes, std::size_t count,
                 off_t offset) {
  const auto write = [&](std::size_t size) {
    return ::syscall(SYS_pwrite64, descriptor, bytes, size, offset);
  };
  if (!is_watched(descriptor))
    return write(count);
  return on_write("pwrite", descriptor, [&] {
    return perform(
      system_call::write, [&] { return write(count); },
      [&] { return write((count + 1) / 2); });
  });
}

int sync_file(int descriptor, long number) {
  const auto sync = [&] { return ::syscall(number, descriptor); };
  if (!is_watched(descriptor))
    return static_cast<int>(sync());
  const std::string path{all.paths[descriptor]};
  if (all.is_directory[descriptor]) {
    const auto done = perform(system_call::sync, sync);
    if (done == 0)
      rules.directory_synced(path);
    return static_cast<int>(done);
  }
  const auto done = on_file("fdatasync", descriptor, [&] {
    return perform(system_call::sync, sync);
  });
  if (done == 0)
    rules.synced(path);
  return static_cast<int>(done);
}

int close_file(int descriptor) {
#ifdef __SANITIZE_THREAD__
  // It has to see the end of a number, or takes the next file of that number for
  // the same.
  static auto* const sanitizers
    = reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, "close"));
  return sanitizers(descriptor);
#else
  return static_cast<int>(::syscall(SYS_close, descriptor));
#endif
}

int cut_file(int descriptor, off_t bytes) {
  const auto cut = [&] { return ::syscall(SYS_ftruncate, descriptor, bytes); };
  if (!is_watched(descriptor))
    return static_cast<int>(cut());
  const auto done = perform(system_call::truncate, cut);
  if (done == 0)
    rules.written(all.paths[descriptor]);
  return static_cast<int>(done);
}

} // namespace

std::string to_string(system_call call) {
  constexpr std::array<const char*, system_calls> names{
    "open", "write", "sync", "truncate", "rename", "unlink", "mkdir"};
  return names[static_cast<std::size_t>(call)];
}

void watch_calls(const std::string& directory, const call_plan& plan,
                 std::atomic<bool>* met) {
  all.directory_bytes = std::min(directory.size(), path_bytes - 1);
  std::memcpy(all.directory, directory.data(), all.directory_bytes);
  all.plan = plan;
  all.met = met;
  all.calls = 0;
  for (auto& kind : all.by_kind)
    kind = 0;
  all.armed = true;
}

void end_mishaps() {
  all.armed = false;
}

std::array<std::uint64_t, system_calls> counted_calls() {
  std::array<std::uint64_t, system_calls> counts{};
  std::copy(std::begin(all.by_kind), std::end(all.by_kind), counts.begin());
  return counts;
}

std::vector<std::string> broken_rules() {
  return rules.broken();
}

std::vector<std::string> unsynced_changes() {
  return rules.unsynced();
}

} // namespace torpor::test

// -- in place of libc's -------------------------------------------------------

using torpor::test::system_call;

extern "C" {

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0
                      ? va_arg(more, mode_t)
                      : mode_t{0};
  va_end(more);
  return torpor::test::open_file(path, flags, mode);
}

int close(int descriptor) {
  if (torpor::test::is_watched(descriptor))
    torpor::test::all.watched[descriptor] = false;
  return torpor::test::close_file(descriptor);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t count, off_t offset) {
  return torpor::test::write_at(descriptor, bytes, count, offset);
}

/// LMDB's, behind lseek.
ssize_t writev(int descriptor, const iovec* parts, int count) {
  const auto write = [&](int some) {
    return ::syscall(SYS_writev, descriptor, parts, some);
  };
  if (!torpor::test::is_watched(descriptor))
    return write(count);
  return torpor::test::on_write("writev", descriptor, [&] {
    return torpor::test::perform(
      system_call::write, [&] { return write(count); },
      [&] { return write((count + 1) / 2); });
  });
}

int fdatasync(int descriptor) {
  return torpor::test::sync_file(descriptor, SYS_fdatasync);
}

int fsync(int descriptor) {
  return torpor::test::sync_file(descriptor, SYS_fsync);
}

int ftruncate(int descriptor, off_t bytes) noexcept {
  return torpor::test::cut_file(descriptor, bytes);
}

int rename(const char* from, const char* to) noexcept {
  const auto call = [&] { return ::syscall(SYS_rename, from, to); };
  if (!torpor::test::is_watched(from))
    return static_cast<int>(call());
  const auto done = torpor::test::perform(system_call::rename, call);
  if (done == 0)
    torpor::test::rules.renamed(from, to);
  return static_cast<int>(done);
}

int unlink(const char* path) noexcept {
  const auto call = [&] { return ::syscall(SYS_unlink, path); };
  if (!torpor::test::is_watched(path))
    return static_cast<int>(call());
  const auto done = torpor::test::perform(system_call::unlink, call);
  if (done == 0)
    torpor::test::rules.removed(path);
  return static_cast<int>(done);
}

int mkdir(const char* path, mode_t mode) noexcept {
  const auto call = [&] { return ::syscall(SYS_mkdir, path, mode); };
  return static_cast<int>(
    torpor::test::is_watched(path)
      ? torpor::test::perform(system_call::make_directory, call)
      : call());
}

} // extern "C"
