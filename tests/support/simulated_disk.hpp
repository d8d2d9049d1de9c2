// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/disk.hpp"
#include "tests/support/simulated_directory.hpp"

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace torpor::test {

/// The calls that a simulated disk counts and can let fail.
enum class disk_call : std::uint8_t {
  open,
  write,
  sync,
  read,
  truncate,
  rename,
  unlink,
  sync_directory,
  make_directory,
  list,
};

/// Whether the call in which a process dies has an effect.
enum class last_call : std::uint8_t { by_chance, undone, done };

/// A disk in memory that fails on demand and loses what was not synced, as a
/// real one may. All chance comes from the seed: the same seed and the same
/// calls give the same outcome. It starts with an empty root directory (".",
/// which is also "/"). It refuses renames from one directory into another.
///
/// Two ways to die: `crash` cuts the power; `crash_at` followed by `restart`
/// without `crash` is a killed process, whose writes the kernel still has.
/// Threads: any; guarded by mutex_. It must outlive the files it opened.
class simulated_disk final : public disk {
public:
  explicit simulated_disk(std::uint64_t seed);

  [[nodiscard]] result<std::unique_ptr<file>> open(const std::string& path,
                                                   open_mode mode) override;
  [[nodiscard]] result<void> rename(const std::string& from,
                                    const std::string& to) override;
  [[nodiscard]] result<void> unlink(const std::string& path) override;
  [[nodiscard]] result<void> sync_directory(const std::string& path) override;
  [[nodiscard]] result<void> make_directory(const std::string& path) override;
  [[nodiscard]] result<std::vector<std::string>>
  list(const std::string& path) override;

  /// The power fails: each file and directory keeps what was synced, and of
  /// the rest what `fate` says. Every call fails until `restart`.
  void crash(unsynced fate = unsynced::by_chance);

  /// A new process: calls work again, files opened before stay dead. Planned
  /// failures stay planned, a planned crash does not.
  void restart();

  /// The process dies in the `nth` changing call from now (1 is the next): it
  /// and every later call fails. Changing are all calls but `read`, `list` and
  /// opening a file that exists.
  void crash_at(std::uint64_t nth, last_call last = last_call::by_chance);

  /// The `nth` call of that kind from now (1 is the next) fails with `number`
  /// (an errno); `for_good`: so do all later ones. A failing write has first
  /// written a part, a failing sync loses changes for good.
  void fail(disk_call call, std::uint64_t nth, int number,
            bool for_good = false);

  /// The `nth` changing call from now fails in the same way.
  void fail_change(std::uint64_t nth, int number);

  /// From now on so many syncs of a hundred lie, of files and of directories:
  /// they succeed, but what they cover is not on the medium. It shows when the
  /// power fails.
  void lie(unsigned percent);

  /// Files and directories of which a sync lied, by the paths they had.
  [[nodiscard]] std::set<std::string> lied_of() const;

  /// Forgets all planned failures, a planned crash, the capacity, and to lie.
  void heal();

  /// Writes that grow the files beyond this sum fail with ENOSPC, after what
  /// still fitted. 0 (the default) is no limit.
  void set_capacity(std::uint64_t bytes);
  /// The sum of all files.
  [[nodiscard]] std::uint64_t used() const;

  /// Damage to files at rest; they must exist.
  void flip_bit(const std::string& path, std::uint64_t byte, unsigned bit);
  void truncate_raw(const std::string& path, std::uint64_t bytes);
  void remove_raw(const std::string& path);

  /// How many calls of a kind, and how many changing calls, were made.
  [[nodiscard]] std::uint64_t count(disk_call call) const;
  [[nodiscard]] std::uint64_t changes() const;

  /// Whether the process is dead or the power gone: nothing works until `restart`.
  [[nodiscard]] bool is_dead() const;

  /// What became of all that.
  [[nodiscard]] happenings happened() const;

  /// Broken rules of `file`: writes and syncs after a failed write or sync,
  /// syncs that could not make durable what a failed one had lost, plain
  /// repetitions of a failed `sync_directory`. Such as
  /// "sync after failed sync: 'journal/7.journal'".
  [[nodiscard]] std::vector<std::string> violations() const;

  /// Keeps a line for each call from now on, such as
  /// "pwrite 'journal/7.journal' 4096+8192: ok".
  void trace();
  [[nodiscard]] std::vector<std::string> calls() const;
  /// The same, and forgets them.
  [[nodiscard]] std::vector<std::string> take_calls();

private:
  friend class simulated_file;

  struct request {
    disk_call call;
    const std::string& path;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    bool changing = true;
  };
  struct fault {
    disk_call call;
    std::uint64_t at; ///< As `counts_` counts.
    int number;
    bool for_good;
  };
  struct place {
    simulated_directory* directory; ///< None if it does not exist.
    std::string name;
  };
  using effect = std::function<int()>; ///< 0 or an errno.

  result<void> perform(const request& asked, const effect& whole,
                       const effect& broken = {});
  result<void> decide(const request& asked, const effect& whole,
                      const effect& broken);
  result<void> dead(const request& asked) const;
  void die_during(const request& asked, const effect& whole,
                  const effect& broken);
  int planned_failure(const request& asked);
  void end_process();
  simulated_directory* find_directory(const std::string& path);
  place locate(const std::string& path);
  std::shared_ptr<simulated_inode> find(const std::string& path);
  int write(simulated_inode& onto, std::uint64_t offset, bytes_view bytes);
  std::uint64_t bytes_used() const;
  void note_violation(std::string_view rule, std::string_view path);
  [[nodiscard]] bool lies_of(const std::string& path);

  mutable std::mutex mutex_;
  dice chance_;
  std::map<std::string, simulated_directory> directories_;
  std::vector<std::shared_ptr<simulated_inode>> inodes_; ///< By age.
  std::uint64_t process_ = 0; ///< Files of an earlier one are dead.
  bool dead_ = false;
  std::uint64_t crash_at_ = 0; ///< As `changes_` counts; 0: not planned.
  last_call crash_effect_ = last_call::by_chance;
  std::uint64_t changes_ = 0;
  std::array<std::uint64_t, 10> counts_{}; ///< By `disk_call`.
  std::vector<fault> faults_;
  std::uint64_t fail_at_ = 0; ///< As `changes_` counts; 0: not planned.
  int fail_number_ = 0;
  std::uint64_t capacity_ = 0;
  unsigned lies_ = 0; ///< Percent.
  std::set<std::string> lied_of_;
  std::vector<std::string> violations_;
  bool traces_ = false;
  std::vector<std::string> calls_;
};

} // namespace torpor::test
