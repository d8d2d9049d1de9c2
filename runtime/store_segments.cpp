// SPDX-License-Identifier: Apache-2.0
#include "runtime/store_segments.hpp"

#include "runtime/journal_seal.hpp"
#include "runtime/segment.hpp"
#include "runtime/segment_files.hpp"
#include "runtime/segment_rebuild.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace torpor {

namespace {

/// The sealed journal files that a crash has left.
std::vector<std::uint32_t> sealed_files(const store& opened) {
  auto listing = list_journal_files(*opened.world.disk, opened.journal);
  if (!listing)
    return {}; // Then none can be removed either.
  std::erase_if(listing->numbers, [&](auto number) {
    return number >= opened.state.unsealed_first;
  });
  return std::move(listing->numbers);
}

/// Whether every listed segment is there, and the journal from where they end;
/// also that those can be read whose journal files would be removed now. Says
/// which segments are not.
bool is_complete(const store& opened, const std::vector<std::string>& names) {
  auto all = std::none_of(
    opened.scan.damages.begin(), opened.scan.damages.end(),
    [&](const auto& each) { return each.number >= opened.state.unsealed_first; });
  const auto sealed = sealed_files(opened);
  for (const auto& each : opened.state.segments) {
    const auto name = segment_file_name(each.number);
    const auto is_needed = [&](auto number) {
      return each.journal_first <= number && number <= each.journal_last;
    };
    auto why = std::binary_search(names.begin(), names.end(), name)
                 ? std::string{}
                 : "it is not there";
    if (why.empty() && std::any_of(sealed.begin(), sealed.end(), is_needed))
      if (const auto made = segment::open(
            *opened.world.disk,
            segment_directory(opened.config.data_dir) + "/" + name,
            opened.journal.store);
          !made)
        why = made.error().context;
    if (why.empty())
      continue;
    all = false;
    spdlog::error("segment-missing file={} error=\"{}\" hint=\"run 'torpor "
                  "verify' and 'torpor repair'; nothing is removed\"",
                  name, why);
  }
  return all;
}

/// Segments that stay though the catalog does not know them keep their numbers.
void pass_over(catalog_state& state, const std::vector<std::string>& names) {
  for (const auto& name : names)
    if (const auto number = segment_file_number(name))
      state.next_segment = std::max(state.next_segment, *number + 1);
}

/// Removes segments that the catalog does not know: a seal or merge was cut off,
/// or its sources were not removed any more.
result<void> remove_orphans(store& opened,
                            const std::vector<std::string>& names) {
  auto& disk = *opened.world.disk;
  const auto directory = segment_directory(opened.config.data_dir);
  auto removed = false;
  for (const auto& name : names) {
    const auto number = segment_file_number(name);
    const auto& known = opened.state.segments;
    if (!number
        || std::any_of(known.begin(), known.end(), [&](const auto& each) {
             return each.number == *number;
           }))
      continue;
    spdlog::info("segment-orphan-removed file={}", name);
    if (auto gone = disk.unlink(directory + "/" + name); !gone)
      return gone;
    removed = true;
  }
  return removed ? disk.sync_directory(directory) : result<void>{};
}

} // namespace

result<void> check_segments(const store& opened) {
  auto& disk = *opened.world.disk;
  const auto& data_dir = opened.config.data_dir;
  const auto directory = segment_directory(data_dir);
  if (const auto newer = find_newer_segment(disk, opened.journal, directory,
                                            opened.state, opened.scan.end.file);
      !newer.empty())
    return fail(errc::corrupt,
                fmt::format("catalog and journal are older than '{}', which "
                            "they do not know; restore newer '{}' and '{}' from "
                            "a copy",
                            newer, catalog_directory(data_dir),
                            opened.journal.directory));
  const auto& listed = opened.state.segments;
  const auto names = disk.list(directory);
  if (listed.empty() || !names
      || std::any_of(listed.begin(), listed.end(), [&](const auto& each) {
           return std::binary_search(names->begin(), names->end(),
                                     segment_file_name(each.number));
         }))
    return {};
  return fail(errc::corrupt,
              fmt::format("'{}' has none of the {} segments that the catalog "
                          "lists; is its disk mounted? Else restore them from "
                          "a copy; 'torpor repair' tells what the journal has "
                          "of them",
                          directory, listed.size()));
}

result<void> remove_useless(store& opened) {
  auto& disk = *opened.world.disk;
  const auto names = disk.list(segment_directory(opened.config.data_dir));
  if (!names)
    return tl::unexpected{names.error()};
  if (!is_complete(opened, *names)) {
    opened.kept_before
      = static_cast<std::uint32_t>(opened.state.unsealed_first);
    pass_over(opened.state, *names);
    return {};
  }
  return remove_sealed(disk, opened.journal,
                       static_cast<std::uint32_t>(opened.state.unsealed_first),
                       opened.scan.end.file)
    .and_then([&] { return remove_orphans(opened, *names); });
}

} // namespace torpor
