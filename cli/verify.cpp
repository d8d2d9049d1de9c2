// SPDX-License-Identifier: Apache-2.0
// torpor verify: reads everything and names what is damaged.
#include "cli/commands.hpp"
#include "cli/daemon_place.hpp"
#include "cli/human.hpp"
#include "cli/inspected_store.hpp"
#include "cli/json.hpp"
#include "cli/outcome.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "runtime/segment_files.hpp"
#include "runtime/segment_rebuild.hpp"
#include "runtime/segment_scan.hpp"
#include "runtime/segment_verify.hpp"
#include "runtime/stream_name.hpp"

#include <fmt/format.h>
#include <tsl/robin_map.h>

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

/// A segment of which nothing, or not all, can be read.
struct file_damage {
  std::string file;
  std::string text;
};

/// What was read, and what could not be.
struct verify_report {
  std::uint64_t streams = 0;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0; ///< Of payloads.
  std::uint64_t segment_bytes = 0;
  std::vector<file_damage> files;
  std::vector<stream_damage> damages;
};

/// Reads all segments, one after the other, and then all that is not sealed, and
/// checks that each stream's entries are there exactly once.
/// Threads: one owner.
class verifier {
public:
  verifier(inspected_store& store, progress& shown)
    : store_(store),
      shown_(shown) {}

  /// Errors: io_failed, corrupt: the catalog cannot be read, or a segment is
  /// withheld.
  result<void> run() {
    check_catalog();
    const auto& segments = *store_.opened().segments;
    for (std::size_t at = 0; at < segments.size(); ++at)
      if (auto looked = check_segment(segments, at); !looked)
        return looked;
    check_age();
    constexpr std::size_t page_max = 10'000;
    for (std::string after;;) {
      const auto page = store_.list_all(after, page_max);
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
  /// What the segments have of a stream.
  struct sealed_part {
    sequence first{};
    sequence next{};
  };

  result<void> check_segment(const segment_list& segments, std::size_t at) {
    const auto opened = segments.open(at);
    read_ += segments.summary(at).file_bytes;
    found_.segment_bytes += segments.summary(at).file_bytes;
    if (!opened && is_withheld(*store_.opened().world.disk,
                               segment_directory(store_.opened().config.data_dir),
                               segments.summary(at).number))
      return fail(errc::io_failed,
                  fmt::format("{}; that is no damage: raise the limit or get the "
                              "right to read it, then verify again",
                              opened.error().context));
    if (!opened)
      return note_file(segments.path(at), opened.error().context);
    const auto report = verify_segment(*opened);
    if (!report)
      return note_file(segments.path(at), report.error().context);
    for (const auto& damage : report->damages)
      note_damage(segments.path(at), damage);
    found_.bytes += report->found.payload_bytes;
    segment_row_scan rows{*opened};
    for (auto row = rows.next(); !row || *row; row = rows.next())
      if (row)
        add(**row);
      else if (row.error().code != errc::corrupt)
        return note_file(segments.path(at), row.error().context);
    shown_.at(read_);
    return {};
  }

  void check_age() {
    const auto& all = store_.opened();
    const auto newer = find_newer_segment(
      *all.world.disk, all.journal, segment_directory(all.config.data_dir),
      all.state, all.scan.end.file);
    if (!newer.empty())
      static_cast<void>(note_file(
        newer, "the catalog is older and does not know it; streams may be "
               "missing, restore a newer catalog from a copy"));
  }

  void check_catalog() {
    const auto& all = store_.opened();
    if (const auto sound = all.records->verify(); !sound)
      static_cast<void>(
        note_file(catalog_directory(all.config.data_dir) + "/data.mdb",
                  sound.error().context));
  }

  result<void> note_file(const std::string& file, const std::string& text) {
    found_.files.push_back({file, text});
    return {};
  }

  /// Damage to a stream that is gone harms nobody, but the file is damaged.
  void note_damage(const std::string& file, const segment_damage& damage) {
    const auto own = store_.own(damage.stream);
    if (own && *own)
      note((*own)->name, damage.first, damage.next, damage.text);
    else
      static_cast<void>(note_file(file, damage.text));
  }

  /// A stream's part in the next segment.
  void add(const segment_row& row) {
    const auto [part, fresh] = sealed_.try_emplace(
      raw(row.stream), sealed_part{row.first, row.next});
    if (fresh)
      return;
    auto& known = part.value();
    if (row.first != known.next)
      gap(row.stream, known.next, row.first);
    known.next = std::max(known.next, row.next);
  }

  void gap(stream_id stream, sequence expected, sequence found) {
    const auto own = store_.own(stream);
    if (own && *own && raw(std::max(expected, found)) > raw((*own)->first))
      note((*own)->name, std::min(expected, found), std::max(expected, found),
           raw(found) > raw(expected) ? "they are missing"
                                      : "they are there twice");
  }

  void check_stream(const std::string& name, stream_id id) {
    ++found_.streams;
    const auto found = store_.own(id);
    if (!found)
      return note(name, {}, {}, found.error().context);
    if (!*found)
      return note(name, {}, {}, "its record is missing");
    const auto& own = **found;
    auto expected = own.first;
    if (const auto part = sealed_.find(raw(id)); part != sealed_.end()) {
      if (raw(part->second.first) > raw(expected))
        note(name, expected, part->second.first, "they are missing");
      const auto first = std::max(expected, part->second.first);
      expected = std::max(expected, part->second.next);
      found_.entries += raw(expected) - raw(first);
    }
    const auto blocks = store_.blocks(id, expected);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (raw(blocks[i].first) > raw(expected))
        note(name, expected, blocks[i].first, "they are missing");
      const auto end = i + 1 < blocks.size() ? blocks[i + 1].first : own.next;
      check_block(own, blocks[i], end);
      expected = end;
    }
    if (raw(expected) < raw(own.next))
      note(name, expected, own.next, "they are missing");
  }

  void check_block(const own_entries& own, const indexed_block& block,
                   sequence end) {
    const auto page = store_.read_block(own, block, end);
    read_ += block.place.bytes;
    shown_.at(read_);
    if (!page)
      return note(own.name, block.first, end, page.error().context);
    found_.entries += page->entries.size();
    for (const auto& entry : page->entries)
      found_.bytes += entry.payload.size();
    if (page->next_from != end)
      note(own.name, std::min(page->next_from, end),
           std::max(page->next_from, end), "they are missing, or there twice");
  }

  void note(const std::string& name, sequence first, sequence end,
            std::string_view text) {
    found_.damages.push_back({name, first, end, std::string{text}});
  }

  inspected_store& store_;
  progress& shown_;
  verify_report found_;
  tsl::robin_map<std::uint64_t, sealed_part> sealed_;
  std::uint64_t read_ = 0; ///< Bytes of segments and blocks.
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
  for (const auto& each : found.files)
    damages.add(
      json_object{}.text("file", each.file).text("text", each.text).str());
  for (const auto& each : found.damages)
    damages.add(json_object{}
                  .text("stream", each.name)
                  .number("first", raw(each.first))
                  .number("next", raw(each.end))
                  .text("text", each.text)
                  .str());
  const auto& scan = store.opened().scan;
  out.line(json_object{}
             .flag("ok", scan.damages.empty() && found.files.empty()
                           && found.damages.empty())
             .number("streams", found.streams)
             .number("entries", found.entries)
             .number("bytes", found.bytes)
             .number("commits", scan.frames)
             .number("journal_bytes", scan.bytes)
             .number("segments", store.opened().segments->size())
             .number("segment_bytes", found.segment_bytes)
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
  for (const auto& each : found.files)
    out.line(fmt::format("damaged: '{}': {}", each.file, each.text));
  for (const auto& each : found.damages)
    out.line(fmt::format("damaged: stream '{}', entries {} to {}: {}",
                         printable(each.name), raw(each.first),
                         std::max(raw(each.end), std::uint64_t{1}) - 1,
                         each.text));
  if (!quiet)
    out.line(fmt::format("read {} streams, {} entries with {}, {} commits "
                         "with {}, {} segments with {}",
                         found.streams, found.entries,
                         human_bytes(static_cast<double>(found.bytes)),
                         scan.frames,
                         human_bytes(static_cast<double>(scan.bytes)),
                         store.opened().segments->size(),
                         human_bytes(
                           static_cast<double>(found.segment_bytes))));
}

result<void> judge(const inspected_store& store, const verify_report& found) {
  const auto count = store.opened().scan.damages.size() + found.files.size()
                     + found.damages.size();
  if (count == 0)
    return {};
  return fail(errc::corrupt,
              fmt::format("'{}' is damaged in {} place{}; entries that are not "
                          "named can be read, restore the others from a copy",
                          store.opened().config.data_dir, count,
                          count == 1 ? "" : "s"));
}

result<void> verify(const command_context& given) {
  output out;
  return needs_directory(given, "verify")
    .and_then([&] { return inspected_store::open(given.data_dir); })
    .and_then([&](inspected_store store) -> result<void> {
      auto bytes = store.opened().scan.bytes;
      for (const auto& each : store.opened().state.segments)
        bytes += each.file_bytes;
      progress shown{"verify", bytes, !given.quiet && !given.json};
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
