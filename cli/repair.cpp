// SPDX-License-Identifier: Apache-2.0
// torpor repair: makes the catalog's state anew from segments and journal.
#include "cli/commands.hpp"
#include "cli/daemon_place.hpp"
#include "cli/json.hpp"
#include "cli/open_store.hpp"
#include "cli/outcome.hpp"
#include "cli/output.hpp"
#include "runtime/segment_rebuild.hpp"
#include "runtime/store.hpp"
#include "runtime/store_identity.hpp"

#include <CLI/Option.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace torpor {

namespace {

/// A store that cannot be opened, perhaps, and what is wrong with its state.
struct broken_store {
  posix_disk disk;
  std::string data_dir;
  std::optional<store_lock> lock;
  journal_config journal;
  std::optional<catalog_state> known;
  std::uint64_t streams = 0;
  std::vector<std::string> findings;

  [[nodiscard]] result<void> look();
  [[nodiscard]] result<rebuilt_state> rebuild();
  [[nodiscard]] result<void> write(const catalog_state& state);

private:
  [[nodiscard]] result<void> look_into_catalog();
};

result<void> broken_store::look() {
  auto taken = check_store_exists(data_dir).and_then([&] {
    return store_lock::acquire(lock_path(data_dir));
  });
  if (!taken)
    return tl::unexpected{taken.error()};
  lock.emplace(std::move(*taken));
  const auto id = read_identity(disk, identity_path(data_dir));
  if (!id)
    return tl::unexpected{id.error()};
  journal.store = *id;
  journal.directory = journal_directory(data_dir);
  return look_into_catalog();
}

result<void> broken_store::look_into_catalog() {
  const auto records = open_lmdb_catalog(catalog_directory(data_dir),
                                         catalog_access::read);
  if (!records)
    return tl::unexpected{records.error()};
  const auto count = (*records)->count();
  if (!count)
    return tl::unexpected{count.error()};
  streams = *count;
  const auto state = (*records)->state();
  if (!state && state.error().code != errc::corrupt)
    return tl::unexpected{state.error()};
  if (!state) {
    findings.push_back(state.error().context);
    return {};
  }
  known = *state;
  for (const auto& each :
       compare_segments(disk, segment_directory(data_dir), journal.store,
                        known->segments))
    findings.push_back(fmt::format("segment '{}': {}", each.path, each.text));
  const auto newer = find_newer_segment(disk, journal,
                                        segment_directory(data_dir), *known,
                                        journal_end_unknown);
  if (!newer.empty())
    return fail(errc::corrupt,
                fmt::format("the catalog is older than '{}', and records of "
                            "streams cannot be made anew; restore a newer '{}' "
                            "from a copy",
                            newer, catalog_directory(data_dir)));
  return {};
}

/// A catalog without records is another one, or was made anew: with it, every
/// entry would be taken for deleted.
result<rebuilt_state> broken_store::rebuild() {
  auto made = rebuild_state(disk, journal, segment_directory(data_dir), known);
  const auto& segments = made ? made->state.segments
                              : std::vector<segment_summary>{};
  if (streams == 0
      && std::any_of(segments.begin(), segments.end(),
                     [](const auto& each) { return each.entries > 0; }))
    return fail(errc::corrupt,
                fmt::format("'{}' has segments, and its catalog has no streams; "
                            "restore '{}' from a copy",
                            data_dir, catalog_directory(data_dir)));
  return made;
}

result<void> broken_store::write(const catalog_state& state) {
  const auto records = open_lmdb_catalog(catalog_directory(data_dir),
                                         catalog_access::write);
  if (!records)
    return tl::unexpected{records.error()};
  std::vector<catalog_change> nothing;
  return (*records)->update(nothing, state);
}

void print_json(output& out, const broken_store& found,
                const std::optional<rebuilt_state>& made, bool written) {
  json_array findings;
  for (const auto& each : found.findings)
    findings.add(json_string(each));
  json_object all;
  all.raw("findings", findings.str()).flag("written", written);
  if (made) {
    json_array left;
    for (const auto& each : made->left)
      left.add(
        json_object{}.text("file", each.path).text("text", each.text).str());
    all.number("segments", std::uint64_t{made->state.segments.size()})
      .number("unsealed_first", made->state.unsealed_first)
      .raw("left", left.str());
    json_array holes;
    for (const auto& [from, to] : made->holes)
      holes.add(json_object{}.number("from", from).number("to", to).str());
    all.raw("holes", holes.str());
  }
  out.line(all.str());
}

void print_text(output& out, const broken_store& found,
                const std::optional<rebuilt_state>& made, bool written) {
  for (const auto& each : found.findings)
    out.line("found: " + each);
  if (!made)
    return out.line("the list of segments needs no repair; 'torpor verify' "
                    "reads all the rest");
  for (const auto& each : made->left)
    out.line(fmt::format("not used: '{}': {}", each.path, each.text));
  for (const auto& [from, to] : made->holes)
    out.line(fmt::format("no segment has journal files {} to {}: all they had "
                         "was deleted, or one is lost; 'torpor verify' tells "
                         "when the list is written",
                         from, to));
  out.line(fmt::format("{}: {} segments, and the journal from file {} on",
                       written ? "written" : "can be written",
                       made->state.segments.size(),
                       made->state.unsealed_first));
}

result<void> repair(const command_context& given, bool yes) {
  if (auto here = needs_directory(given, "repair"); !here)
    return here;
  broken_store found;
  found.data_dir = given.data_dir;
  if (auto looked = found.look(); !looked)
    return looked;
  std::optional<rebuilt_state> made;
  if (!found.findings.empty()) {
    auto rebuilt = found.rebuild();
    if (!rebuilt)
      return tl::unexpected{rebuilt.error()};
    made = std::move(*rebuilt);
    if (yes)
      if (auto written = found.write(made->state); !written)
        return written;
  }
  output out;
  const auto written = yes && made.has_value();
  if (given.json)
    print_json(out, found, made, written);
  else if (!given.quiet)
    print_text(out, found, made, written);
  if (made && !written)
    return fail(errc::corrupt,
                fmt::format("'{}' needs a repair and was not changed; keep a "
                            "copy, and repeat with --yes",
                            given.data_dir));
  return out.finish();
}

} // namespace

void add_repair(CLI::App& app, const command_context& given,
                chosen_command& run) {
  auto& command = *app.add_subcommand(
    "repair", "Make the catalog's list of segments anew from the files");
  const auto yes = std::make_shared<bool>(false);
  command.add_flag("--yes", *yes, "Write it; else only tell");
  command.footer(
    "For a store whose catalog has lost its state, or lists segments that are\n"
    "not there. Removes no file; the next opening removes segments that the new\n"
    "list does not name. Records of streams cannot be made anew.\n"
    "Example:\n"
    "  torpor repair --data-dir /var/lib/torpor");
  command.callback([&given, &run, yes] {
    run = [&given, yes] { return conclude(given, repair(given, *yes)); };
  });
}

} // namespace torpor
