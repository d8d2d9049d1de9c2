// SPDX-License-Identifier: Apache-2.0
#include "cli/store_facts.hpp"

#include "cli/human.hpp"
#include "cli/status_line.hpp"
#include "runtime/merge_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

namespace torpor {

namespace {

/// Counts by listing: the catalog does not have the newest streams yet.
result<std::uint64_t> count_streams(inspected_store& store) {
  constexpr std::size_t page_max = 10'000;
  std::uint64_t count = 0;
  for (std::string after;;) {
    const auto page = store.list_all(after, page_max);
    if (!page)
      return tl::unexpected{page.error()};
    count += page->size();
    if (page->size() < page_max)
      return count;
    after = page->back().first;
  }
}

/// Bytes of the files in a directory.
std::uint64_t bytes_below(const std::string& directory) {
  std::uint64_t bytes = 0;
  std::error_code failed;
  for (const auto& each :
       std::filesystem::directory_iterator{directory, failed}) {
    const auto size = each.file_size(failed);
    bytes += failed ? 0 : size;
  }
  return bytes;
}

segment_facts gather_segment(inspected_store& store, std::size_t at,
                             status_line* shown) {
  const auto& list = *store.opened().segments;
  segment_facts found;
  found.summary = list.summary(at);
  found.tier = tier_of(found.summary, journal_options{}.file_bytes);
  std::uint64_t streams = 0;
  const auto kept = [&](stream_id id) {
    if (shown && ++streams % 4096 == 0 && shown->due())
      shown->show(fmt::format("segment {} of {}, stream {} of {}", at + 1,
                              list.size(), streams, found.summary.streams));
    return store.own(id).map([](const auto& own) {
      return own ? std::optional{own->first} : std::nullopt;
    });
  };
  const auto live = list.open(at).and_then([&](const auto& opened) {
    return find_live(opened, kept);
  });
  if (live)
    found.live = *live;
  else
    found.damage = live.error().context;
  return found;
}

std::string age(std::int64_t now_s, std::int64_t ms) {
  return human_age(now_s - ms / 1000);
}

std::string table_of(const std::vector<segment_facts>& segments) {
  if (segments.empty())
    return {};
  const std::int64_t now = std::time(nullptr);
  auto lines = fmt::format("{:>7} {:>13} {:>4} {:>10} {:>9} {:>11} {:>7} "
                           "{:>7} {:>5}\n",
                           "segment", "journal", "tier", "size", "streams",
                           "entries", "oldest", "newest", "live");
  for (const auto& each : segments) {
    const auto& has = each.summary;
    lines += fmt::format(
      "{:>7} {:>13} {:>4} {:>10} {:>9} {:>11} {:>7} {:>7} {:>5}\n", has.number,
      fmt::format("{}-{}", has.journal_first, has.journal_last), each.tier,
      human_bytes(static_cast<double>(has.file_bytes)), has.streams,
      has.entries, age(now, has.first_ms), age(now, has.last_ms),
      each.damage.empty() ? fmt::format("{:.0f} %", each.live_share() * 100)
                          : "?");
    if (!each.damage.empty())
      lines += fmt::format("        damaged: {}\n", each.damage);
  }
  return lines;
}

json_array array_of(const std::vector<segment_facts>& segments) {
  json_array rows;
  for (const auto& each : segments) {
    const auto& has = each.summary;
    json_object row;
    row.number("number", has.number)
      .number("journal_first", std::uint64_t{has.journal_first})
      .number("journal_last", std::uint64_t{has.journal_last})
      .number("tier", std::uint64_t{each.tier})
      .number("bytes", has.file_bytes)
      .number("raw_bytes", has.raw_bytes)
      .number("payload_bytes", has.payload_bytes)
      .number("streams", has.streams)
      .number("entries", has.entries)
      .number("first_ms", has.first_ms)
      .number("last_ms", has.last_ms);
    if (each.damage.empty())
      row.number("live_entries", each.live.entries)
        .raw("live_share", fmt::format("{:.4f}", each.live_share()));
    else
      row.text("damage", each.damage);
    rows.add(row.str());
  }
  return rows;
}

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 1
                    : static_cast<double>(part) / static_cast<double>(whole);
}

bool damaged(const segment_facts& each) {
  return !each.damage.empty();
}

std::uint64_t count_damaged(const store_facts& facts) {
  return static_cast<std::uint64_t>(
    std::count_if(facts.segments.begin(), facts.segments.end(), damaged));
}

void add_journal(fact_sheet& sheet, const store_facts& facts,
                 const store& opened) {
  sheet.number("journal_files", facts.journal_files);
  sheet.bytes("journal_file_bytes", facts.journal_file_bytes);
  sheet.bytes("journal_bytes", opened.scan.bytes);
  sheet.number("commits", opened.scan.frames);
  sheet.number("blocks", opened.scan.blocks);
  sheet.gap();
  sheet.number("unsealed_first", opened.state.unsealed_first);
  sheet.number("journal_first", opened.state.journal_first);
  sheet.number("journal_last", std::uint64_t{opened.scan.end.file});
  sheet.bytes("replayed_bytes", opened.replayed_bytes);
  sheet.number("replayed_entries", opened.replayed_entries);
}

/// Of the segments that can be read.
void add_live(fact_sheet& sheet, const store_facts& facts) {
  std::uint64_t raw_bytes = 0;
  live_part live;
  double payload_bytes = 0;
  for (const auto& each : facts.segments) {
    if (damaged(each))
      continue;
    raw_bytes += each.summary.raw_bytes;
    live.bytes += each.live.bytes;
    live.entries += each.live.entries;
    // Payloads are not counted per stream: their share is that of the blocks.
    payload_bytes += each.live_share()
                     * static_cast<double>(each.summary.payload_bytes);
  }
  sheet.share("live_share", ratio(live.bytes, raw_bytes));
  sheet.number("live_entries", live.entries);
  sheet.bytes("live_payload_bytes", static_cast<std::uint64_t>(payload_bytes));
}

void add_segments(fact_sheet& sheet, const store_facts& facts) {
  const auto sealed = facts.sealed();
  add_live(sheet, facts);
  sheet.gap();
  sheet.number("segment_files", facts.segments.size());
  sheet.bytes("segment_bytes", sealed.file_bytes);
  sheet.bytes("segment_raw_bytes", sealed.raw_bytes);
  sheet.bytes("segment_payload_bytes", sealed.payload_bytes);
  sheet.number("segment_entries", sealed.entries);
  sheet.factor("compression", ratio(sealed.raw_bytes, sealed.file_bytes));
}

} // namespace

double segment_facts::live_share() const noexcept {
  return ratio(live.bytes, summary.raw_bytes);
}

segment_summary store_facts::sealed() const noexcept {
  segment_summary sum;
  for (const auto& each : segments) {
    sum.entries += each.summary.entries;
    sum.payload_bytes += each.summary.payload_bytes;
    sum.raw_bytes += each.summary.raw_bytes;
    sum.file_bytes += each.summary.file_bytes;
  }
  return sum;
}

result<store_facts> gather_store_facts(inspected_store& store, bool watched) {
  const auto& opened = store.opened();
  const auto streams = count_streams(store);
  if (!streams)
    return tl::unexpected{streams.error()};
  const auto files = list_journal_files(*opened.world.disk, opened.journal);
  if (!files)
    return tl::unexpected{files.error()};
  store_facts facts;
  facts.streams = *streams;
  facts.journal_files = files->numbers.size();
  facts.journal_file_bytes = bytes_below(opened.journal.directory);
  facts.catalog_bytes = bytes_below(catalog_directory(opened.config.data_dir));
  status_line shown{stderr, status_line::audience::terminal};
  for (std::size_t at = 0; at < opened.segments->size(); ++at)
    facts.segments.push_back(
      gather_segment(store, at, watched ? &shown : nullptr));
  return facts;
}

fact_sheet to_sheet(const store_facts& facts, const store& opened) {
  std::string id;
  for (const auto byte : opened.journal.store)
    id += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  fact_sheet sheet;
  sheet.text("data_dir", opened.config.data_dir);
  sheet.text("store_id", id);
  sheet.number("openings", opened.scan.end.incarnation);
  sheet.number("damages",
               opened.scan.damages.size() + count_damaged(facts));
  sheet.number("streams", facts.streams);
  sheet.bytes("disk_bytes", facts.sealed().file_bytes
                              + facts.journal_file_bytes
                              + facts.catalog_bytes);
  sheet.bytes("catalog_bytes", facts.catalog_bytes);
  add_segments(sheet, facts);
  sheet.gap();
  add_journal(sheet, facts, opened);
  sheet.table("segments", array_of(facts.segments), table_of(facts.segments));
  return sheet;
}

result<void> check_segments(const store_facts& facts, const store& opened) {
  const auto first = std::find_if(facts.segments.begin(),
                                  facts.segments.end(), damaged);
  if (first == facts.segments.end())
    return {};
  return fail(errc::corrupt,
              fmt::format("{} of {} segments of '{}' cannot be read, entries "
                          "may be missing: {}; 'torpor verify' names it all",
                          count_damaged(facts), facts.segments.size(),
                          opened.config.data_dir, first->damage));
}

} // namespace torpor
