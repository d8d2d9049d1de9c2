// SPDX-License-Identifier: Apache-2.0
// torpor verify: reads everything and names what is damaged.
#include "cli/commands.hpp"
#include "cli/human.hpp"
#include "cli/inspected_store.hpp"
#include "cli/json.hpp"
#include "cli/outcome.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "runtime/stream_name.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace torpor {

namespace {

/// Entries of one stream that cannot be read.
struct stream_damage {
  std::string name;
  sequence first{};
  sequence end{}; ///< Behind the last one.
  std::string text;
};

/// What was read, and what could not be.
struct verify_report {
  std::uint64_t streams = 0;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0; ///< Of payloads.
  std::vector<stream_damage> damages;
};

/// Reads all streams of a store.
/// Threads: one owner.
class verifier {
public:
  verifier(inspected_store& store, progress& shown)
    : store_(store),
      shown_(shown) {}

  /// Errors: io_failed, corrupt: the catalog cannot be read.
  result<void> run() {
    constexpr std::size_t page_max = 10'000;
    for (std::string after;;) {
      const auto page = store_.list({}, after, page_max);
      if (!page)
        return tl::unexpected{page.error()};
      for (const auto& [name, id] : *page)
        check_stream(name, id);
      if (page->size() < page_max)
        return {};
      after = page->back().first;
    }
  }

  [[nodiscard]] const verify_report& found() const { return found_; }

private:
  void check_stream(const std::string& name, stream_id id) {
    ++found_.streams;
    const auto info = store_.info({id, name});
    if (!info)
      return note(name, {}, {}, info.error().context);
    auto expected = info->first;
    const auto blocks = store_.blocks(id, expected);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (raw(blocks[i].first) > raw(expected))
        note(name, expected, blocks[i].first, "they are missing");
      const auto end = i + 1 < blocks.size() ? blocks[i + 1].first : info->next;
      check_block(*info, blocks[i], end);
      expected = end;
    }
    if (raw(expected) < raw(info->next))
      note(name, expected, info->next, "they are missing");
  }

  void check_block(const stream_info& info, const indexed_block& block,
                   sequence end) {
    const auto page = store_.read_block(info, block, end);
    read_ += block.place.bytes;
    shown_.at(read_);
    if (!page)
      return note(info.name, block.first, end, page.error().context);
    found_.entries += page->entries.size();
    for (const auto& entry : page->entries)
      found_.bytes += entry.payload.size();
    if (page->next_from != end)
      note(info.name, std::min(page->next_from, end),
           std::max(page->next_from, end), "they are missing, or there twice");
  }

  void note(const std::string& name, sequence first, sequence end,
            std::string_view text) {
    found_.damages.push_back({name, first, end, std::string{text}});
  }

  inspected_store& store_;
  progress& shown_;
  verify_report found_;
  std::uint64_t read_ = 0; ///< Bytes of blocks.
};

void print_json(output& out, const inspected_store& store,
                const verify_report& found) {
  json_array damages;
  for (const auto& each : store.opened().scan.damages)
    damages.add(json_object{}
                  .text("file", each.file)
                  .number("offset", each.offset)
                  .number("bytes", each.bytes)
                  .text("text", each.text)
                  .str());
  for (const auto& each : found.damages)
    damages.add(json_object{}
                  .text("stream", each.name)
                  .number("first", raw(each.first))
                  .number("next", raw(each.end))
                  .text("text", each.text)
                  .str());
  const auto& scan = store.opened().scan;
  out.line(json_object{}
             .flag("ok", scan.damages.empty() && found.damages.empty())
             .number("streams", found.streams)
             .number("entries", found.entries)
             .number("bytes", found.bytes)
             .number("commits", scan.frames)
             .number("journal_bytes", scan.bytes)
             .raw("damages", damages.str())
             .str());
}

void print_text(output& out, const inspected_store& store,
                const verify_report& found, bool quiet) {
  const auto& scan = store.opened().scan;
  for (const auto& each : scan.damages)
    out.line(fmt::format(
      "damaged: '{}' at byte {}, {}: {}", each.file, each.offset,
      each.bytes == 0 ? "the whole file" : fmt::format("{} bytes", each.bytes),
      each.text));
  for (const auto& each : found.damages)
    out.line(fmt::format("damaged: stream '{}', entries {} to {}: {}",
                         printable(each.name), raw(each.first),
                         std::max(raw(each.end), std::uint64_t{1}) - 1,
                         each.text));
  if (!quiet)
    out.line(fmt::format("read {} streams, {} entries with {}, {} commits "
                         "with {}",
                         found.streams, found.entries,
                         human_bytes(static_cast<double>(found.bytes)),
                         scan.frames,
                         human_bytes(static_cast<double>(scan.bytes))));
}

result<void> judge(const inspected_store& store, const verify_report& found) {
  const auto count = store.opened().scan.damages.size() + found.damages.size();
  if (count == 0)
    return {};
  return fail(errc::corrupt,
              fmt::format("'{}' is damaged in {} places; entries that are not "
                          "named can be read, restore the others from a copy",
                          store.opened().config.data_dir, count));
}

result<void> verify(const command_context& given) {
  output out;
  return inspected_store::open(given.data_dir)
    .and_then([&](inspected_store store) -> result<void> {
      progress shown{"verify", store.opened().scan.bytes,
                     !given.quiet && !given.json};
      verifier reader{store, shown};
      const auto read = reader.run();
      shown.clear();
      if (given.json)
        print_json(out, store, reader.found());
      else
        print_text(out, store, reader.found(), given.quiet);
      return read.and_then([&] { return judge(store, reader.found()); });
    })
    .and_then([&] { return out.finish(); });
}

} // namespace

void add_verify(CLI::App& app, const command_context& given,
                chosen_command& run) {
  auto& command = *app.add_subcommand(
    "verify", "Read everything and name what is damaged");
  command.footer("Changes nothing. Exits with 1 when something is damaged.\n"
                 "Example:\n"
                 "  torpor verify --data-dir /var/lib/torpor");
  command.callback([&given, &run] {
    run = [&given] { return conclude(given, verify(given)); };
  });
}

} // namespace torpor
