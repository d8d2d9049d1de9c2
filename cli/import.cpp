// SPDX-License-Identifier: Apache-2.0
// torpor import: text files into streams, one entry a line.
#include "cli/commands.hpp"
#include "cli/human.hpp"
#include "cli/import_sources.hpp"
#include "cli/interrupt.hpp"
#include "cli/json.hpp"
#include "cli/line_reader.hpp"
#include "cli/open_store.hpp"
#include "cli/outcome.hpp"
#include "cli/output.hpp"
#include "cli/progress.hpp"
#include "cli/stream_writer.hpp"

#include <fmt/format.h>

#include <CLI/Option.hpp>

#include <algorithm>
#include <memory>

namespace torpor {

namespace {

struct import_arguments {
  std::vector<std::string> paths;
  import_naming naming;
};

using sources = std::vector<import_source>;

/// Bytes of all files; 0 if one of them is not known.
std::uint64_t total_bytes(const sources& all) {
  std::uint64_t total = 0;
  for (const auto& source : all) {
    if (source.bytes == 0 && source.path == "-")
      return 0;
    total += source.bytes;
  }
  return total;
}

/// Appends the lines of one file; `before`: bytes of the files before it.
result<void> import_lines(line_reader& lines, bulk_appender& into,
                          progress& shown, std::uint64_t before) {
  constexpr std::uint64_t look_every = 1024;
  for (std::uint64_t count = 0;; ++count) {
    const auto line = lines.next();
    if (!line)
      return tl::unexpected{line.error()};
    if (!*line)
      return {};
    if (auto done = into.append(**line); !done)
      return done;
    if (count % look_every == 0)
      shown.at(before + lines.consumed());
  }
}

result<void> import_all(const sources& all, bulk_appender& into,
                        progress& shown) {
  std::uint64_t before = 0;
  for (const auto& source : all) {
    auto lines = line_reader::open(source.path);
    if (!lines)
      return tl::unexpected{lines.error()};
    const auto done = into.begin(source.stream).and_then([&] {
      return import_lines(*lines, into, shown, before);
    });
    if (!done)
      return done;
    before += source.bytes;
  }
  return {};
}

std::string json_summary(const sources& all,
                         const std::vector<bulk_progress>& done,
                         double seconds) {
  json_array files;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < done.size(); ++i) {
    const auto& each = done[i];
    files.add(json_object{}
                .text("file", all[i].path)
                .text("name", each.stream)
                .number("first", raw(each.first))
                .number("next", raw(each.first) + each.entries)
                .number("entries", each.entries)
                .number("bytes", each.bytes)
                .flag("exists", each.exists())
                .str());
    entries += each.entries;
    bytes += each.bytes;
  }
  return json_object{}
    .number("entries", entries)
    .number("bytes", bytes)
    .number("ms", static_cast<std::uint64_t>(seconds * 1000))
    .raw("files", files.str())
    .str();
}

std::string text_summary(const sources& all,
                         const std::vector<bulk_progress>& done,
                         double seconds) {
  std::string text;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < done.size(); ++i) {
    const auto& each = done[i];
    text += each.exists()
              ? fmt::format("{} -> {}: {} entries, first {}, next {}\n",
                            all[i].path, each.stream, each.entries,
                            raw(each.first), raw(each.first) + each.entries)
              : fmt::format("{}: no entries: no stream was made\n",
                            all[i].path);
    entries += each.entries;
    bytes += each.bytes;
  }
  const auto size = static_cast<double>(bytes);
  return text
         + fmt::format("imported {} entries, {}, from {} files in {:.2f} s "
                       "({}/s), durable\n",
                       entries, human_bytes(size), done.size(), seconds,
                       human_bytes(size / std::max(seconds, 1e-3)));
}

/// Says how far an import came that failed or was ended; what it names is
/// durable.
error explain(error failure, const std::vector<bulk_progress>& done) {
  std::uint64_t entries = 0;
  const bulk_progress* last = nullptr;
  for (const auto& each : done) {
    entries += each.entries;
    if (each.entries > 0)
      last = &each;
  }
  failure.context += last == nullptr
                       ? "; nothing was imported"
                       : fmt::format("; imported until then: {} entries, the "
                                     "last {} of them into '{}'",
                                     entries, last->entries, last->stream);
  return failure;
}

result<void> import_into(stream_writer& streams, const command_context& given,
                         const sources& all) {
  note_interrupts();
  progress shown{"import", total_bytes(all), !given.quiet && !given.json};
  const auto into = streams.bulk();
  auto outcome = import_all(all, *into, shown);
  const auto durable = into->finish();
  const auto seconds = shown.seconds();
  shown.clear();
  if (outcome)
    outcome = durable;
  if (!outcome)
    return tl::unexpected{explain(outcome.error(), into->streams())};
  output out;
  if (given.json)
    out.line(json_summary(all, into->streams(), seconds));
  else if (!given.quiet)
    out.write(text_summary(all, into->streams(), seconds));
  return out.finish();
}

int run_import(const command_context& given, const import_arguments& how) {
  const auto all = plan_import(how.paths, how.naming);
  if (!all && all.error().code == errc::invalid_argument) {
    print_error(given.json, all.error());
    return exit_usage;
  }
  if (!all)
    return conclude(given, tl::unexpected{all.error()});
  const auto done
    = open_writer(given, many_bytes, true)
        .and_then([&](const std::unique_ptr<stream_writer>& streams) {
          return import_into(*streams, given, *all);
        });
  const auto code = conclude(given, done);
  return !done && done.error().code == errc::shut_down ? exit_interrupted
                                                       : code;
}

} // namespace

void add_import(CLI::App& app, const command_context& given,
                chosen_command& run) {
  auto how = std::make_shared<import_arguments>();
  auto& added = *app.add_subcommand("import",
                                    "Append text files, one entry a line");
  added
    .add_option("FILES", how->paths, "Text or gzip files; - is standard input")
    ->required()
    ->type_name("");
  added
    .add_option("--name", how->naming.name,
                "The stream's name, for a single file")
    ->type_name("NAME");
  added
    .add_option("--prefix", how->naming.prefix,
                "Put in front of the names of all streams")
    ->type_name("TEXT");
  added.footer(
    "Each file goes to a stream of its own, called as its relative path, or\n"
    "as its last part if the path is absolute; .gz is left out. A stream that\n"
    "exists is continued; a file without entries makes none. A newline ends "
    "an\n"
    "entry and is not part of it. SIGINT or SIGTERM ends the import with exit\n"
    "code 130, and it says what was kept.\n"
    "Examples:\n"
    "  torpor import app.log\n"
    "  torpor import logs/*.gz --prefix acme/\n"
    "  journalctl -o cat | torpor import - --name journal");
  added.callback([how, &given, &run] {
    run = [how, &given] { return run_import(given, *how); };
  });
}

} // namespace torpor
