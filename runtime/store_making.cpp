// SPDX-License-Identifier: Apache-2.0
#include "runtime/store_making.hpp"

#include "runtime/store_identity.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor {

namespace {

/// Whether no opening has got as far as to a journal.
result<bool> is_unused(disk& disk, const std::string& directory) {
  const auto files = disk.list(journal_directory(directory));
  if (!files && files.error().code == errc::not_found)
    return false; // It was lost.
  return files.map([](const auto& names) { return names.empty(); });
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

} // namespace

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
  if (std::binary_search(names->begin(), names->end(), "torpor.store"))
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
  if (mode == access::inspect)
    return {};
  return is_unused(disk, directory).and_then([&](bool unused) {
    return unused ? renew_identity(disk, directory, path, *id)
                  : result<void>{};
  });
}

} // namespace torpor
