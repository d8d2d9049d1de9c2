// SPDX-License-Identifier: Apache-2.0
// torpor info: what is known of a stream, or of the whole store.
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/daemon_place.hpp"
#include "cli/fact_sheet.hpp"
#include "cli/inspected_store.hpp"
#include "cli/outcome.hpp"
#include "cli/output.hpp"
#include "cli/store_facts.hpp"
#include "cli/stream_reader.hpp"

#include <CLI/Option.hpp>

namespace torpor {

namespace {

void add_bound(fact_sheet& facts, std::string_view key, std::uint64_t bound) {
  if (bound == retention_policy::unlimited)
    facts.text(key, "none");
  else
    facts.number(key, bound);
}

fact_sheet stream_facts(const stream_info& info) {
  fact_sheet facts;
  facts.text("name", info.name);
  facts.number("id", raw(info.id));
  facts.number("first", raw(info.first));
  facts.number("next", raw(info.next));
  facts.number("entries", raw(info.next) - raw(info.first));
  facts.number("inherited", info.inherited());
  facts.number("bytes", info.bytes);
  facts.time("last_ms", info.last_ms);
  facts.flag("closed", info.closed);
  facts.number("producers", info.producers);
  facts.number("max_delay_ms", info.policy.max_delay_ms);
  facts.number("max_bytes", info.policy.max_bytes);
  facts.number("linger_ms", info.policy.linger_ms);
  add_bound(facts, "retain_age_ms", info.retention.age_ms);
  add_bound(facts, "retain_bytes", info.retention.bytes);
  add_bound(facts, "retain_entries", info.retention.entries);
  add_bound(facts, "ttl_ms", info.retention.ttl_ms);
  facts.time("expires_ms", info.retention.expires_ms);
  return facts;
}

/// The whole store is its directory: a daemon does not show it.
result<void> print_store(const command_context& given) {
  output out;
  return needs_directory(given, "info --store")
    .and_then([&] { return inspected_store::open(given.data_dir); })
    .and_then([&](inspected_store store) -> result<void> {
      const auto facts = gather_store_facts(store,
                                            !given.quiet && !given.json);
      if (!facts)
        return tl::unexpected{facts.error()};
      out.write(to_sheet(*facts, store.opened()).str(given.json));
      return check_segments(*facts, store.opened()).and_then([&] {
        return store.whole();
      });
    })
    .and_then([&] { return out.finish(); });
}

result<void> print_stream(const command_context& given,
                          const std::string& name) {
  output out;
  return open_reader(given)
    .and_then([&](const std::unique_ptr<stream_reader>& streams) {
      return streams->info({{}, name})
        .map_error(name_streams)
        .map([&](const stream_info& info) {
          out.write(stream_facts(info).str(given.json));
        })
        .and_then([&] { return streams->whole(); });
    })
    .and_then([&] { return out.finish(); });
}

} // namespace

void add_info(CLI::App& app, const command_context& given,
              chosen_command& run) {
  auto name = std::make_shared<std::string>();
  auto& info = *app.add_subcommand(
    "info", "Show what is known of a stream, or of the store");
  auto* const stream
    = add_stream_name(info, *name)
        ->required(false)
        ->description("The stream; without it, the whole store");
  info.add_flag("--store")
    ->description("The whole store: disk, segments, checkpoint")
    ->excludes(stream);
  info.footer(
    "Of a store: what it takes on disk, which share of its segments is not\n"
    "deleted yet (live), and what a start replays. It reads the index of\n"
    "every segment and no entries.\n"
    "Of a stream's own bounds 0 means: as the store says.\n"
    "Examples:\n"
    "  torpor info --store\n"
    "  torpor info app/log --json");
  info.callback([name, &given, &run] {
    run = [name, &given] {
      return conclude(given, name->empty() ? print_store(given)
                                           : print_stream(given, *name));
    };
  });
}

} // namespace torpor
