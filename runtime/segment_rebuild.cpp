// SPDX-License-Identifier: Apache-2.0
#include "runtime/segment_rebuild.hpp"

#include "runtime/journal_plan.hpp"
#include "runtime/journal_scan.hpp"
#include "runtime/seal_plan.hpp"
#include "runtime/segment_files.hpp"
#include "runtime/segment_verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace torpor {

namespace {

using open_segment = std::shared_ptr<const segment>;

/// From the oldest journal file on; of those that begin with the same, the one
/// that covers most, and of those the newest.
bool comes_first(const open_segment& left, const open_segment& right) {
  const auto place = [](const segment_summary& of) {
    return std::tuple{of.journal_first, ~of.journal_last, ~of.number};
  };
  return place(left->summary()) < place(right->summary());
}

std::string covered(const segment& of) {
  return fmt::format("'{}' (journal files {} to {})", of.path(),
                     of.summary().journal_first, of.summary().journal_last);
}

std::string what_was_left(const rebuilt_state& made) {
  std::string text;
  for (const auto& each : made.left)
    text += fmt::format("; '{}' cannot be used: {}", each.path, each.text);
  return text;
}

/// Makes the list out of what lies in the directory. Threads: one owner.
class list_rebuilder {
public:
  list_rebuilder(disk& disk, const std::string& directory,
                 const std::optional<catalog_state>& known)
    : disk_{disk},
      directory_{directory},
      known_{known} {}

  result<void> read(const store_id& store);
  result<void> choose();
  void leave_unproven(const journal_plan& journal, std::uint64_t unsealed_first);

  /// Behind the last journal file that the list covers, or that was noted as a
  /// hole.
  [[nodiscard]] std::uint64_t end() const {
    const auto noted = made_.holes.empty() ? 1 : made_.holes.back().second + 1;
    return list_.empty() ? noted
                         : std::max<std::uint64_t>(
                           noted, list_.back()->summary().journal_last + 1);
  }
  [[nodiscard]] rebuilt_state take();

  result<void> skip_to(std::uint64_t first, const std::string& what);

private:
  result<void> place(const open_segment& next);
  [[nodiscard]] bool contested(const segment& one) const;
  void leave(const std::string& path, std::string text) {
    made_.left.push_back({path, std::move(text)});
  }

  disk& disk_;
  const std::string& directory_;
  const std::optional<catalog_state>& known_;
  std::vector<open_segment> found_;
  std::vector<open_segment> list_;
  bool unreadable_ = false; ///< One of the files.
  rebuilt_state made_;
};

result<void> list_rebuilder::read(const store_id& store) {
  const auto names = disk_.list(directory_);
  if (!names)
    return tl::unexpected{names.error()};
  for (const auto& name : *names) {
    const auto number = segment_file_number(name);
    if (!number)
      continue;
    auto& next = made_.state.next_segment;
    next = std::max(next, *number + 1);
    const auto path = directory_ + "/" + name;
    auto opened = segment::open(disk_, path, store);
    if (!opened && opened.error().code != errc::corrupt)
      return tl::unexpected{opened.error()};
    if (opened) {
      found_.push_back(std::move(*opened));
      continue;
    }
    unreadable_ = true;
    leave(path, opened.error().context);
  }
  std::sort(found_.begin(), found_.end(), comes_first);
  return {};
}

/// Whether another file has some of the same journal files: then one of them is
/// left over, perhaps from a crash before it was whole.
bool list_rebuilder::contested(const segment& one) const {
  return std::any_of(found_.begin(), found_.end(), [&](const auto& other) {
    return other.get() != &one
           && other->summary().journal_first <= one.summary().journal_last
           && other->summary().journal_last >= one.summary().journal_first;
  });
}

result<void> list_rebuilder::choose() {
  for (const auto& next : found_)
    if (auto placed = place(next); !placed)
      return placed;
  return {};
}

result<void> list_rebuilder::place(const open_segment& next) {
  const auto& sum = next->summary();
  if (sum.journal_last < end()) {
    leave(next->path(), "other segments have the same journal files");
    return {};
  }
  if (contested(*next)) {
    const auto report = verify_segment(next);
    if (!report)
      return tl::unexpected{report.error()};
    if (!report->damages.empty()) {
      leave(next->path(), report->damages.front().text);
      return {};
    }
  }
  if (sum.journal_first < end())
    return fail(errc::corrupt,
                fmt::format("{} and {} overlap in part; move one of them away",
                            covered(*list_.back()), covered(*next)));
  // Segments in which nothing was left are not replaced.
  if (auto noted = skip_to(sum.journal_first, covered(*next)); !noted)
    return noted;
  list_.push_back(next);
  return {};
}

/// Notes the journal files that no segment has in front of `first`.
result<void> list_rebuilder::skip_to(std::uint64_t first,
                                     const std::string& what) {
  if (first <= end())
    return {};
  const auto lost = unreadable_
                    || (known_
                        && std::any_of(known_->segments.begin(),
                                       known_->segments.end(),
                                       [&](const auto& each) {
                                         return each.journal_first < first
                                                && each.journal_last >= end();
                                       }));
  if (lost)
    return fail(errc::corrupt,
                fmt::format("no segment has journal files {} to {}, which come "
                            "before {}; restore it from a copy{}",
                            end(), first - 1, what, what_was_left(made_)));
  made_.holes.emplace_back(end(), first - 1);
  return {};
}

/// Leaves the newest segments while nothing proves that the records were saved
/// after them: the journal has all of their files still.
void list_rebuilder::leave_unproven(const journal_plan& journal,
                                    std::uint64_t unsealed_first) {
  const auto is_kept = [&](const segment_summary& one) {
    return one.journal_first >= journal.oldest
           && std::none_of(journal.missing.begin(), journal.missing.end(),
                           [&](std::uint64_t gone) {
                             return one.journal_first <= gone
                                    && gone <= one.journal_last;
                           });
  };
  while (!list_.empty() && is_kept(list_.back()->summary())
         && list_.back()->summary().journal_last >= unsealed_first) {
    leave(list_.back()->path(), "the journal has all of its files still");
    list_.pop_back();
  }
}

rebuilt_state list_rebuilder::take() {
  auto& state = made_.state;
  for (const auto& each : list_)
    state.segments.push_back(each->summary());
  state.unsealed_first = state.journal_first = end();
  return std::move(made_);
}

/// Damage in what is not sealed.
std::optional<journal_damage> needed_damage(const journal_config& journal,
                                            const scan_result& scan,
                                            std::uint32_t first) {
  if (scan.end.file + 1 < first)
    return journal_damage{first - 1, journal_file_path(journal, first - 1), 0, 0,
                          "the journal ends before this file", true};
  for (const auto& damage : scan.damages)
    if (damage.number >= first)
      return damage;
  return std::nullopt;
}

/// What the state says of the journal: where it is not sealed, and the openings.
result<void> read_journal(disk& disk, const journal_config& journal,
                          rebuilt_state& made) {
  auto& state = made.state;
  const auto first = static_cast<std::uint32_t>(state.unsealed_first);
  const scan_options how{.whole_from = first, .repair = false};
  const auto scan = scan_journal(disk, journal, how,
                                 [](const block_view&, block_place) {});
  if (!scan)
    return tl::unexpected{scan.error()};
  if (const auto damage = needed_damage(journal, *scan, first))
    return fail(errc::corrupt,
                fmt::format("journal '{}' at byte {}: {}, and no segment has "
                            "it; restore it from a copy{}",
                            damage->file, damage->offset, damage->text,
                            what_was_left(made)));
  state.incarnation = std::max(state.incarnation, scan->end.incarnation);
  const auto frame = first_frame(disk, journal, first);
  if (!frame)
    return tl::unexpected{frame.error()};
  state.frame_first = frame->value_or(scan->end.frame + 1);
  return {};
}

} // namespace

result<rebuilt_state> rebuild_state(disk& disk, const journal_config& journal,
                                    const std::string& directory,
                                    const std::optional<catalog_state>& known) {
  list_rebuilder list{disk, directory, known};
  const auto plan = plan_journal(disk, journal);
  if (!plan)
    return tl::unexpected{plan.error()};
  auto done = list.read(journal.store).and_then([&] { return list.choose(); });
  if (!done)
    return tl::unexpected{done.error()};
  if (plan->oldest != 0) {
    list.leave_unproven(*plan, known ? known->unsealed_first : 1);
    // In the newest segments nothing may be left, too.
    if (auto noted = list.skip_to(plan->oldest, "the journal"); !noted)
      return tl::unexpected{noted.error()};
  }
  auto made = list.take();
  if (known) {
    made.state.incarnation = known->incarnation;
    made.state.next_segment = std::max(made.state.next_segment,
                                       known->next_segment);
  }
  done = read_journal(disk, journal, made);
  if (!done)
    return tl::unexpected{done.error()};
  return made;
}

std::string find_newer_segment(disk& disk, const journal_config& journal,
                               const std::string& directory,
                               const catalog_state& state,
                               std::uint32_t journal_end) {
  const auto names = disk.list(directory);
  const auto files = list_journal_files(disk, journal);
  if (!names || !files)
    return {};
  const auto is_needed_and_gone = [&](std::uint64_t number) {
    return number >= state.unsealed_first
           && (number > journal_end
               || std::find(files->numbers.begin(), files->numbers.end(), number)
                    == files->numbers.end());
  };
  for (const auto& name : *names) {
    const auto number = segment_file_number(name);
    if (!number
        || std::any_of(
          state.segments.begin(), state.segments.end(),
          [&](const auto& each) { return each.number == *number; }))
      continue;
    const auto path = directory + "/" + name;
    const auto opened = segment::open(disk, path, journal.store);
    if (!opened)
      continue;
    const auto& sum = (*opened)->summary();
    for (std::uint64_t at = sum.journal_first; at <= sum.journal_last; ++at)
      if (is_needed_and_gone(at))
        return path;
  }
  return {};
}

std::vector<left_segment>
compare_segments(disk& disk, const std::string& directory,
                 const store_id& store,
                 const std::vector<segment_summary>& listed) {
  std::vector<left_segment> wrong;
  for (const auto& each : listed) {
    const auto path = directory + "/" + segment_file_name(each.number);
    const auto opened = segment::open(disk, path, store);
    if (!opened)
      wrong.push_back({path, opened.error().context});
    else if ((*opened)->summary() != each)
      wrong.push_back({path, "it is not what the catalog says of it"});
  }
  return wrong;
}

} // namespace torpor
