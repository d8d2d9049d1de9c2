// SPDX-License-Identifier: Apache-2.0
// torpor compact: merges all segments now.
#include "cli/commands.hpp"
#include "cli/daemon_place.hpp"
#include "cli/human.hpp"
#include "cli/json.hpp"
#include "cli/open_store.hpp"
#include "cli/outcome.hpp"
#include "cli/output.hpp"
#include "cli/status_line.hpp"
#include "runtime/store.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <future>

namespace torpor {

namespace {

/// What lies in the directory of segments.
struct segment_files {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;

  [[nodiscard]] std::string text() const {
    return fmt::format("{} segments with {}", count,
                       human_bytes(static_cast<double>(bytes)));
  }
};

segment_files look(const std::string& data_dir) {
  segment_files found;
  std::error_code ignored;
  for (const auto& each : std::filesystem::directory_iterator{
         segment_directory(data_dir), ignored}) {
    const auto bytes = each.file_size(ignored);
    if (ignored)
      continue;
    ++found.count;
    found.bytes += bytes;
  }
  return found;
}

/// Waits with a line that tells how much there is on the disk meanwhile.
result<void> wait(std::future<result<void>> done, const command_context& given) {
  using namespace std::chrono_literals;
  status_line shown{stderr, status_line::audience::terminal};
  while (done.wait_for(200ms) != std::future_status::ready)
    if (!given.quiet && !given.json && shown.due())
      shown.show("merging: " + look(given.data_dir).text());
  shown.clear();
  return done.get();
}

result<void> print(const command_context& given, const segment_files& before,
                   const segment_files& after) {
  output out;
  if (given.json)
    out.line(json_object{}
               .number("segments_before", before.count)
               .number("bytes_before", before.bytes)
               .number("segments", after.count)
               .number("bytes", after.bytes)
               .str());
  else if (!given.quiet)
    out.line(fmt::format("compacted {} to {}", before.text(), after.text()));
  return out.finish();
}

result<void> compact(const command_context& given) {
  if (auto here = needs_directory(given, "compact"); !here)
    return here;
  const auto before = look(given.data_dir);
  return open_store(given, 0, false)
    .and_then([&](runtime store) { return wait(store.compact(), given); })
    .and_then([&] { return print(given, before, look(given.data_dir)); });
}

} // namespace

void add_compact(CLI::App& app, const command_context& given,
                 chosen_command& run) {
  auto& command = *app.add_subcommand(
    "compact", "Merge all segments, so that deleted entries leave the disk");
  command.footer("A running store merges by itself, when it is worth it. The "
                 "journal's last\nfiles are not touched. Needs room for a copy "
                 "of what is kept.\n"
                 "Example:\n  torpor compact --data-dir /var/lib/torpor");
  command.callback([&given, &run] {
    run = [&given] { return conclude(given, compact(given)); };
  });
}

} // namespace torpor
