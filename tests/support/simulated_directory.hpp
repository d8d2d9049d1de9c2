// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/simulated_inode.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace torpor::test {

/// The names in one simulated directory: those on the medium, and those that
/// programs see. A file has one name at most. Threads: one owner.
class simulated_directory {
public:
  using inode = std::shared_ptr<simulated_inode>;
  using names = std::map<std::string, inode>;

  /// From now on the file has this name; no name unlinks it. Who had the name
  /// before loses it.
  void name(const inode& file, const std::string& name);

  /// The file of that name, or none.
  [[nodiscard]] inode find(const std::string& name) const;
  [[nodiscard]] const names& visible() const { return visible_; }

  /// All changes reach the medium, save those that `fail_sync` lost.
  void sync();

  /// Some changes or none reach the medium, the others are lost.
  void fail_sync(dice& chance);

  /// The sync of a disk that lies: the changes reach the medium later, in part
  /// or never.
  void sync_falsely(dice& chance);

  /// Whether a sync failed and no change was made since: to sync again then
  /// achieves nothing.
  [[nodiscard]] bool sync_failed() const { return sync_failed_; }

  /// What programs see is what `fate` and chance left: by chance a prefix of
  /// the changes (a journal, as ext4), or any of them (XFS lost one rename).
  void lose_power(dice& chance, unsynced fate);

private:
  struct change {
    inode file;
    std::string name;
  };

  static void apply(const change& done, names& onto);
  void settle(dice& chance, unsynced fate);

  names durable_;
  names visible_;
  std::vector<change> unsynced_; ///< In the order they were made.
  bool sync_failed_ = false;
};

} // namespace torpor::test
