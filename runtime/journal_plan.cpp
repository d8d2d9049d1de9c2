// SPDX-License-Identifier: Apache-2.0
#include "runtime/journal_plan.hpp"

#include "runtime/frame_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>

namespace torpor {

namespace {

/// Makes the plan: looks at all first frames, then from the newest file back.
class planner {
public:
  planner(disk& disk, const journal_config& config)
    : disk_(disk),
      config_(config) {}

  result<journal_plan> run();

private:
  using head = std::optional<frame_header>;
  enum class content : std::uint8_t { blank, frames, rubbish };

  result<frame_reader> open(std::uint32_t number);
  result<void> read_head(std::uint32_t number);
  result<std::uint32_t> find_newest();
  result<content> inspect(std::uint32_t number);
  void order_files(std::uint32_t newest);

  disk& disk_;
  const journal_config& config_;
  std::map<std::uint32_t, head> heads_; ///< By file; none if not sound.
  journal_plan plan_;
};

result<journal_plan> planner::run() {
  auto listing = list_journal_files(disk_, config_);
  if (!listing)
    return tl::unexpected{listing.error()};
  for (const auto number : listing->numbers)
    if (auto read = read_head(number); !read)
      return tl::unexpected{read.error()};
  if (!heads_.empty())
    plan_.oldest = heads_.begin()->first;
  const auto newest = find_newest();
  if (!newest)
    return tl::unexpected{newest.error()};
  order_files(*newest);
  plan_.useless.insert(plan_.useless.end(), listing->unfinished.begin(),
                       listing->unfinished.end());
  return std::move(plan_);
}

result<frame_reader> planner::open(std::uint32_t number) {
  return frame_reader::open(disk_, journal_file_path(config_, number), number,
                            config_.store);
}

result<void> planner::read_head(std::uint32_t number) {
  auto reader = open(number);
  if (!reader)
    return tl::unexpected{reader.error()};
  const auto first = reader->first_header();
  const auto path = journal_file_path(config_, number);
  if (!first) {
    const auto& why = first.error();
    return fail(why.code, why.code == errc::incompatible
                            ? fmt::format("'{}': {}", path, why.context)
                            : why.context);
  }
  if (*first && (*first)->store != config_.store)
    return fail(
      errc::incompatible,
      fmt::format("'{}' belongs to another store: move it away", path));
  const auto misplaced = *first && (*first)->file != number;
  if (misplaced)
    plan_.misplaced.emplace_back(number, (*first)->file);
  heads_[number] = misplaced ? head{} : *first;
  return {};
}

/// The newest file with a valid frame, or 0. What lies behind it is the spare,
/// or of no use.
result<std::uint32_t> planner::find_newest() {
  std::vector<std::uint32_t> behind; // Newest first.
  bool blank_follows = false;        // The last of them could be the spare.
  std::uint32_t newest = 0;
  for (auto at = heads_.rbegin(); at != heads_.rend(); ++at) {
    const auto state = inspect(at->first);
    if (!state)
      return tl::unexpected{state.error()};
    if (*state == content::frames) {
      newest = at->first;
      break;
    }
    behind.push_back(at->first);
    blank_follows = *state == content::blank;
  }
  // A file is made when the one before it is there, and removed first: in front
  // of it none can be missing.
  if (!behind.empty() && behind.back() > newest + 1)
    plan_.missing.push_back(newest + 1);
  if (blank_follows && behind.back() == newest + 1) {
    plan_.spare = behind.back();
    behind.pop_back();
  }
  for (const auto number : behind)
    plan_.useless.push_back(journal_file_path(config_, number));
  return newest;
}

result<planner::content> planner::inspect(std::uint32_t number) {
  auto reader = open(number);
  if (!reader)
    return tl::unexpected{reader.error()};
  const auto blank = reader->blank();
  if (!blank)
    return tl::unexpected{blank.error()};
  if (*blank && reader->size() == config_.file_bytes)
    return content::blank;
  const auto frame = reader->find(0, {});
  if (!frame)
    return tl::unexpected{frame.error()};
  if (*frame)
    return content::frames;
  const auto cut = reader->cut_off(0);
  if (!cut)
    return tl::unexpected{cut.error()};
  if (*cut)
    plan_.cut.push_back(number);
  return content::rubbish;
}

/// From the newest file back: its first frame says where the one before lies.
void planner::order_files(std::uint32_t newest) {
  auto number = newest;
  std::uint64_t limit = 0;
  while (number != 0) {
    auto& planned = plan_.files.emplace_back(planned_file{number, limit});
    const auto& first = heads_[number];
    auto below = first ? std::min(first->previous_file, number - 1)
                       : number - 1;
    limit = first ? first->number : 0;
    if (below != 0 && heads_.count(below) == 0) {
      plan_.missing.push_back(below);
      planned.after_gap = true;
      limit = 0;
      const auto next = heads_.lower_bound(below);
      below = next == heads_.begin() ? 0 : std::prev(next)->first;
    }
    number = below;
  }
  std::reverse(plan_.files.begin(), plan_.files.end());
}

} // namespace

result<journal_plan> plan_journal(disk& disk, const journal_config& config) {
  return planner{disk, config}.run();
}

} // namespace torpor
