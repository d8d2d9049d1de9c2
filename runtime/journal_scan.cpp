// SPDX-License-Identifier: Apache-2.0
#include "runtime/journal_scan.hpp"

#include "runtime/journal_plan.hpp"
#include "runtime/journal_repair.hpp"
#include "runtime/safety_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace torpor {

namespace {

constexpr std::string_view cut_off = "the file is cut off";

/// Walks over the files of a plan, frame after frame.
class scanner {
public:
  scanner(disk& disk, const journal_config& config, const scan_options& options,
          const block_visitor& visit)
    : disk_(disk),
      config_(config),
      options_(options),
      visit_(visit) {}

  result<scan_result> run();

private:
  result<void> walk(const planned_file& planned);
  result<void> check_end(std::uint32_t number, frame_reader& reader,
                         std::uint64_t offset);
  result<void> walk_frames(const planned_file& planned, frame_reader& reader,
                           std::uint64_t& offset);
  result<void> accept(frame_reader& reader, const placed_frame& frame);
  result<void> salvage(frame_reader& reader, std::uint64_t from,
                       std::uint64_t to, frame_range numbers);
  result<void> note(std::uint32_t number, std::uint64_t offset,
                    std::uint64_t bytes, std::string text, bool fatal = false);
  result<void> note_absences(const journal_plan& plan);
  std::string objection(const placed_frame& found, std::uint64_t offset) const;

  disk& disk_;
  const journal_config& config_;
  const scan_options& options_;
  const block_visitor& visit_;
  scan_result result_;
  placed_frame last_;
  std::uint64_t next_ = 1;                  ///< Frame expected; 0: unknown.
  std::optional<std::uint64_t> chain_ = 0u; ///< Its `previous`, if known.
};

result<scan_result> scanner::run() {
  const auto plan = plan_journal(disk_, config_);
  if (!plan)
    return tl::unexpected{plan.error()};
  if (auto whole = note_absences(*plan); !whole)
    return tl::unexpected{whole.error()};
  for (const auto& planned : plan->files)
    if (auto walked = walk(planned); !walked)
      return tl::unexpected{walked.error()};
  result_.end.spare = plan->spare;
  if (options_.repair) {
    const journal_tail tail{result_.end.file, last_, plan->spare,
                            plan->useless};
    if (auto done = repair_journal(disk_, config_, tail); !done)
      return tl::unexpected{done.error()};
  }
  return std::move(result_);
}

/// Notes files that must be there and are not, or are not what they should be.
result<void> scanner::note_absences(const journal_plan& plan) {
  for (const auto& [number, holds] : plan.misplaced) {
    // Repairing would take it for a torn file and remove it.
    auto text = fmt::format("it holds frames of file {}; was it renamed?",
                            holds);
    if (auto noted = note(number, 0, 0, std::move(text), true); !noted)
      return noted;
  }
  for (const auto number : plan.cut)
    if (auto noted = note(number, 0, 0, std::string{cut_off}, true); !noted)
      return noted;
  for (const auto number : plan.missing)
    if (number >= options_.kept_from)
      if (auto noted = note(number, 0, 0, "the file is missing"); !noted)
        return noted;
  const auto newest = plan.files.empty() ? 0 : plan.files.back().number;
  if (newest + 1 >= options_.whole_from)
    return {};
  // Of files that are all gone, those in segments may have gone rightly; the last
  // one went only when there were frames behind it.
  const auto last = options_.whole_from - 1;
  const auto first = newest == 0 ? std::min(options_.kept_from, last)
                                 : newest + 1;
  auto text = first == last ? std::string{"there are no frames in it, nor in a "
                                          "newer file"}
                            : fmt::format("there are no frames from here to "
                                          "file {}",
                                          last);
  return note(first, 0, 0, std::move(text), true);
}

result<void> scanner::walk(const planned_file& planned) {
  auto reader = frame_reader::open(disk_,
                                   journal_file_path(config_, planned.number),
                                   planned.number, config_.store);
  if (!reader)
    return tl::unexpected{reader.error()};
  if (planned.after_gap) {
    next_ = 0;
    chain_.reset();
  }
  std::uint64_t offset = 0;
  auto walked = walk_frames(planned, *reader, offset);
  if (walked && planned.limit == 0)
    return check_end(planned.number, *reader, offset);
  if (!walked || next_ == planned.limit)
    return walked;
  const frame_range lost{next_, planned.limit};
  next_ = planned.limit;
  chain_.reset();
  return note(planned.number, offset, reader->size() - offset,
              fmt::format("no frame up to {} is readable from here on",
                          planned.limit - 1))
    .and_then([&] { return salvage(*reader, offset, reader->size(), lost); });
}

/// A tail that is torn is not cut off: the file has its full size before a frame
/// is written.
result<void> scanner::check_end(std::uint32_t number, frame_reader& reader,
                                std::uint64_t offset) {
  const auto cut = reader.cut_off(offset);
  if (!cut)
    return tl::unexpected{cut.error()};
  const auto left = reader.size() > offset ? reader.size() - offset : 0;
  return *cut ? note(number, offset, left, std::string{cut_off})
              : result<void>{};
}

/// Behind the limit lies only what was fenced or never used.
result<void> scanner::walk_frames(const planned_file& planned,
                                  frame_reader& reader, std::uint64_t& offset) {
  while (planned.limit == 0 || next_ < planned.limit) {
    const frame_range expected{next_, planned.limit};
    const auto found = reader.find(offset, expected);
    if (!found)
      return tl::unexpected{found.error()};
    if (!*found)
      break;
    const auto& frame = **found;
    if (auto why = objection(frame, offset); !why.empty()) {
      const auto bytes = frame.offset - offset;
      auto noted = note(planned.number, offset, bytes, std::move(why))
                     .and_then([&] {
                       return salvage(reader, offset, frame.offset, expected);
                     });
      if (!noted)
        return noted;
    }
    if (auto accepted = accept(reader, frame); !accepted)
      return accepted;
    offset = frame.end();
  }
  return {};
}

/// What is wrong with finding this frame as the next one; empty if nothing.
std::string scanner::objection(const placed_frame& found,
                               std::uint64_t offset) const {
  const auto number = found.header.number;
  if (found.offset > offset)
    return next_ == 0 ? fmt::format("a frame before {} is damaged", number)
                      : fmt::format("frame {} is damaged", next_);
  if (next_ != 0 && number > next_)
    return fmt::format("frames {} to {} are missing", next_, number - 1);
  if (does(safety_step::frame_chain) && chain_
      && found.header.previous != *chain_)
    return fmt::format("frame {} was written behind another frame than the "
                       "one before it",
                       number);
  return {};
}

result<void> scanner::accept(frame_reader& reader, const placed_frame& frame) {
  const auto& header = frame.header;
  next_ = header.number + 1;
  chain_ = header.checksum;
  last_ = frame;
  auto& end = result_.end;
  end.frame = header.number;
  end.checksum = header.checksum;
  end.file = header.file;
  end.idle = header.blocks == 0;
  end.incarnation = std::max(end.incarnation, header.incarnation);
  ++result_.frames;
  result_.blocks += header.blocks;
  result_.bytes += frame_bytes(header.payload_bytes);
  const auto broken = reader.visit(frame, visit_);
  if (!broken)
    return tl::unexpected{broken.error()};
  if (*broken)
    return note(header.file, **broken, frame.end() - **broken,
                fmt::format("frame {} holds a malformed block", header.number));
  return {};
}

result<void> scanner::salvage(frame_reader& reader, std::uint64_t from,
                              std::uint64_t to, frame_range numbers) {
  const auto blocks = reader.salvage(from, to, numbers, visit_);
  if (!blocks)
    return tl::unexpected{blocks.error()};
  result_.blocks += *blocks;
  return {};
}

result<void> scanner::note(std::uint32_t number, std::uint64_t offset,
                           std::uint64_t bytes, std::string text, bool fatal) {
  journal_damage damage{number, journal_file_path(config_, number), offset,
                        bytes, std::move(text),
                        fatal || number >= options_.whole_from};
  if (damage.fatal && options_.repair)
    return fail(errc::corrupt,
                fmt::format("journal '{}' at byte {}: {}; acknowledged data "
                            "is damaged: restore the file from a copy",
                            damage.file, damage.offset, damage.text));
  result_.damages.push_back(std::move(damage));
  return {};
}

} // namespace

result<scan_result> scan_journal(disk& disk, const journal_config& config,
                                 const scan_options& options,
                                 const block_visitor& visit) {
  return scanner{disk, config, options, visit}.run();
}

} // namespace torpor
