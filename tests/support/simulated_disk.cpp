// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulated_disk.hpp"

#include "runtime/assert.hpp"
#include "tests/support/simulated_file.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace torpor::test {

namespace {

/// The system call that `posix_disk` makes.
std::string_view name_of(disk_call call) {
  constexpr std::array<std::string_view, 10> names{
    "open",   "pwrite", "fdatasync", "pread", "ftruncate",
    "rename", "unlink", "fsync",     "mkdir", "readdir"};
  return names[static_cast<std::size_t>(call)];
}

/// Without "." and slashes at both ends; the root is "".
std::string normal(const std::string& path) {
  auto plain = std::filesystem::path{path}.lexically_normal().string();
  while (!plain.empty() && plain.back() == '/')
    plain.pop_back();
  plain.erase(0, plain.find_first_not_of('/'));
  return plain == "." ? "" : plain;
}

} // namespace

simulated_disk::simulated_disk(std::uint64_t seed) : chance_{seed} {
  directories_[""];
}

result<std::unique_ptr<file>> simulated_disk::open(const std::string& path,
                                                   open_mode mode) {
  std::unique_ptr<file> opened; // Its destructor takes the mutex.
  const std::lock_guard guard{mutex_};
  const auto creates = mode == open_mode::create;
  const auto whole = [&] {
    const auto [directory, name] = locate(path);
    if (!directory)
      return ENOENT;
    auto inode = directory->find(name);
    if (creates == (inode != nullptr))
      return creates ? EEXIST : ENOENT;
    if (creates) {
      inode = inodes_.emplace_back(std::make_shared<simulated_inode>());
      directory->name(inode, name);
    }
    opened = std::make_unique<simulated_file>(*this, inode, path,
                                              mode != open_mode::read);
    return 0;
  };
  return perform({disk_call::open, path, 0, 0, creates}, whole).map([&] {
    return std::move(opened);
  });
}

result<void> simulated_disk::rename(const std::string& from,
                                    const std::string& to) {
  const std::lock_guard guard{mutex_};
  const auto both = fmt::format("{}' to '{}", from, to);
  return perform({disk_call::rename, both}, [&] {
    const auto source = locate(from);
    const auto target = locate(to);
    const auto inode = find(from);
    if (!inode || !target.directory)
      return ENOENT;
    if (source.directory != target.directory)
      return EXDEV;
    if (source.name != target.name)
      target.directory->name(inode, target.name);
    return 0;
  });
}

result<void> simulated_disk::unlink(const std::string& path) {
  const std::lock_guard guard{mutex_};
  return perform({disk_call::unlink, path}, [&] {
    const auto inode = find(path);
    if (!inode)
      return ENOENT;
    locate(path).directory->name(inode, "");
    return 0;
  });
}

result<void> simulated_disk::sync_directory(const std::string& path) {
  const std::lock_guard guard{mutex_};
  auto* directory = find_directory(path);
  return perform(
    {disk_call::sync_directory, path},
    [&] {
      if (!directory)
        return ENOENT;
      if (directory->sync_failed())
        note_violation("sync_directory after failed sync_directory", path);
      if (lies_of(path))
        directory->sync_falsely(chance_);
      else
        directory->sync();
      return 0;
    },
    [&] {
      if (directory)
        directory->fail_sync(chance_);
      return 0;
    });
}

result<void> simulated_disk::make_directory(const std::string& path) {
  const std::lock_guard guard{mutex_};
  return perform({disk_call::make_directory, path}, [&] {
    const auto parent = locate(path).directory;
    if (!parent)
      return ENOENT;
    if (find(path))
      return EEXIST;
    directories_[normal(path)];
    parent->sync();
    return 0;
  });
}

result<std::vector<std::string>> simulated_disk::list(const std::string& path) {
  const std::lock_guard guard{mutex_};
  std::vector<std::string> names;
  auto missing = false;
  const auto whole = [&] {
    const auto* directory = find_directory(path);
    missing = directory == nullptr;
    if (missing)
      return ENOENT;
    for (const auto& [name, inode] : directory->visible())
      names.push_back(name);
    return 0;
  };
  auto done = perform({disk_call::list, path, 0, 0, false}, whole);
  if (missing)
    done.error().code = errc::not_found;
  return std::move(done).map([&] { return std::move(names); });
}

void simulated_disk::crash(unsynced fate) {
  const std::lock_guard guard{mutex_};
  chance_.note(happening::power_cut);
  for (const auto& inode : inodes_)
    inode->lose_power(chance_, fate);
  for (auto& [path, directory] : directories_)
    directory.lose_power(chance_, fate);
  end_process();
  dead_ = true;
}

void simulated_disk::restart() {
  const std::lock_guard guard{mutex_};
  end_process();
  dead_ = false;
}

void simulated_disk::end_process() {
  ++process_;
  crash_at_ = 0;
  std::erase_if(inodes_, [](const auto& inode) {
    inode->handles = 0;
    return inode.use_count() == 1; // No name on the medium or in the cache.
  });
}

void simulated_disk::crash_at(std::uint64_t nth, last_call last) {
  TORPOR_ASSERT(nth > 0);
  const std::lock_guard guard{mutex_};
  crash_at_ = changes_ + nth;
  crash_effect_ = last;
}

void simulated_disk::fail(disk_call call, std::uint64_t nth, int number,
                          bool for_good) {
  TORPOR_ASSERT(nth > 0 && number != 0);
  const std::lock_guard guard{mutex_};
  const auto made = counts_[static_cast<std::size_t>(call)];
  faults_.push_back({call, made + nth, number, for_good});
}

void simulated_disk::fail_change(std::uint64_t nth, int number) {
  TORPOR_ASSERT(nth > 0 && number != 0);
  const std::lock_guard guard{mutex_};
  fail_at_ = changes_ + nth;
  fail_number_ = number;
}

void simulated_disk::heal() {
  const std::lock_guard guard{mutex_};
  faults_.clear();
  capacity_ = 0;
  lies_ = 0;
  fail_at_ = 0;
  crash_at_ = 0;
}

void simulated_disk::lie(unsigned percent) {
  const std::lock_guard guard{mutex_};
  lies_ = percent;
}

bool simulated_disk::lies_of(const std::string& path) {
  if (lies_ == 0 || chance_.below(100) >= lies_)
    return false;
  lied_of_.insert(path);
  return true;
}

std::set<std::string> simulated_disk::lied_of() const {
  const std::lock_guard guard{mutex_};
  return lied_of_;
}

bool simulated_disk::is_dead() const {
  const std::lock_guard guard{mutex_};
  return dead_;
}

happenings simulated_disk::happened() const {
  const std::lock_guard guard{mutex_};
  return chance_.happened;
}

void simulated_disk::set_capacity(std::uint64_t bytes) {
  const std::lock_guard guard{mutex_};
  capacity_ = bytes;
}

std::uint64_t simulated_disk::used() const {
  const std::lock_guard guard{mutex_};
  return bytes_used();
}

void simulated_disk::flip_bit(const std::string& path, std::uint64_t byte,
                              unsigned bit) {
  const std::lock_guard guard{mutex_};
  const auto inode = find(path);
  TORPOR_ASSERT(inode);
  inode->flip_bit(byte, bit);
}

void simulated_disk::truncate_raw(const std::string& path,
                                  std::uint64_t bytes) {
  const std::lock_guard guard{mutex_};
  const auto inode = find(path);
  TORPOR_ASSERT(inode);
  inode->cut(bytes);
}

void simulated_disk::remove_raw(const std::string& path) {
  const std::lock_guard guard{mutex_};
  const auto inode = find(path);
  TORPOR_ASSERT(inode);
  auto& directory = *locate(path).directory;
  directory.name(inode, "");
  directory.sync();
}

std::uint64_t simulated_disk::count(disk_call call) const {
  const std::lock_guard guard{mutex_};
  return counts_[static_cast<std::size_t>(call)];
}

std::uint64_t simulated_disk::changes() const {
  const std::lock_guard guard{mutex_};
  return changes_;
}

std::vector<std::string> simulated_disk::violations() const {
  const std::lock_guard guard{mutex_};
  return violations_;
}

void simulated_disk::trace() {
  const std::lock_guard guard{mutex_};
  traces_ = true;
}

std::vector<std::string> simulated_disk::calls() const {
  const std::lock_guard guard{mutex_};
  return calls_;
}

std::vector<std::string> simulated_disk::take_calls() {
  const std::lock_guard guard{mutex_};
  return std::exchange(calls_, {});
}

result<void> simulated_disk::perform(const request& asked, const effect& whole,
                                     const effect& broken) {
  auto outcome = decide(asked, whole, broken);
  if (traces_)
    calls_.push_back(fmt::format("{} '{}' {}+{}: {}", name_of(asked.call),
                                 asked.path, asked.offset, asked.bytes,
                                 outcome ? "ok" : outcome.error().context));
  return outcome;
}

result<void> simulated_disk::decide(const request& asked, const effect& whole,
                                    const effect& broken) {
  if (dead_)
    return dead(asked);
  ++counts_[static_cast<std::size_t>(asked.call)];
  if (asked.changing && ++changes_ == crash_at_) {
    die_during(asked, whole, broken);
    return dead(asked);
  }
  auto number = planned_failure(asked);
  if (number == 0)
    number = whole();
  else if (broken)
    broken();
  if (number != 0)
    return fail_io(name_of(asked.call), asked.path, number);
  return {};
}

result<void> simulated_disk::dead(const request& asked) const {
  return torpor::fail(errc::io_failed,
                      fmt::format("{} '{}': the simulated process is dead",
                                  name_of(asked.call), asked.path));
}

void simulated_disk::die_during(const request& asked, const effect& whole,
                                const effect& broken) {
  dead_ = true;
  chance_.note(happening::death_in_a_call);
  if (crash_effect_ == last_call::undone)
    return;
  if (crash_effect_ == last_call::done || chance_.coin())
    whole();
  else if (asked.call == disk_call::write)
    broken();
}

int simulated_disk::planned_failure(const request& asked) {
  if (asked.changing && changes_ == fail_at_)
    return fail_number_;
  const auto now = counts_[static_cast<std::size_t>(asked.call)];
  for (const auto& planned : faults_) {
    if (planned.call == asked.call
        && (planned.at == now || (planned.for_good && planned.at < now))) {
      chance_.note(static_cast<happening>(asked.call));
      return planned.number;
    }
  }
  return 0;
}

simulated_directory* simulated_disk::find_directory(const std::string& path) {
  const auto found = directories_.find(normal(path));
  return found == directories_.end() ? nullptr : &found->second;
}

simulated_disk::place simulated_disk::locate(const std::string& path) {
  const auto plain = normal(path);
  const auto slash = plain.rfind('/');
  if (slash == std::string::npos)
    return {find_directory(""), plain};
  return {find_directory(plain.substr(0, slash)), plain.substr(slash + 1)};
}

std::shared_ptr<simulated_inode> simulated_disk::find(const std::string& path) {
  const auto [directory, name] = locate(path);
  return directory ? directory->find(name) : nullptr;
}

int simulated_disk::write(simulated_inode& onto, std::uint64_t offset,
                          bytes_view bytes) {
  if (capacity_ != 0) {
    const auto used = bytes_used();
    const auto end = onto.size() + (capacity_ - std::min(used, capacity_));
    const auto fits = end - std::min(end, offset);
    if (bytes.size() > fits) {
      chance_.note(happening::full_disk);
      onto.write(offset, bytes.first(fits));
      return ENOSPC;
    }
  }
  onto.write(offset, bytes);
  return 0;
}

/// A file without a name takes room as long as it is open.
std::uint64_t simulated_disk::bytes_used() const {
  std::set<const simulated_inode*> named;
  for (const auto& [path, directory] : directories_) {
    for (const auto& [name, inode] : directory.visible())
      named.insert(inode.get());
  }
  std::uint64_t bytes = 0;
  for (const auto& inode : inodes_) {
    if (inode->handles > 0 || named.count(inode.get()) > 0)
      bytes += inode->size();
  }
  return bytes;
}

void simulated_disk::note_violation(std::string_view rule,
                                    std::string_view path) {
  violations_.push_back(fmt::format("{}: '{}'", rule, path));
}

} // namespace torpor::test
