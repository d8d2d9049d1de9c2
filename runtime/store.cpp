// SPDX-License-Identifier: Apache-2.0
#include "runtime/store.hpp"

#include "runtime/recovery.hpp"
#include "runtime/safety_step.hpp"
#include "runtime/segment_rebuild.hpp"
#include "runtime/store_making.hpp"
#include "runtime/store_segments.hpp"

#include <fmt/format.h>

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
