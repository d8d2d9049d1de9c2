// SPDX-License-Identifier: Apache-2.0
#include "runtime/store.hpp"

#include "runtime/journal_seal.hpp"
#include "runtime/recovery.hpp"
#include "runtime/safety_step.hpp"
#include "runtime/segment.hpp"
#include "runtime/segment_files.hpp"
#include "runtime/segment_rebuild.hpp"
#include "runtime/store_identity.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace torpor {

std::string lock_path(const std::string& data_dir) {
  return data_dir + "/torpor.lock";
}
std::string identity_path(const std::string& data_dir) {
  return data_dir + "/torpor.store";
}
std::string catalog_directory(const std::string& data_dir) {
  return data_dir + "/catalog";
}
std::string journal_directory(const std::string& data_dir) {
  return data_dir + "/journal";
}
std::string segment_directory(const std::string& data_dir) {
  return data_dir + "/segments";
}

environment environment::real() {
  return {std::make_shared<posix_disk>(), std::make_shared<system_clock>(),
          open_lmdb_catalog, true};
}

namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether the directory becomes a store with this opening. Only a lock file, an
/// unfinished identity and directories may be there: all that an interrupted
/// making leaves.
result<bool> is_new(disk& disk, const std::string& directory, access mode) {
  const auto missing = [&directory](std::string_view why) {
    return fail(errc::not_found, fmt::format("'{}' holds no Torpor store{}",
                                             directory, why));
  };
  auto names = disk.list(directory);
  if (!names && mode == access::inspect)
    return missing(": " + names.error().context);
  if (!names)
    return tl::unexpected{names.error()};
  if (contains(*names, "torpor.store"))
    return false;
  for (const auto& name : *names)
    if (name != "torpor.lock" && name != "torpor.store.tmp"
        && name != "lost+found")
      return fail(errc::incompatible,
                  fmt::format("'{}' is not a Torpor store (no torpor.store) "
                              "and not empty ('{}'); choose another data-dir",
                              directory, name));
  if (const auto files = disk.list(journal_directory(directory));
      files && !files->empty())
    return fail(errc::corrupt,
                fmt::format("'{}' has a journal and no torpor.store; restore "
                            "that file from a copy",
                            directory));
  if (const auto files = disk.list(segment_directory(directory));
      files && !files->empty())
    return fail(errc::corrupt,
                fmt::format("'{}' has segments and no torpor.store; restore "
                            "that file from a copy",
                            directory));
  if (mode == access::inspect)
    return missing("");
  return true;
}

/// Whether no opening has got as far as to a journal.
bool is_unused(disk& disk, const std::string& directory) {
  const auto files = disk.list(journal_directory(directory));
  return files && files->empty();
}

result<void> make_catalog(const store& opened) {
  const auto& directory = opened.config.data_dir;
  auto made = opened.world.open_catalog(catalog_directory(directory),
                                        catalog_access::create);
  if (!made)
    return tl::unexpected{made.error()};
  const auto state = (*made)->state();
  if (!state)
    return tl::unexpected{state.error()};
  if (state->incarnation != 0)
    return fail(errc::corrupt,
                fmt::format("'{}' has a catalog that was in use and no "
                            "torpor.store; restore that file from a copy",
                            directory));
  return {};
}

/// The identity comes last: a store that has one was made whole, and what it
/// misses since was lost.
result<void> make_store(store& opened) {
  auto& disk = *opened.world.disk;
  const auto& directory = opened.config.data_dir;
  return make_catalog(opened)
    .and_then([&] { return disk.make_directory(opened.journal.directory); })
    .and_then([&] {
      return disk.make_directory(segment_directory(directory));
    })
    .and_then([&] {
      return make_identity(disk, directory, identity_path(directory));
    })
    .map([&](const store_id& made) { opened.journal.store = made; });
}

result<void> find_store(store& opened, access mode) {
  auto& disk = *opened.world.disk;
  const auto& directory = opened.config.data_dir;
  const auto fresh = is_new(disk, directory, mode);
  if (!fresh)
    return tl::unexpected{fresh.error()};
  if (*fresh)
    return make_store(opened);
  const auto path = identity_path(directory);
  const auto id = read_identity(disk, path);
  if (!id)
    return tl::unexpected{id.error()};
  opened.journal.store = *id;
  // The opening that made it may have failed to sync the directory: the name is
  // there, but lost in the next power cut, and only a new change makes it
  // durable.
  if (mode == access::write && is_unused(disk, directory))
    return renew_identity(disk, directory, path, *id);
  return {};
}

result<void> take_lock(store& opened, access mode) {
  if (!opened.world.lock || !does(safety_step::lock))
    return {};
  const auto path = lock_path(opened.config.data_dir);
  auto lock = mode == access::write ? store_lock::acquire(path)
                                    : store_lock::acquire_shared(path);
  if (!lock)
    return tl::unexpected{lock.error()};
  opened.lock.emplace(std::move(*lock));
  return {};
}

bool has_segments(const store& opened) {
  const auto names = opened.world.disk->list(
    segment_directory(opened.config.data_dir));
  return names && !names->empty();
}

/// Whether the journal still begins where the store did: then it has all that a
/// catalog needs.
bool has_first_journal(const store& opened) {
  const auto files = list_journal_files(*opened.world.disk, opened.journal);
  return files && !files->numbers.empty() && files->numbers.front() == 1;
}

/// One that has just begun beside segments is another store's.
result<void> check_catalog(const store& opened) {
  if (opened.state.next_segment != 1 || !has_segments(opened)
      || has_first_journal(opened))
    return {};
  return fail(errc::corrupt,
              fmt::format("'{}' has segments that its catalog does not know; "
                          "restore '{}' from a copy",
                          opened.config.data_dir,
                          catalog_directory(opened.config.data_dir)));
}

/// Not made where one has to be: it would only hide that it is missing.
result<std::unique_ptr<catalog>> find_catalog(const store& opened,
                                              access mode) {
  const auto how = mode == access::inspect     ? catalog_access::read
                   : has_first_journal(opened) ? catalog_access::create
                                               : catalog_access::write;
  return opened.world.open_catalog(catalog_directory(opened.config.data_dir),
                                   how);
}

/// One opening is told from the next by its number, counted in the catalog.
result<void> open_catalog(store& opened, access mode) {
  auto records = find_catalog(opened, mode);
  if (!records)
    return tl::unexpected{records.error()};
  opened.records = std::move(*records);
  auto state = opened.records->state();
  if (!state && state.error().code == errc::corrupt)
    return fail(errc::corrupt,
                state.error().context + ", or make it anew with 'torpor repair'");
  if (!state)
    return tl::unexpected{state.error()};
  opened.state = *state;
  return check_catalog(opened);
}

result<void> find_directory(store& opened, const std::string& path) {
  const auto files = opened.world.disk->list(path);
  if (!files && files.error().code == errc::not_found)
    return fail(errc::corrupt,
                fmt::format("'{}' is missing; restore it from a copy", path));
  return files.map([](const auto&) {});
}

result<void> make_tables(store& opened) {
  auto numbers = opened.records->numbers();
  if (!numbers)
    return tl::unexpected{numbers.error()};
  const auto& config = opened.config;
  stream_table::settings settings;
  settings.shards = config.pool.shards;
  // A frame has to fit into an empty file, with its header and padding.
  settings.block_bytes_max = config.journal.file_bytes - 8192;
  settings.create_on_append = config.create_on_append;
  settings.sync = config.sync;
  settings.stream_bytes_max = config.memory.stream_bytes_max;
  settings.retention = retention_rules{config.retention};
  settings.record_cache = config.memory.record_cache / settings.shards;
  for (std::uint32_t shard = 0; shard < settings.shards; ++shard) {
    settings.shard = shard;
    auto& table = *opened.tables.emplace_back(std::make_unique<stream_table>(
      settings, opened.records->reader(), *opened.budget,
      *opened.world.clock));
    for (std::uint32_t slot = shard; slot < slots; slot += settings.shards)
      table.records().number(static_cast<std::uint8_t>(slot),
                             (*numbers)[slot]);
  }
  return {};
}

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
    auto why = contains(names, name) ? std::string{} : "it is not there";
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

/// Removes what other files have, now that the journal was found to go on where
/// the catalog says. Only while nothing is missing: an older copy of the catalog
/// lists what was merged since, and the journal files that were sealed since, and
/// not the segments that these have become.
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

/// Lists the segments; their files are opened when they are read.
void list_segments(store& opened) {
  const segment_list none{{opened.world.disk,
                           segment_directory(opened.config.data_dir),
                           opened.journal.store}};
  opened.segments = none.with(opened.state.segments);
  for (auto& table : opened.tables)
    table->sealed(static_cast<std::uint32_t>(opened.state.unsealed_first) - 1,
                  opened.segments);
}

/// Journal files that an older catalog misses are in segments that it does not
/// know: no copy of them helps.
error with_age(const store& opened, error why) {
  if (why.code != errc::corrupt)
    return why;
  if (const auto newer = find_newer_segment(
        *opened.world.disk, opened.journal,
        segment_directory(opened.config.data_dir), opened.state,
        journal_end_unknown);
      !newer.empty())
    why.context = fmt::format("the catalog is older than '{}', which it does not "
                              "know; restore a newer '{}' from a copy ({})",
                              newer, catalog_directory(opened.config.data_dir),
                              why.context);
  return why;
}

/// Replays what the records do not have yet, and indexes what is not sealed.
result<void> recover(store& opened, access mode) {
  const auto unsealed = opened.state.unsealed_first;
  recovery tail{opened.tables,
                static_cast<std::uint32_t>(opened.state.journal_first)};
  const auto visit = [&](const block_view& block, block_place place) {
    if (place.file >= unsealed)
      tail.add(block, place);
    if (place.file >= opened.state.journal_first)
      opened.replayed_bytes += place.bytes;
  };
  scan_options how;
  how.whole_from = static_cast<std::uint32_t>(opened.state.journal_first);
  how.kept_from = static_cast<std::uint32_t>(unsealed);
  how.repair = mode == access::write;
  auto scan = scan_journal(*opened.world.disk, opened.journal, how, visit);
  if (!scan)
    return tl::unexpected{with_age(opened, std::move(scan.error()))};
  opened.scan = std::move(*scan);
  opened.replayed_entries = tail.replayed();
  return tail.finish();
}

/// Refuses what only looks as if an opening could tidy it up.
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
      || std::any_of(names->begin(), names->end(), segment_file_number))
    return {};
  return fail(errc::corrupt,
              fmt::format("'{}' has none of the {} segments that the catalog "
                          "lists; is its disk mounted? Else restore them from "
                          "a copy",
                          directory, listed.size()));
}

result<void> begin_incarnation(store& opened) {
  opened.state.incarnation
    = std::max(opened.state.incarnation, opened.scan.end.incarnation) + 1;
  opened.journal.incarnation = opened.state.incarnation;
  std::vector<catalog_change> nothing;
  return opened.records->update(nothing, opened.state);
}

} // namespace

result<std::unique_ptr<store>> store::open(options config, environment world,
                                           access mode) {
  auto opened = std::make_unique<store>();
  opened->config = std::move(config);
  opened->world = std::move(world);
  auto& disk = *opened->world.disk;
  const auto& directory = opened->config.data_dir;
  opened->journal.directory = journal_directory(directory);
  opened->journal.file_bytes = opened->config.journal.file_bytes;
  opened->budget = std::make_unique<memory_budget>(opened->config.memory);
  auto done = (mode == access::write ? disk.make_directory(directory)
                                     : result<void>{})
                .and_then([&] { return is_new(disk, directory, mode); })
                .and_then([&](bool) { return take_lock(*opened, mode); })
                .and_then([&] { return find_store(*opened, mode); })
                .and_then([&] { return open_catalog(*opened, mode); })
                .and_then([&] {
                  return find_directory(*opened, opened->journal.directory);
                })
                .and_then([&] {
                  return find_directory(*opened, segment_directory(directory));
                })
                .and_then([&] { return make_tables(*opened); })
                .map([&] { list_segments(*opened); })
                .and_then([&] { return recover(*opened, mode); });
  if (done && mode == access::write)
    done = check_segments(*opened)
             .and_then([&] { return begin_incarnation(*opened); })
             .and_then([&] { return remove_useless(*opened); });
  if (!done)
    return tl::unexpected{done.error()};
  return opened;
}

} // namespace torpor
