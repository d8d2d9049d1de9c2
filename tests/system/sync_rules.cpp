// SPDX-License-Identifier: Apache-2.0
#include "tests/system/sync_rules.hpp"

#include <string_view>

namespace torpor::test {

namespace {

bool is_below(const std::string& path, std::string_view directory) {
  return path.find(directory) != std::string::npos;
}

/// LMDB writes every page of a transaction anew, and what a failed one had
/// written is part of none: its next sync covers all that its next root refers
/// to. A lock says who holds it, no more.
bool ends_with_failure(const std::string& path) {
  return is_below(path, "/journal/") || is_below(path, "/segments/");
}

bool has_to_last(const std::string& path) {
  return ends_with_failure(path) || path.ends_with("/data.mdb")
         || is_below(path, "/torpor.store");
}

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

} // namespace

void sync_rules::begin(const std::string& call, const std::string& path) {
  const std::lock_guard guard{mutex_};
  if (failed_.contains(path))
    broken_.push_back(call + " after a failed call: '" + path + "'");
}

void sync_rules::failed(const std::string& path) {
  const std::lock_guard guard{mutex_};
  if (ends_with_failure(path))
    failed_.insert(path);
}

void sync_rules::written(const std::string& path) {
  const std::lock_guard guard{mutex_};
  if (has_to_last(path))
    unsynced_.insert(path);
}

void sync_rules::synced(const std::string& path) {
  const std::lock_guard guard{mutex_};
  unsynced_.erase(path);
}

void sync_rules::named(const std::string& path) {
  const std::lock_guard guard{mutex_};
  failed_.erase(path); // Another file than before.
  if (has_to_last(path))
    unnamed_[parent_of(path)] = path;
}

void sync_rules::renamed(const std::string& from, const std::string& to) {
  named(to);
  const std::lock_guard guard{mutex_};
  if (unsynced_.erase(from) > 0)
    unsynced_.insert(to);
}

void sync_rules::removed(const std::string& path) {
  const std::lock_guard guard{mutex_};
  unsynced_.erase(path);
  std::erase_if(unnamed_, [&](const auto& each) {
    return each.second == path;
  });
}

void sync_rules::directory_synced(const std::string& path) {
  const std::lock_guard guard{mutex_};
  unnamed_.erase(path);
}

std::vector<std::string> sync_rules::broken() const {
  const std::lock_guard guard{mutex_};
  return broken_;
}

std::vector<std::string> sync_rules::unsynced() const {
  const std::lock_guard guard{mutex_};
  std::vector<std::string> all{unsynced_.begin(), unsynced_.end()};
  for (const auto& [directory, name] : unnamed_)
    all.push_back(name + " (its name)");
  return all;
}

} // namespace torpor::test
