// SPDX-License-Identifier: Apache-2.0
// torpor info: what is known of a stream, or of the whole store.
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/human.hpp"
#include "cli/inspected_store.hpp"
#include "cli/json.hpp"
#include "cli/outcome.hpp"
#include "cli/output.hpp"

#include <fmt/format.h>

#include <CLI/Option.hpp>

namespace torpor {

namespace {

/// Facts as lines for people or as one JSON object.
class fact_sheet {
public:
  void text(std::string_view key, std::string_view value) {
    object_.text(key, value);
    line(key, value);
  }
  void number(std::string_view key, std::uint64_t value) {
    object_.number(key, value);
    line(key, fmt::to_string(value));
  }
  void flag(std::string_view key, bool value) {
    object_.flag(key, value);
    line(key, value ? "yes" : "no");
  }
  /// ms since 1970.
  void time(std::string_view key, std::int64_t ms) {
    object_.number(key, ms);
    line(key, ms == 0 ? "none" : human_time(ms));
  }

  [[nodiscard]] std::string str(bool json) const {
    return json ? object_.str() + "\n" : lines_;
  }

private:
  void line(std::string_view key, std::string_view value) {
    lines_ += fmt::format("{:<18} {}\n", key, value);
  }

  json_object object_;
  std::string lines_;
};

fact_sheet stream_facts(const stream_info& info) {
  fact_sheet facts;
  facts.text("name", info.name);
  facts.number("id", raw(info.id));
  facts.number("first", raw(info.first));
  facts.number("next", raw(info.next));
  facts.number("entries", raw(info.next) - raw(info.first));
  facts.time("last_ms", info.last_ms);
  facts.flag("closed", info.closed);
  facts.number("producers", info.producers);
  facts.number("max_delay_ms", info.policy.max_delay_ms);
  facts.number("max_bytes", info.policy.max_bytes);
  facts.number("linger_ms", info.policy.linger_ms);
  return facts;
}

/// Counts by listing: the catalog does not have the newest streams yet.
result<std::uint64_t> count_streams(inspected_store& store) {
  constexpr std::size_t page_max = 10'000;
  std::uint64_t count = 0;
  for (std::string after;;) {
    const auto page = store.list({}, after, page_max);
    if (!page)
      return tl::unexpected{page.error()};
    count += page->size();
    if (page->size() < page_max)
      return count;
    after = page->back().first;
  }
}

result<fact_sheet> store_facts(inspected_store& store) {
  const auto streams = count_streams(store);
  if (!streams)
    return tl::unexpected{streams.error()};
  const auto& opened = store.opened();
  const auto files = list_journal_files(*opened.world.disk, opened.journal);
  if (!files)
    return tl::unexpected{files.error()};
  std::string id;
  for (const auto byte : opened.journal.store)
    id += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  fact_sheet facts;
  facts.text("data_dir", opened.config.data_dir);
  facts.text("store_id", id);
  facts.number("streams", *streams);
  facts.number("openings", opened.scan.end.incarnation);
  facts.number("journal_files", files->numbers.size());
  facts.number("journal_bytes", opened.scan.bytes);
  facts.number("commits", opened.scan.frames);
  facts.number("blocks", opened.scan.blocks);
  facts.number("replayed_entries", opened.replayed_entries);
  facts.number("damages", opened.scan.damages.size());
  return facts;
}

result<void> print_info(const command_context& given, const std::string& name) {
  output out;
  return inspected_store::open(given.data_dir)
    .and_then([&](inspected_store store) -> result<void> {
      const auto facts = name.empty() ? store_facts(store)
                                      : store.info({{}, name})
                                          .map_error(name_streams)
                                          .map(stream_facts);
      if (!facts)
        return tl::unexpected{facts.error()};
      out.write(facts->str(given.json));
      return store.whole();
    })
    .and_then([&] { return out.finish(); });
}

} // namespace

void add_info(CLI::App& app, const command_context& given,
              chosen_command& run) {
  auto name = std::make_shared<std::string>();
  auto& info = *app.add_subcommand(
    "info", "Show what is known of a stream, or of the store");
  add_stream_name(info, *name)
    ->required(false)
    ->description("The stream; without it, the whole store");
  info.footer("In a stream's policy 0 means: as the store says.\n"
              "Examples:\n"
              "  torpor info\n"
              "  torpor info app/log --json");
  info.callback([name, &given, &run] {
    run = [name, &given] { return conclude(given, print_info(given, *name)); };
  });
}

} // namespace torpor
