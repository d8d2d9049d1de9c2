// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace torpor::test {

/// What is known of a store's files from the calls that change them, and what
/// of that breaks a rule:
/// - No write and no sync of a journal file or segment after one that failed,
///   by whatever descriptor.
/// - In the end all that was written has been synced, and all names have.
/// Threads: any; guarded by `mutex_`.
class sync_rules {
public:
  /// A file is about to be written or synced; `call` is for people.
  void begin(const std::string& call, const std::string& path);
  /// That call failed.
  void failed(const std::string& path);

  void written(const std::string& path);
  void synced(const std::string& path);
  /// A file or directory has got a name that it did not have.
  void named(const std::string& path);
  void renamed(const std::string& from, const std::string& to);
  void removed(const std::string& path);
  void directory_synced(const std::string& path);

  /// Such as "fdatasync after a failed call: 'x/journal/1.journal'".
  [[nodiscard]] std::vector<std::string> broken() const;
  /// Files and directories whose changes no sync has covered. Only where
  /// nothing failed this must be empty in the end.
  [[nodiscard]] std::vector<std::string> unsynced() const;

private:
  mutable std::mutex mutex_;
  std::set<std::string> failed_; ///< A write or a sync of theirs failed.
  std::set<std::string> unsynced_;
  std::map<std::string, std::string> unnamed_; ///< Directory; what is in it.
  std::vector<std::string> broken_;
};

} // namespace torpor::test
