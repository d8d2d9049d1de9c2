// SPDX-License-Identifier: Apache-2.0
#include "cli/open_store.hpp"

#include "actors/engine.hpp"
#include "cli/outcome.hpp"
#include "runtime/store.hpp"

#include <fmt/format.h>

#include <bit>
#include <filesystem>

namespace torpor {

namespace {

void warn_of_damage(const command_context& given, const runtime& opened) {
  const auto& damages = opened.engine()->opened().scan.damages;
  if (damages.empty())
    return;
  const auto& first = damages.front();
  const auto others = damages.size() - 1;
  print_warning(
    given.json,
    {errc::corrupt,
     fmt::format("'{}' is damaged at byte {}: {}{}; run 'torpor verify'",
                 first.file, first.offset, first.text,
                 others == 0 ? "" : fmt::format(" (and {} more)", others))});
}

} // namespace

result<void> check_store_exists(const std::string& data_dir) {
  const auto path = identity_path(data_dir);
  std::error_code failure;
  if (std::filesystem::exists(path, failure))
    return {};
  if (failure && failure != std::errc::no_such_file_or_directory
      && failure != std::errc::not_a_directory)
    return fail_io("stat", path, failure.value());
  for (const auto& part : {journal_directory(data_dir),
                           segment_directory(data_dir)})
    if (std::filesystem::exists(part, failure)
        && !std::filesystem::is_empty(part, failure) && !failure)
      return fail(errc::corrupt,
                  fmt::format("'{}' has files and '{}' is missing; restore that "
                              "file from a copy",
                              part, path));
  return fail(errc::not_found,
              fmt::format("'{}' holds no Torpor store; name its directory with "
                          "--data-dir or TORPOR_DATA_DIR",
                          data_dir));
}

result<runtime> open_store(const command_context& given, std::uint64_t bytes,
                           bool create) {
  if (!create)
    if (auto exists = check_store_exists(given.data_dir); !exists)
      return tl::unexpected{exists.error()};
  options chosen;
  chosen.data_dir = given.data_dir;
  // Half of a file is what one stream may have on its way.
  constexpr std::uint64_t least = 1u << 20;
  const auto most = chosen.journal.file_bytes;
  chosen.journal.file_bytes = bytes < most / 4
                                ? std::bit_ceil(2 * bytes + least / 2)
                                : most;
  chosen.pool.readers = 1;
  return runtime::open(std::move(chosen)).map([&given](runtime opened) {
    warn_of_damage(given, opened);
    return opened;
  });
}

} // namespace torpor
