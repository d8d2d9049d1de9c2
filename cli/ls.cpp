// SPDX-License-Identifier: Apache-2.0
// torpor ls: lists streams.
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/outcome.hpp"
#include "cli/output.hpp"
#include "cli/stream_reader.hpp"

#include <CLI/Option.hpp>

#include <algorithm>
#include <limits>

namespace torpor {

namespace {

struct ls_arguments {
  std::string prefix;
  std::string after;
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
};

result<void> list_streams(stream_reader& streams, ls_arguments left, bool json,
                          output& out) {
  constexpr std::uint64_t page_max = 10'000;
  while (left.limit > 0 && out.open()) {
    const auto wanted = std::min(left.limit, page_max);
    const auto page = streams.list(left.prefix, left.after, wanted);
    if (!page)
      return tl::unexpected{page.error()};
    for (const auto& [name, id] : *page)
      out.line(json
                 ? json_object{}.text("name", name).number("id", raw(id)).str()
                 : name);
    if (page->size() < wanted)
      break;
    left.after = page->back().first;
    left.limit -= page->size();
  }
  return {};
}

result<void> ls(const command_context& given, const ls_arguments& how) {
  output out;
  return open_reader(given)
    .and_then([&](const std::unique_ptr<stream_reader>& streams) {
      return list_streams(*streams, how, given.json, out).and_then([&] {
        return streams->whole();
      });
    })
    .and_then([&] { return out.finish(); });
}

} // namespace

void add_ls(CLI::App& app, const command_context& given, chosen_command& run) {
  auto how = std::make_shared<ls_arguments>();
  auto& ls_command = *app.add_subcommand("ls", "List streams in byte order");
  ls_command.add_option("PREFIX", how->prefix, "Only names that begin with it")
    ->type_name("")
    ->check(name_start());
  ls_command
    .add_option("--after", how->after,
                "Only names behind this one, to go on where a listing ended")
    ->type_name("NAME")
    ->check(name_start());
  ls_command.add_option("--limit", how->limit, "At most so many")
    ->check(whole_number(1))
    ->type_name("N");
  ls_command.footer("Examples:\n"
                    "  torpor ls\n"
                    "  torpor ls acme/ --limit 100 --after acme/orders");
  ls_command.callback([how, &given, &run] {
    run = [how, &given] { return conclude(given, ls(given, *how)); };
  });
}

} // namespace torpor
