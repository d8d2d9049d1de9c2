// SPDX-License-Identifier: Apache-2.0
// torpor append: standard input into a stream, as one append.
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/entry_input.hpp"
#include "cli/json.hpp"
#include "cli/outcome.hpp"
#include "cli/output.hpp"
#include "cli/stream_writer.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>

namespace torpor {

namespace {

/// At most so much is added to a payload.
constexpr std::uint64_t entry_overhead = 16;

struct append_arguments {
  std::string name;
  bool length_prefixed = false;
  torpor::ack ack = ack::durable;
  std::optional<std::uint64_t> expected_next;
  torpor::producer producer; ///< Without an id there is none.
};

append_options options_of(const append_arguments& how) {
  append_options options;
  options.ack = how.ack;
  if (how.expected_next)
    options.expected_next = sequence{*how.expected_next};
  if (!how.producer.id.empty())
    options.producer = how.producer;
  return options;
}

result<void> confirm(const command_context& given, const std::string& name,
                     const append_result& done) {
  output out;
  const auto first = raw(done.first);
  if (given.json)
    out.line(json_object{}
               .text("name", name)
               .number("first", first)
               .number("next", first + done.count)
               .flag("duplicate", done.duplicate)
               .str());
  else if (!given.quiet)
    out.line(fmt::format("first {} next {}{}", first, first + done.count,
                         done.duplicate ? " duplicate" : ""));
  return out.finish();
}

result<void> append_entries(const command_context& given,
                            const append_arguments& how,
                            const std::vector<std::string_view>& payloads) {
  std::uint64_t encoded = 0;
  for (const auto payload : payloads)
    encoded += payload.size() + entry_overhead;
  return open_writer(given, encoded, true)
    .and_then([&](const std::unique_ptr<stream_writer>& streams) {
      return streams->append(how.name, payloads, options_of(how));
    })
    .and_then([&](const append_result& done) {
      return confirm(given, how.name, done);
    });
}

result<void> append(const command_context& given, const append_arguments& how) {
  const auto text = read_standard_input();
  if (!text)
    return tl::unexpected{text.error()};
  const auto payloads = how.length_prefixed
                          ? split_length_prefixed(*text)
                          : result<std::vector<std::string_view>>{
                            split_lines(*text)};
  if (!payloads)
    return tl::unexpected{payloads.error()};
  if (payloads->empty())
    return fail(errc::invalid_argument,
                "standard input has no entry; nothing was appended");
  return append_entries(given, how, *payloads);
}

void add_options(CLI::App& command, append_arguments& how) {
  command.add_flag("--length-prefixed", how.length_prefixed,
                   "Entries are u32 little-endian lengths with so many bytes,\n"
                   "not lines");
  add_choice<ack>(command, "--ack", how.ack,
                  {{"buffered", ack::buffered}, {"durable", ack::durable}},
                  "Answer when it is durable (default) or in memory; it is\n"
                  "durable at the end in any case");
  command
    .add_option("--expected-next", how.expected_next,
                "Refuse unless the first entry gets this sequence")
    ->check(whole_number())
    ->type_name("N");
  auto* const id = command.add_option(
    "--producer", how.producer.id,
    "Who appends: the same append again is written once");
  id->type_name("ID")->check([](const std::string& text) {
    return text.empty() || text.size() > limits::producer_id_bytes_max
             ? fmt::format("1 to {} bytes", limits::producer_id_bytes_max)
             : std::string{};
  });
  auto* const number = command.add_option(
    "--number", how.producer.number, "The producer's count of its appends");
  number->check(whole_number())->type_name("N");
  command
    .add_option("--epoch", how.producer.epoch,
                "The producer's count of its starts; a new one begins with\n"
                "--number 0 and shuts older ones out (default: 0)")
    ->check(whole_number())
    ->type_name("N")
    ->needs(id);
  id->needs(number);
  number->needs(id);
}

} // namespace

void add_append(CLI::App& app, const command_context& given,
                chosen_command& run) {
  auto how = std::make_shared<append_arguments>();
  auto& command = *app.add_subcommand(
    "append", "Append the lines of standard input to a stream");
  add_stream_name(command, how->name);
  add_options(command, *how);
  command.footer(
    "All entries are one append: all or none, at most 32 MiB. A missing\n"
    "stream is made. Prints the first entry's sequence and the stream's next.\n"
    "Examples:\n"
    "  echo hello | torpor append greetings\n"
    "  torpor append app/log --expected-next 1000 < lines.txt\n"
    "  torpor append app/log --producer job-7 --number 0 < lines.txt");
  command.callback([how, &given, &run] {
    run = [how, &given] { return conclude(given, append(given, *how)); };
  });
}

} // namespace torpor
