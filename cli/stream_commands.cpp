// SPDX-License-Identifier: Apache-2.0
// torpor create, retain, truncate, delete, close and sync.
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/daemon_place.hpp"
#include "cli/json.hpp"
#include "cli/open_store.hpp"
#include "cli/outcome.hpp"
#include "cli/output.hpp"
#include "cli/retention_arguments.hpp"
#include "cli/stream_writer.hpp"

#include <fmt/format.h>

#include <memory>

namespace torpor {

namespace {

struct create_arguments {
  std::string name;
  sync_policy policy;
  retention_policy keep;
  std::string content_type;
};

/// Tells what was done: "created app/log".
result<void> confirm(const command_context& given, std::string_view what,
                     const std::string& name) {
  output out;
  if (given.json)
    out.line(json_object{}.text(what, name).str());
  else if (!given.quiet)
    out.line(fmt::format("{} {}", what, name));
  return out.finish();
}

result<void> create(const command_context& given, const create_arguments& how) {
  create_options options;
  options.policy = how.policy;
  options.keep = how.keep;
  options.content_type = how.content_type;
  return open_writer(given, 0, true)
    .and_then([&](const std::unique_ptr<stream_writer>& streams) {
      return streams->create(how.name, options);
    })
    .and_then([&] { return confirm(given, "created", how.name); });
}

/// Does something to a stream that exists.
template <class Change>
result<void> change(const command_context& given, const std::string& name,
                    std::string_view done, Change apply) {
  return open_writer(given, 0, false)
    .and_then([&](const std::unique_ptr<stream_writer>& streams) {
      return apply(*streams);
    })
    .and_then([&] { return confirm(given, done, name); });
}

/// The same for what a daemon does not offer.
template <class Change>
result<void> change_here(const command_context& given,
                         std::string_view command, const std::string& name,
                         std::string_view done, Change apply) {
  return needs_directory(given, command)
    .and_then([&] { return open_store(given, 0, false); })
    .and_then([&](const runtime& store) {
      return apply(store.stream(name)).get().map_error(name_streams);
    })
    .and_then([&] { return confirm(given, done, name); });
}

result<void> sync(const command_context& given) {
  return needs_directory(given, "sync")
    .and_then([&] { return open_store(given, 0, false); })
    .and_then([](runtime store) { return store.sync().get(); })
    .and_then([&] { return confirm(given, "synced", given.data_dir); });
}

void add_create(CLI::App& app, const command_context& given,
                chosen_command& run) {
  auto how = std::make_shared<create_arguments>();
  auto& command = *app.add_subcommand("create", "Make a stream, durably");
  add_stream_name(command, how->name);
  command
    .add_option("--max-delay-ms", how->policy.max_delay_ms,
                "Buffered entries are due after so long, 1 to 3600000")
    ->check(whole_number())
    ->type_name("N")
    ->check(CLI::Range(1, 3'600'000).description(""));
  command
    .add_option("--max-bytes", how->policy.max_bytes,
                "Or when so many bytes are buffered, 4096 to 16777216")
    ->check(whole_number())
    ->type_name("N")
    ->check(CLI::Range(4096, 16 << 20).description(""));
  command
    .add_option("--linger-ms", how->policy.linger_ms,
                "Durable appends wait so long for others, 1 to 1000")
    ->check(whole_number())
    ->type_name("N")
    ->check(CLI::Range(1, 1000).description(""));
  command
    .add_option("--content-type", how->content_type,
                "What the entries are, such as application/json, for those\n"
                "who read it over HTTP")
    ->type_name("TYPE");
  add_retention(command, how->keep);
  command.footer("Without these the store's own options hold. An append makes "
                 "a missing stream, too.\n"
                 "Examples:\n"
                 "  torpor create app/log --max-delay-ms 200\n"
                 "  torpor create sessions/42 --age 7d --ttl 30d");
  command.callback([how, &given, &run] {
    run = [how, &given] { return conclude(given, create(given, *how)); };
  });
}

void add_delete(CLI::App& app, const command_context& given,
                chosen_command& run) {
  auto name = std::make_shared<std::string>();
  auto& command = *app.add_subcommand("delete",
                                      "Delete a stream and all its entries");
  add_stream_name(command, *name);
  command.footer("There is no way back.\nExample:\n  torpor delete app/log");
  command.callback([name, &given, &run] {
    run = [name, &given] {
      return conclude(given,
                      change(given, *name, "deleted",
                             [&](stream_writer& to) {
                               return to.remove(*name);
                             }));
    };
  });
}

void add_retain(CLI::App& app, const command_context& given,
                chosen_command& run) {
  struct arguments {
    std::string name;
    retention_policy keep;
  };
  auto how = std::make_shared<arguments>();
  auto& command = *app.add_subcommand(
    "retain", "Say how long a stream and its entries stay");
  add_stream_name(command, how->name);
  add_retention(command, how->keep);
  command.footer(
    "Replaces what the stream had of its own; what is not given is as the "
    "rules in\nthe daemon's configuration say, and without a rule for good. "
    "What is too much\ngoes at once for readers, from the disk with a later "
    "merge. SPAN has a unit: ms, s,\nmin, h or d. none in place of a number "
    "lifts a rule's bound. Reads by this tool do\nnot count for --ttl.\n"
    "Examples:\n"
    "  torpor retain app/log --age 30d --bytes 10GiB\n"
    "  torpor retain app/log");
  command.callback([how, &given, &run] {
    run = [how, &given] {
      return conclude(given, change_here(given, "retain", how->name,
                                         "retained",
                                    [&](const stream& to) {
                                      return to.set_retention(how->keep);
                                    }));
    };
  });
}

void add_truncate(CLI::App& app, const command_context& given,
                  chosen_command& run) {
  struct arguments {
    std::string name;
    std::uint64_t before = 0;
  };
  auto how = std::make_shared<arguments>();
  auto& command = *app.add_subcommand(
    "truncate", "Delete the oldest entries of a stream, durably");
  add_stream_name(command, how->name);
  command
    .add_option("--before", how->before,
                "First sequence that stays; at most the next one")
    ->check(whole_number())
    ->type_name("SEQ")
    ->required();
  command.footer("Readers miss them at once, the disk with a later merge. What "
                 "is deleted\nalready is no error.\n"
                 "Example:\n  torpor truncate app/log --before 1000");
  command.callback([how, &given, &run] {
    run = [how, &given] {
      return conclude(given, change_here(given, "truncate", how->name,
                                         "truncated",
                                    [&](const stream& to) {
                                      return to.truncate(sequence{how->before});
                                    }));
    };
  });
}

void add_close(CLI::App& app, const command_context& given,
               chosen_command& run) {
  auto name = std::make_shared<std::string>();
  auto& command = *app.add_subcommand(
    "close", "End a stream: it takes no more entries, reads go on");
  add_stream_name(command, *name);
  command.footer("Example:\n  torpor close app/log");
  command.callback([name, &given, &run] {
    run = [name, &given] {
      return conclude(given,
                      change(given, *name, "closed",
                             [&](stream_writer& to) {
                               return to.close(*name);
                             }));
    };
  });
}

void add_sync(CLI::App& app, const command_context& given,
              chosen_command& run) {
  auto& command = *app.add_subcommand(
    "sync", "Recover a store and make all that it kept durable");
  command.footer("Every command makes durable what it wrote before it ends; "
                 "this one\nis for a store whose process was killed.\n"
                 "Example:\n  torpor sync --data-dir /var/lib/torpor");
  command.callback([&given, &run] {
    run = [&given] { return conclude(given, sync(given)); };
  });
}

} // namespace

void add_stream_commands(CLI::App& app, const command_context& given,
                         chosen_command& run) {
  add_create(app, given, run);
  add_delete(app, given, run);
  add_retain(app, given, run);
  add_truncate(app, given, run);
  add_close(app, given, run);
  add_sync(app, given, run);
}

} // namespace torpor
