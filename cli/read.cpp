// SPDX-License-Identifier: Apache-2.0
// torpor read and torpor tail: print a stream's entries.
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/entry_format.hpp"
#include "cli/interrupt.hpp"
#include "cli/outcome.hpp"
#include "cli/output.hpp"
#include "cli/stream_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>

namespace torpor {

namespace {

struct read_arguments {
  std::string name;
  std::optional<std::uint64_t> from;
  std::optional<std::int64_t> from_time;
  std::uint64_t count = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();
  entry_format format = entry_format::text;
};

struct tail_arguments {
  std::string name;
  std::uint64_t count = 10;
  bool follow = false;
  entry_format format = entry_format::text;
};

void print(output& out, entry_format format, const entry_view& entry) {
  std::string text;
  print_entry(text, format, entry);
  out.write(text);
}

/// What one read may bring, with so much left to print.
read_options next_read(const read_arguments& wanted, sequence from) {
  constexpr std::uint64_t page_entries = 10'000;
  constexpr std::uint64_t page_bytes = 4u << 20;
  read_options page;
  page.from = from;
  page.count_max = static_cast<std::uint32_t>(
    std::min(wanted.count, page_entries));
  page.bytes_max = std::min(wanted.bytes, page_bytes);
  return page;
}

/// Prints pages until the stream ends, enough was printed or nobody reads.
result<void> print_entries(stream_reader& streams, const stream_info& info,
                           read_arguments left, output& out) {
  auto wanted = next_read(left, sequence{left.from.value_or(raw(info.first))});
  wanted.from_time = left.from_time;
  for (bool begun = false; left.count > 0 && out.open();) {
    const auto page = streams.read({info.id, info.name}, wanted);
    if (!page)
      return tl::unexpected{streams.explain(info, wanted, page.error())};
    for (const auto& entry : page->entries) {
      if (begun && entry.payload.size() > left.bytes)
        return {};
      begun = true;
      print(out, left.format, entry);
      left.bytes -= std::min<std::uint64_t>(entry.payload.size(), left.bytes);
    }
    left.count -= page->entries.size();
    if (page->next_from == page->next || left.bytes == 0)
      return {};
    wanted = next_read(left, page->next_from);
  }
  return {};
}

/// Prints what `choose` makes of a stream.
template <class Choose>
result<void> print_stream(const command_context& given, const std::string& name,
                          Choose choose) {
  output out;
  return open_reader(given)
    .and_then([&](const std::unique_ptr<stream_reader>& streams) {
      return streams->info({{}, name})
        .map_error(name_streams)
        .and_then([&](const stream_info& info) {
          return print_entries(*streams, info, choose(info), out);
        })
        .and_then([&] { return streams->whole(); });
    })
    .and_then([&] { return out.finish(); });
}

/// Where the newest `count` entries begin.
sequence last_entries(const stream_info& info, std::uint64_t count) {
  const auto kept = raw(info.next) - raw(info.first);
  return sequence{raw(info.next) - std::min(count, kept)};
}

result<void> print_last(const command_context& given,
                        const tail_arguments& how) {
  return print_stream(given, how.name, [&](const stream_info& info) {
    read_arguments wanted;
    wanted.from = raw(last_entries(info, how.count));
    wanted.format = how.format;
    return wanted;
  });
}

result<void> follow(stream_reader& streams, const tail_arguments& how) {
  const auto info = streams.info({{}, how.name}).map_error(name_streams);
  if (!info)
    return tl::unexpected{info.error()};
  read_options wanted;
  wanted.from = last_entries(*info, how.count);
  wanted.wait = true;
  output out;
  while (!interrupted() && out.open()) {
    const auto page = streams.read({info->id, how.name}, wanted);
    if (!page)
      return tl::unexpected{page.error()};
    for (const auto& entry : page->entries)
      print(out, how.format, entry);
    out.flush();
    // At the end of a closed stream nothing is left to wait for.
    if (page->entries.empty())
      break;
    wanted.from = page->next_from;
  }
  return out.finish();
}

result<void> tail_stream(const command_context& given,
                         const tail_arguments& how) {
  if (!how.follow)
    return print_last(given, how);
  note_interrupts();
  return open_reader(given, reading::following)
    .and_then([&](const std::unique_ptr<stream_reader>& streams) {
      return follow(*streams, how);
    });
}

} // namespace

void add_read(CLI::App& app, const command_context& given,
              chosen_command& run) {
  auto how = std::make_shared<read_arguments>();
  auto& read = *app.add_subcommand("read", "Print a stream's entries");
  add_stream_name(read, how->name);
  auto* const from = read
                       .add_option("--from", how->from,
                                   "First sequence (default: the oldest)")
                       ->check(whole_number())
                       ->type_name("N");
  read
    .add_option("--from-time", how->from_time,
                "First time instead, in ms since 1970")
    ->check(whole_number())
    ->type_name("MS")
    ->excludes(from);
  read.add_option("-n,--count", how->count, "At most so many entries")
    ->check(whole_number(1))
    ->type_name("N");
  read
    .add_option("--bytes", how->bytes,
                "At most so many payload bytes, but one entry in any case")
    ->check(whole_number(1))
    ->type_name("N");
  add_output_format(read, how->format);
  read.footer("Examples:\n"
              "  torpor read app/log\n"
              "  torpor read app/log --from 1000 --count 10 --output json\n"
              "  torpor read app/log --output length-prefixed |\n"
              "    torpor append copy --length-prefixed");
  read.callback([how, &given, &run] {
    run = [how, &given] {
      if (given.json)
        how->format = entry_format::json;
      return conclude(given,
                      print_stream(given, how->name,
                                   [how](const stream_info&) { return *how; }));
    };
  });
}

void add_tail(CLI::App& app, const command_context& given,
              chosen_command& run) {
  auto how = std::make_shared<tail_arguments>();
  auto& tail = *app.add_subcommand("tail", "Print a stream's newest entries");
  add_stream_name(tail, how->name);
  tail.add_option("-n,--count", how->count, "So many entries (default: 10)")
    ->check(whole_number())
    ->type_name("N");
  tail.add_flag("-f,--follow", how->follow,
                "Go on with entries as they become durable, until SIGINT or\n"
                "the stream is closed. Others append through the daemon; of a\n"
                "store without one nobody else can");
  add_output_format(tail, how->format);
  tail.footer("Examples:\n"
              "  torpor tail app/log\n"
              "  torpor tail app/log --follow\n"
              "  torpor tail app/log -n 100 --json");
  tail.callback([how, &given, &run] {
    run = [how, &given] {
      if (given.json)
        how->format = entry_format::json;
      return conclude(given, tail_stream(given, *how));
    };
  });
}

} // namespace torpor
